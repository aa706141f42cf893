"""No binding makes a workload an administrator, and none is for every account."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="No bindings to cluster-admin or to everyone",
    severity="critical",
    description="With `cluster-admin` a vulnerability in the workload affects the whole cluster. A role "
    "bound to `system:authenticated` applies to every account of every pod, on GKE to every Google account; "
    "bound to `system:anonymous` or `system:unauthenticated`, to everyone on the internet.",
    remediation="Bind a role with the required permissions to the account that needs it; people use EKS "
    "access entries and Google IAM.",
    frameworks=("CIS EKS 4.1.1", "CIS Kubernetes 5.1.1", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_EVERYONE = (
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
    "system:serviceaccounts",
    "system:masters",
)


@POLICY.on(
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Bindings to cluster-admin, and for groups of all accounts."""
    yield from check_each(resource.entries("subjects"), _check_subject)
    if resource.known("roleRef.name") == "cluster-admin":
        yield Violation("roleRef.name", "binds 'cluster-admin', which has every permission")


def _check_subject(subject: Entry) -> Iterator[Outcome]:
    if subject.known("name") in _EVERYONE:
        yield Violation(subject.where("name"), f"gives the role to {subject.known('name')!r}")
