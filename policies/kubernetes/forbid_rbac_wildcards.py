"""Roles in a cluster name what they give."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each

POLICY = Policy(
    title="No wildcards in roles",
    severity="high",
    description="`*` in a role gives every resource or verb there is, and those that the next operator "
    "brings: secrets and roles themselves among them.",
    remediation="Name apiGroups, resources and verbs.",
    frameworks=("CIS EKS 4.1.3", "CIS Kubernetes 5.1.3", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

ROLES = (
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
)


@POLICY.on(*ROLES)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Rules with `*`."""
    rules = resource.get("rules")
    if rules is UNKNOWN:
        yield Undecided("rules")
    for path, given in each(rules, "rules"):
        if given is UNKNOWN:
            yield Undecided(path)
            continue
        for key in ("verbs", "resources", "nonResourceURLs"):
            listed = given.get(key)
            if listed is UNKNOWN:
                yield Undecided(f"{path}.{key}")
            for where, value in each(listed, f"{path}.{key}"):
                if value is UNKNOWN:
                    yield Undecided(where)
                elif value == "*":
                    yield Finding(where, f"gives {value!r}, all {key} there are or will be")
