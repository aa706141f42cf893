"""Pod identity associations: which service account takes which role."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.iam import trust
from twin.aws.services.eks.operations import references, tags
from twin.aws.services.eks.operations.errors import in_use, invalid
from twin.aws.services.eks.operations.kinds import Kind
from twin.aws.services.eks.operations.store import Thing
from twin.aws.validation import stated

Params = dict[str, Any]
ASSOCIATION: Final = Kind(
    "pod_identity",
    "associationId",
    "association",
    "associations",
    "Association {name} not found in cluster {cluster}",
)
SERVICE: Final = "pods.eks.amazonaws.com"


def tags_of(eks: Any, cluster: Thing, namespace: str, account: str) -> dict[str, str]:
    """The session tags of a service account's Pods, but for the Pod's own."""
    return {
        "eks-cluster-arn": eks.arn("cluster", cluster.name),
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": account,
    }


def context(eks: Any, cluster: Thing, session: Mapping[str, str]) -> dict[str, str]:
    """What a role's trust policy may ask of EKS's request with these session tags."""
    return {
        "aws:SourceAccount": eks.instance.account,
        "aws:SourceArn": eks.arn("cluster", cluster.name),
        **{f"aws:RequestTag/{key}": value for key, value in session.items()},
        "aws:TagKeys": "\n".join(session),
    }


def actions(session: Mapping[str, str]) -> tuple[str, ...]:
    """What EKS does with the role."""
    return (trust.ASSUME, trust.TAG) if session else (trust.ASSUME,)


def check_role(eks: Any, arn: str) -> None:
    """Refuse a role that no Pod can take. Whether one of the association can, EKS Auth decides."""
    role = references.role(eks, arn)
    if role is None:
        raise invalid(f"Role provided in the request does not exist: {arn}")
    missing = [
        action for action in (trust.ASSUME, trust.TAG) if not trust.lets(role, SERVICE, None, [action])
    ]
    if missing:
        raise invalid(
            f"Trust policy of role {arn} does not allow {' and '.join(missing)} to the "
            f"service principal {SERVICE}"
        )


def create(eks: Any, params: Params) -> Params:
    """CreatePodIdentityAssociation."""
    cluster = eks.cluster(params["clusterName"], active=True)
    association = make(eks, cluster, params)
    return {"association": association.description}


def make(eks: Any, cluster: Thing, params: Params, owner: str = "") -> Thing:
    """An association, written. owner: the arn of the add-on that it belongs to."""
    namespace, account = params["namespace"], params["serviceAccount"]
    stated.check(__name__, "association", params)
    check_role(eks, params["roleArn"])
    if find(eks, cluster.name, namespace, account):
        raise in_use(
            f"Association already exists: a pod identity association for service "
            f"account {account} in namespace "
            f"{namespace} of cluster {cluster.name}",
            clusterName=cluster.name,
        )
    now = round(time.time(), 3)
    name = f"a-{uuid.uuid4().hex[:17]}"
    description: Params = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": params["roleArn"],
        "associationArn": eks.arn("podidentityassociation", cluster.name, name),
        "associationId": name,
        "tags": tags.check(params.get("tags")),
        "createdAt": now,
        "modifiedAt": now,
        "disableSessionTags": bool(params.get("disableSessionTags", False)),
    }
    if owner:
        description["ownerArn"] = owner
    if params.get("targetRoleArn"):
        description["targetRoleArn"] = params["targetRoleArn"]
        description["externalId"] = (
            f"{eks.instance.region}/{eks.instance.account}/{cluster.name}/{namespace}/{account}"
        )
    thing = Thing("pod_identity", cluster.name, name, description)
    eks.store.put(thing)
    return thing


def find(eks: Any, cluster: str, namespace: str, account: str) -> Thing | None:
    """The association of a service account."""
    for association in eks.store.every("pod_identity", cluster):
        if (association.description["namespace"], association.description["serviceAccount"]) == (
            namespace,
            account,
        ):
            return association
    return None


def every(eks: Any, params: Params) -> Params:
    """ListPodIdentityAssociations."""
    cluster = eks.cluster(params["clusterName"])
    names = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")
    descriptions = [association.description for association in eks.store.every("pod_identity", cluster.name)]
    return {
        "associations": [
            {name: description[name] for name in names if name in description}
            for description in descriptions
            if params.get("namespace") in (None, description["namespace"])
            and params.get("serviceAccount") in (None, description["serviceAccount"])
        ]
    }


def update(eks: Any, params: Params) -> Params:
    """UpdatePodIdentityAssociation."""
    association = ASSOCIATION.find(eks, params)
    if params.get("roleArn"):
        check_role(eks, params["roleArn"])
        association.description["roleArn"] = params["roleArn"]
    for name in ("targetRoleArn", "disableSessionTags"):
        if params.get(name) is not None:
            association.description[name] = params[name]
    association.description["modifiedAt"] = round(time.time(), 3)
    eks.store.put(association)
    return {"association": association.description}


def delete(eks: Any, params: Params) -> Params:
    """DeletePodIdentityAssociation."""
    association = ASSOCIATION.find(eks, params)
    eks.store.remove(association)
    return {"association": association.description}


HANDLERS: Final = {
    "CreatePodIdentityAssociation": create,
    "DescribePodIdentityAssociation": ASSOCIATION.describe,
    "ListPodIdentityAssociations": every,
    "UpdatePodIdentityAssociation": update,
    "DeletePodIdentityAssociation": delete,
}
