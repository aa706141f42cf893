"""Pods have a dedicated service account, or no token."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Outcome, Policy, Resource, Violation
from ..framework.pods import WORKLOADS, pod

POLICY = Policy(
    title="No token of the default service account",
    severity="medium",
    description="All pods of a namespace that name no account share one, and have its token: permissions for "
    "one of them, in the cluster or in the cloud, apply to all.",
    remediation="Name a dedicated ServiceAccount, or set `automountServiceAccountToken: false`.",
    frameworks=("CIS EKS 4.1.5", "CIS Kubernetes 5.1.5", "CIS Kubernetes 5.1.6", "NIST 800-53 AC-6"),
)

_DEFAULT = (None, "", "default")


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Pods with the token of the default account."""
    spec = pod(resource)
    key = "serviceAccountName" if spec.raw("serviceAccountName") is not None else "serviceAccount"
    account, mounted = spec.raw(key), spec.raw("automountServiceAccountToken")
    if mounted is False or (account is not UNKNOWN and account not in _DEFAULT):
        return
    if spec.known(key) in _DEFAULT and spec.known("automountServiceAccountToken") is not False:
        path = spec.where("serviceAccountName")
        yield Violation(path, "is the account 'default' of the namespace, whose token the pod gets")
