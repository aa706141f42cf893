"""Access entries: which IAM principals get into the cluster, as whom, with which access policies."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from twin.aws.services.eks.operations import references, tags
from twin.aws.services.eks.operations.errors import in_use, invalid, not_found
from twin.aws.services.eks.operations.kinds import Kind
from twin.aws.services.eks.operations.store import Thing
from twin.aws.validation import stated

Params = dict[str, Any]
POLICY_PREFIX: Final = "arn:aws:eks::aws:cluster-access-policy/"
POLICIES: Final[list[str]] = stated.read(__name__)["policies"]
ENTRY: Final = Kind(
    "access_entry",
    "principalArn",
    "accessEntry",
    "accessEntries",
    "The specified principalArn could not be found. You can view your available access entries with "
    "'list-access-entries'.",
)
NODE_USER: Final = "system:node:{{EC2PrivateDNSName}}"
PROPAGATION: Final = 1.0
"""Seconds until the cluster's API knows a new entry and a new association: both are eventually consistent
(EKS user guide, "Grant IAM users access to Kubernetes with EKS access entries"). Fewer than a node group
needs to join, as on AWS, where that takes minutes."""


def create(eks: Any, params: Params) -> Params:
    """CreateAccessEntry."""
    cluster = eks.cluster(params["clusterName"], active=True)
    arn = params["principalArn"]
    kind = params.get("type") or "STANDARD"
    mode = cluster.description["accessConfig"]["authenticationMode"]
    stated.check(__name__, "entry", {**params, "type": kind, "mode": mode})
    _check_principal(eks, arn)
    if eks.store.get("access_entry", cluster.name, arn):
        raise in_use(
            "The specified access entry resource is already in use on this cluster.", clusterName=cluster.name
        )
    groups = list(params.get("kubernetesGroups") or [])
    entry = make(eks, cluster, arn, kind, _username(params.get("username"), arn, kind), groups)
    entry.description["tags"] = tags.check(params.get("tags"))
    eks.store.put(entry)
    return {"accessEntry": entry.description}


def make(eks: Any, cluster: Thing, arn: str, kind: str, username: str, groups: list[str]) -> Thing:
    """An access entry, written."""
    kind_of, _, name = arn.split(":", 5)[5].partition("/")
    now = round(time.time(), 3)
    if kind == "EC2_LINUX":
        groups = ["system:nodes"]
    description: Params = {
        "clusterName": cluster.name,
        "principalArn": arn,
        "kubernetesGroups": groups,
        "accessEntryArn": eks.arn(
            "access-entry",
            cluster.name,
            kind_of,
            eks.instance.account,
            name.rsplit("/", 1)[-1],
            str(uuid.uuid4()),
        ),
        "createdAt": now,
        "modifiedAt": now,
        "tags": {},
        "username": username,
        "type": kind,
    }
    entry = Thing("access_entry", cluster.name, arn, description, {"policies": []})
    eks.store.put(entry)
    return entry


def bootstrap(eks: Any, cluster: Thing, arn: str) -> None:
    """Who creates a cluster is its administrator, unless it is asked otherwise."""
    entry = make(eks, cluster, arn, "STANDARD", _username(None, arn, "STANDARD"), [])
    entry.internal["policies"] = [
        _association("AmazonEKSClusterAdminPolicy", {"type": "cluster", "namespaces": []})
    ]
    entry.internal["bootstrap"] = True
    eks.store.put(entry)


def ensure_nodes(eks: Any, cluster: Thing, role_arn: str) -> None:
    """A node group lets its own role in."""
    if cluster.description["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        return
    if not eks.store.get("access_entry", cluster.name, role_arn):
        make(eks, cluster, role_arn, "EC2_LINUX", NODE_USER, [])


def known(entry: Thing) -> bool:
    """Whether the cluster's API knows an entry by now."""
    return _propagated(entry, entry.description["createdAt"])


def effective(entry: Thing) -> list[Params]:
    """The associations of an entry that the cluster's API knows by now."""
    return [policy for policy in entry.internal["policies"] if _propagated(entry, policy["associatedAt"])]


def _propagated(entry: Thing, since: float) -> bool:
    # The creator's own entry is part of the cluster from its first answer.
    return bool(entry.internal.get("bootstrap")) or time.time() - since >= PROPAGATION


def every(eks: Any, params: Params) -> Params:
    """ListAccessEntries."""
    cluster = eks.cluster(params["clusterName"])
    wanted = params.get("associatedPolicyArn")
    entries = eks.store.every("access_entry", cluster.name)
    return {
        "accessEntries": [
            entry.name
            for entry in entries
            if not wanted or any(policy["policyArn"] == wanted for policy in entry.internal["policies"])
        ]
    }


def update(eks: Any, params: Params) -> Params:
    """UpdateAccessEntry."""
    entry = ENTRY.find(eks, params)
    stated.check(__name__, "change", {**params, "type": entry.description["type"]})
    if params.get("kubernetesGroups") is not None:
        entry.description["kubernetesGroups"] = list(params["kubernetesGroups"])
    if params.get("username"):
        entry.description["username"] = _username(params["username"], entry.name, "STANDARD")
    entry.description["modifiedAt"] = round(time.time(), 3)
    eks.store.put(entry)
    return {"accessEntry": entry.description}


def delete(eks: Any, params: Params) -> Params:
    """DeleteAccessEntry."""
    eks.store.remove(ENTRY.find(eks, params))
    return {}


def associate(eks: Any, params: Params) -> Params:
    """AssociateAccessPolicy."""
    entry = ENTRY.find(eks, params)
    arn = params["policyArn"]
    name, scope = arn.removeprefix(POLICY_PREFIX), params["accessScope"]
    if not arn.startswith(POLICY_PREFIX) or name not in POLICIES:
        raise invalid(f"The policyArn parameter format is not valid: {arn} is not an EKS access policy")
    kind, namespaces = scope.get("type"), list(scope.get("namespaces") or [])
    of_entry = {"entry": entry.description["type"], "kind": kind, "namespaces": namespaces}
    stated.check(__name__, "association", of_entry)
    association = _association(name, {"type": kind, "namespaces": namespaces})
    entry.internal["policies"] = [p for p in entry.internal["policies"] if p["policyArn"] != arn] + [
        association
    ]
    eks.store.put(entry)
    return {"clusterName": entry.cluster, "principalArn": entry.name, "associatedAccessPolicy": association}


def disassociate(eks: Any, params: Params) -> Params:
    """DisassociateAccessPolicy."""
    entry = ENTRY.find(eks, params)
    left = [policy for policy in entry.internal["policies"] if policy["policyArn"] != params["policyArn"]]
    if len(left) == len(entry.internal["policies"]):
        raise not_found(f"The policy {params['policyArn']} is not associated with {entry.name}")
    entry.internal["policies"] = left
    eks.store.put(entry)
    return {}


def associated(eks: Any, params: Params) -> Params:
    """ListAssociatedAccessPolicies."""
    entry = ENTRY.find(eks, params)
    return {
        "clusterName": entry.cluster,
        "principalArn": entry.name,
        "associatedAccessPolicies": entry.internal["policies"],
    }


def _association(name: str, scope: Params) -> Params:
    now = round(time.time(), 3)
    return {"policyArn": POLICY_PREFIX + name, "accessScope": scope, "associatedAt": now, "modifiedAt": now}


def _check_principal(eks: Any, arn: str) -> None:
    if arn.split(":")[4] == eks.instance.account and not references.principal_exists(eks, arn):
        raise invalid(f"The specified principalArn is invalid: invalid principal. ({arn} does not exist)")


def _username(username: str | None, arn: str, kind: str) -> str:
    if kind in ("EC2_LINUX", "EC2_WINDOWS"):
        return NODE_USER
    if username:
        return username
    name = arn.rsplit("/", 1)[-1]
    if ":role/" in arn:
        return f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/{name}/{{{{SessionName}}}}"
    return arn


HANDLERS: Final = {
    "CreateAccessEntry": create,
    "DescribeAccessEntry": ENTRY.describe,
    "ListAccessEntries": every,
    "UpdateAccessEntry": update,
    "DeleteAccessEntry": delete,
    "AssociateAccessPolicy": associate,
    "DisassociateAccessPolicy": disassociate,
    "ListAssociatedAccessPolicies": associated,
}
