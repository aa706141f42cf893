"""A role gives nothing by which its holder gets more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..pack import Finding, Judgement, Policy, Resource, Undecided, each, holds_unknown

POLICY = Policy(
    title="No way up from a role",
    severity="high",
    description="Whoever may bind or escalate roles, impersonate, make tokens of accounts, or speak to "
    "kubelets is cluster-admin in a few steps; whoever reads all secrets of a cluster, too.",
    remediation="Drop the verb, or name the objects by `resourceNames`; give secrets by a Role in their "
    "namespace.",
    frameworks=(
        "CIS EKS 4.1.2",
        "CIS EKS 4.1.8",
        "CIS Kubernetes 5.1.2",
        "NIST 800-53 AC-6(10)",
        "SOC 2 CC6.3",
    ),
)

_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
_CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
_VERBS = ("escalate", "bind", "impersonate")
_ANYWHERE = {"serviceaccounts/token": ("create",), "nodes/proxy": ("get", "create")}
_IN_CLUSTER = {"secrets": ("get", "list", "watch")}


@POLICY.on(_ROLE, _CLUSTER_ROLE)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Rules by which one gets more."""
    rules = resource.get("rules")
    if holds_unknown(rules):
        yield Undecided("rules")
        return
    dangerous = {**_ANYWHERE, **(_IN_CLUSTER if resource.type == _CLUSTER_ROLE else {})}
    for path, given in each(rules, "rules"):
        if not given.get("resourceNames"):
            yield from _ways_up(path, given, dangerous)


def _ways_up(path: str, given: Any, dangerous: Mapping[str, tuple[str, ...]]) -> Iterator[Judgement]:
    verbs: list[str] = given.get("verbs") or []
    for verb in verbs:
        if verb in _VERBS:
            yield Finding(f"{path}.verbs", f"gives {verb!r}, by which one gets every other right")
    for name in given.get("resources") or ():
        meant = [verb for verb in verbs if verb in dangerous.get(name, ())]
        if meant:
            yield Finding(f"{path}.resources", f"gives {meant[0]!r} on all {name!r}")
