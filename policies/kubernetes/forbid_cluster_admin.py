"""Nobody in the cluster is its master, and nobody unknown is anything."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each

POLICY = Policy(
    title="No bindings to cluster-admin or to everybody",
    severity="critical",
    description="`cluster-admin` bound to a workload makes a hole in it a hole in the cluster. A role bound "
    "to `system:authenticated` is given to every account of every pod, on GKE to every Google account; to "
    "`system:anonymous` or `system:unauthenticated`, to the world.",
    remediation="Bind a role that names what is needed to the account that needs it; people come by EKS "
    "access entries and by Google IAM.",
    frameworks=("CIS EKS 4.1.1", "CIS Kubernetes 5.1.1", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_EVERYBODY = (
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
def rule(resource: Resource) -> Iterator[Judgement]:
    """Bindings that give too much, or to too many."""
    role = resource.get("roleRef.name")
    if role is UNKNOWN:
        yield Undecided("roleRef.name")
    elif role == "cluster-admin":
        yield Finding("roleRef.name", "binds 'cluster-admin', which may do everything")
    subjects = resource.get("subjects")
    if subjects is UNKNOWN:
        yield Undecided("subjects")
    for path, subject in each(subjects, "subjects"):
        name = UNKNOWN if subject is UNKNOWN else subject.get("name")
        if name is UNKNOWN:
            yield Undecided(f"{path}.name")
        elif name in _EVERYBODY:
            yield Finding(f"{path}.name", f"gives the role to {name!r}")
