"""Pods have a service account of their own, or none."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.pods import WORKLOADS, pods

POLICY = Policy(
    title="No token of the default service account",
    severity="medium",
    description="Every pod of a namespace that names no account shares one, and carries its token: what one "
    "of them is given, or bound to in the cloud, all of them have.",
    remediation="Name a ServiceAccount of the workload's own, or set `automountServiceAccountToken: false`.",
    frameworks=("CIS EKS 4.1.5", "CIS Kubernetes 5.1.5", "CIS Kubernetes 5.1.6", "NIST 800-53 AC-6"),
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Pods with the default account's token."""
    for pod in pods(resource):
        if isinstance(pod, Undecided):
            yield pod
            continue
        account, mounted = pod.get("serviceAccountName"), pod.get("automountServiceAccountToken")
        if account is None:
            account = pod.get("serviceAccount")
        if account is not UNKNOWN and account not in (None, "", "default"):
            continue
        if mounted is False:
            continue
        if account is UNKNOWN or mounted is UNKNOWN:
            key = "serviceAccountName" if account is UNKNOWN else "automountServiceAccountToken"
            yield Undecided(f"{pod.path}.{key}")
        else:
            yield Finding(
                f"{pod.path}.serviceAccountName",
                "carries the token of the account 'default' of its namespace",
            )
