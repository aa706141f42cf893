"""Kubernetes: RBAC and network policies that are registered for two teams, evaluated as the API server and a
network plugin do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from aiplatform.teams.args import ROLES, Role
from aiplatform.teams.members import group_name
from tests.generating.isolation import sample
from tests.generating.isolation.sample import NAMESPACES

VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_NAMESPACE: Final = "kubernetes:core/v1:Namespace"


class Kind(NamedTuple):
    """A kind of objects that a member could use against another team, or to get around its own limits."""

    group: str
    resource: str
    subresource: str = ""

    @property
    def name(self) -> str:
        """`pods/exec`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


KINDS: Final = (
    Kind("", "pods"),
    Kind("", "pods", "exec"),
    Kind("", "pods", "attach"),
    Kind("", "pods", "portforward"),
    Kind("", "pods", "log"),
    Kind("", "pods", "eviction"),
    Kind("", "pods", "ephemeralcontainers"),
    Kind("", "secrets"),
    Kind("", "configmaps"),
    Kind("", "services"),
    Kind("", "persistentvolumeclaims"),
    Kind("", "serviceaccounts"),
    Kind("", "serviceaccounts", "token"),
    Kind("", "events"),
    Kind("", "resourcequotas"),
    Kind("", "limitranges"),
    Kind("apps", "deployments"),
    Kind("apps", "statefulsets"),
    Kind("apps", "daemonsets"),
    Kind("batch", "jobs"),
    Kind("batch", "cronjobs"),
    Kind("networking.k8s.io", "networkpolicies"),
    Kind("rbac.authorization.k8s.io", "roles"),
    Kind("rbac.authorization.k8s.io", "rolebindings"),
    Kind("resource.k8s.io", "resourceclaims"),
    Kind("resource.k8s.io", "resourceclaimtemplates"),
    Kind("kueue.x-k8s.io", "localqueues"),
    Kind("kueue.x-k8s.io", "workloads"),
    Kind("external-secrets.io", "secretstores"),
    Kind("external-secrets.io", "externalsecrets"),
    Kind("jobset.x-k8s.io", "jobsets"),
    Kind("trainer.kubeflow.org", "trainjobs"),
    Kind("ray.io", "rayjobs"),
    Kind("serving.kserve.io", "inferenceservices"),
    Kind("argoproj.io", "workflows"),
)
"""The kinds of the page, and of the test on a real API server."""
CLUSTER_KINDS: Final = (
    Kind("", "namespaces"),
    Kind("", "nodes"),
    Kind("", "persistentvolumes"),
    Kind("kueue.x-k8s.io", "clusterqueues"),
    Kind("rbac.authorization.k8s.io", "clusterroles"),
    Kind("rbac.authorization.k8s.io", "clusterrolebindings"),
    Kind("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    Kind("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
)
"""Kinds without a namespace, of which no role of a team has any verb."""


@cache
def _objects(type_: str) -> Sequence[Mapping[str, Any]]:
    return [entry.inputs for entry in sample.recording("aws").all(type_)]


def allowed(team: str, role: Role, kind: Kind, namespace: str | None) -> list[str]:
    """Return the verbs that the members of a team with a role have. namespace: None for the whole
    cluster."""
    rules = [rule for rules in _rules(group_name(team, role), namespace) for rule in rules]
    return [verb for verb in VERBS if any(_matches(rule, kind, verb) for rule in rules)]


def _rules(group: str, namespace: str | None) -> Iterator[Sequence[Mapping[str, Any]]]:
    for cluster_wide in (True, False):
        kind = f"{_RBAC}{'ClusterRoleBinding' if cluster_wide else 'RoleBinding'}"
        for binding in _objects(kind):
            inside = cluster_wide or binding["metadata"]["namespace"] == namespace
            named = any(
                subject["kind"] == "Group" and subject["name"] in (group, "system:authenticated")
                for subject in binding["subjects"]
            )
            if inside and named:
                yield _rules_of(binding["roleRef"], None if cluster_wide else namespace)


def _rules_of(reference: Mapping[str, str], namespace: str | None) -> Sequence[Mapping[str, Any]]:
    [role] = [
        role
        for role in _objects(f"{_RBAC}{reference['kind']}")
        if role["metadata"]["name"] == reference["name"]
        and (reference["kind"] == "ClusterRole" or role["metadata"]["namespace"] == namespace)
    ]
    return role["rules"]


def _matches(rule: Mapping[str, Any], kind: Kind, verb: str) -> bool:
    # A rule for named objects allows neither `create` nor lists; none of these kinds has one.
    return (
        not rule.get("resourceNames")
        and bool({kind.group, "*"} & {*rule.get("apiGroups", [])})
        and bool({kind.name, "*"} & {*rule.get("resources", [])})
        and bool({verb, "*"} & {*rule.get("verbs", [])})
    )


def rights() -> list[tuple[str, dict[Role, list[str]], list[str]]]:
    """Return each kind with the verbs of each role in the team's namespace, and the verbs of any role of the
    other team there."""
    mine, other = sample.TEAMS
    namespace = NAMESPACES[mine]
    return [
        (
            f"{kind.name}{f' ({kind.group})' if kind.group else ''}",
            {role: allowed(mine, role, kind, namespace) for role in ROLES},
            [verb for role in ROLES for verb in allowed(other, role, kind, namespace)],
        )
        for kind in KINDS
    ]


def reaches(source: str, target: str, port: int = 8080) -> bool:
    """Return whether a Pod in a namespace reaches one in another: egress of the one and ingress of the other
    have to allow it. Pods and namespaces have the labels that the platform gives them."""
    return _allows(source, "Egress", "egress", "to", target, port) and _allows(
        target, "Ingress", "ingress", "from", source, port
    )


def _allows(namespace: str, type_: str, field: str, peers: str, other: str, port: int) -> bool:
    policies = [policy for policy in _objects(_POLICY) if policy["metadata"]["namespace"] == namespace]
    # A policy for some Pods alone may be one of the platform's programs: teams have none.
    applying = [
        policy["spec"]
        for policy in policies
        if type_ in policy["spec"]["policyTypes"] and not _labels(policy["spec"]["podSelector"])
    ]
    if not applying:
        return True
    return any(
        _of_port(rule, port)
        and (not rule.get(peers) or any(_selects(peer, namespace, other) for peer in rule[peers]))
        for spec in applying
        for rule in spec.get(field) or []
    )


def _of_port(rule: Mapping[str, Any], port: int) -> bool:
    return not rule.get("ports") or any(entry.get("port") == port for entry in rule["ports"])


def _selects(peer: Mapping[str, Any], namespace: str, other: str) -> bool:
    """Return whether a peer is a Pod without labels in a namespace."""
    if "ipBlock" in peer:
        return False  # addresses of services of the cloud
    if _labels(peer.get("podSelector", {})):
        return False
    if "namespaceSelector" not in peer:
        return namespace == other
    wanted = _labels(peer["namespaceSelector"])
    return wanted.items() <= _labels_of_namespace(other).items()


def _labels(selector: Mapping[str, Any]) -> Mapping[str, str]:
    # Another form of selectors has to be evaluated, too.
    assert "matchExpressions" not in selector, selector
    return selector.get("matchLabels", {})


@cache
def _labels_of_namespace(name: str) -> Mapping[str, str]:
    registered = {
        str(entry["metadata"]["name"]): entry["metadata"].get("labels", {}) for entry in _objects(_NAMESPACE)
    }
    return {**registered.get(name, {}), "kubernetes.io/metadata.name": name}


def connections() -> list[tuple[str, str, int, bool]]:
    """Return source, target, port, and whether Pods reach each other."""
    mine, other = (NAMESPACES[team] for team in sample.TEAMS)
    return [
        ("Pods of the team", "Pods of the team", 8080, reaches(mine, mine)),
        ("Pods of the team", "Pods of another team", 8080, reaches(mine, other)),
        ("Pods of the team", "HTTPS of another team", 443, reaches(mine, other, 443)),
        ("Pods of another team", "Pods of the team", 8080, reaches(other, mine)),
        (
            "Pods of the team",
            "model registry",
            5000,
            _allows(mine, "Egress", "egress", "to", "model-registry", 5000),
        ),
        ("Pods of the team", "Prometheus", 9090, reaches(mine, "monitoring", 9090)),
    ]
