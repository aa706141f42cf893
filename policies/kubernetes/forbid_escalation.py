"""No role allows its subject to get more permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No privilege escalation by roles",
    severity="high",
    description="An account that can bind or escalate roles, impersonate, create tokens of accounts or call "
    "kubelets can become cluster-admin in a few steps, and so can one that reads all secrets of a cluster.",
    remediation="Remove the verb, or name the objects by `resourceNames`; allow access to secrets by a Role "
    "in their namespace.",
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
def rule(resource: Resource) -> Iterator[Outcome]:
    """Rules that allow to get more permissions."""
    dangerous = {**_ANYWHERE, **(_IN_CLUSTER if resource.type == _CLUSTER_ROLE else {})}
    yield from check_each(resource.entries("rules"), _check_rule, dangerous)


def _check_rule(rule: Entry, dangerous: Mapping[str, tuple[str, ...]]) -> Iterator[Outcome]:
    if rule.known("resourceNames"):
        return
    yield from check_each(rule.entries("verbs"), _check_verb, rule)
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
