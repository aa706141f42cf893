"""No role allows its subject to get more permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..framework import UNKNOWN, Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No privilege escalation by roles",
    severity="high",
    description="An account that can bind or escalate roles, impersonate, create tokens of accounts, run "
    "commands in pods of others, change admission webhooks, approve certificates or call kubelets can become "
    "cluster-admin in a few steps, and so can one that creates pods in every namespace, with the account of "
    "its choice, or reads all secrets of a cluster.",
    remediation="Remove the verb, or name the objects by `resourceNames`; allow access to secrets and pods "
    "by a Role in their namespace.",
    frameworks=(
        "CIS EKS 4.1.2",
        "CIS EKS 4.1.4",
        "CIS EKS 4.1.8",
        "CIS Kubernetes 5.1.2",
        "CIS Kubernetes 5.1.4",
        "CIS Kubernetes 5.1.8",
        "CIS Kubernetes 5.1.10",
        "CIS Kubernetes 5.1.11",
        "CIS Kubernetes 5.1.12",
        "CIS Kubernetes 5.1.13",
        "NIST 800-53 AC-6(10)",
        "SOC 2 CC6.3",
    ),
)

_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1:"
_CLUSTER_ROLES: Final = (f"{_RBAC}ClusterRole", f"{_RBAC}ClusterRolePatch")
_VERBS: Final = ("escalate", "bind", "impersonate")
_CHANGE: Final = ("create", "update", "patch")
_ANYWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "serviceaccounts/token": ("create",),
    "nodes/proxy": ("get", "create"),
    "mutatingwebhookconfigurations": _CHANGE,
    "validatingwebhookconfigurations": _CHANGE,
    "certificatesigningrequests/approval": ("update", "patch"),
}
"""Resource -> the verbs that lead to more permissions, also in one namespace."""
_IN_CLUSTER: Final[Mapping[str, tuple[str, ...]]] = {
    "secrets": ("get", "list", "watch"),
    "pods": ("create",),
    "pods/exec": ("get", "create"),
    "pods/attach": ("get", "create"),
    "pods/ephemeralcontainers": ("update", "patch"),
}
"""The same, in every namespace."""
_ALL_POWERFUL: Final = ("cluster-admin", "admin", "edit", "system:masters", "system:admin")


@POLICY.on(*_CLUSTER_ROLES, f"{_RBAC}Role", f"{_RBAC}RolePatch")
def rule(resource: Resource) -> Iterator[Outcome]:
    """Rules that allow to get more permissions."""
    dangerous = {**_ANYWHERE, **(_IN_CLUSTER if resource.type in _CLUSTER_ROLES else {})}
    yield from check_each(resource.entries("rules"), _check_rule, dangerous)


def _check_rule(rule: Entry, dangerous: Mapping[str, tuple[str, ...]]) -> Iterator[Outcome]:
    names: Any = rule.known("resourceNames") or []
    if names and not any(name in _ALL_POWERFUL for name in names):
        if any(verb.raw() in (*_VERBS, UNKNOWN) for verb in rule.entries("verbs")):
            rule.fully_known("resourceNames")
        return
    yield from check_each(rule.entries("verbs"), _check_verb, rule)
    if not names:
        yield from check_each(rule.entries("resources"), _check_resource, rule, dangerous)


def _check_verb(verb: Entry, rule: Entry) -> Iterator[Outcome]:
    if verb.known() in _VERBS:
        problem = f"allows {verb.known()!r}, with which an account can get every other permission"
        yield Violation(rule.where("verbs"), problem)


def _check_resource(
    resource: Entry, rule: Entry, dangerous: Mapping[str, tuple[str, ...]]
) -> Iterator[Outcome]:
    name = resource.known()
    verbs = [verb.raw() for verb in rule.entries("verbs") if verb.raw() in dangerous.get(name, ())]
    if verbs:
        yield Violation(rule.where("resources"), f"allows {verbs[0]!r} on all {name!r}")
    elif name in dangerous:
        rule.fully_known("verbs")
