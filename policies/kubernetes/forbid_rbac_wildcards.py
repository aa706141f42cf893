"""Roles in a cluster list what they allow."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No wildcards in roles",
    severity="high",
    description="`*` in a role allows every resource or verb, including secrets, roles themselves, and those "
    "of operators that are installed later; `*/exec` is the subresource of every resource, `/*` every path.",
    remediation="List apiGroups, resources and verbs.",
    frameworks=("CIS EKS 4.1.3", "CIS Kubernetes 5.1.3", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
ROLES = tuple(f"{_RBAC}{kind}{form}" for kind in ("Role", "ClusterRole") for form in ("", "Patch"))


@POLICY.on(*ROLES)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Rules with `*`."""
    yield from check_each(resource.entries("rules"), _check_rule)


def _check_rule(rule: Entry) -> Iterator[Outcome]:
    for key in ("verbs", "resources", "nonResourceURLs"):
        yield from check_each(rule.entries(key), _check_value, key)


def _check_value(entry: Entry, key: str) -> Iterator[Outcome]:
    value = entry.known()
    subresource = key == "resources" and str(value).startswith("*/")
    if value in ("*", "/*") or (subresource and value != "*/scale"):
        yield Violation(entry.path, f"allows {value!r}, all present and future {key}")
