"""Pods have a dedicated service account, or no token."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Deferred, Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import Pod
from ..framework.pods import PODS, WORKLOADS, parts, pod

POLICY = Policy(
    title="No token of the default service account",
    severity="medium",
    description="All pods of a namespace that name no account share one, and have its token: permissions for "
    "one of them, in the cluster or in the cloud, apply to all.",
    remediation="Name a dedicated ServiceAccount, or set `automountServiceAccountToken: false`.",
    frameworks=("CIS EKS 4.1.5", "CIS Kubernetes 5.1.5", "CIS Kubernetes 5.1.6", "NIST 800-53 AC-6"),
)

_DEFAULT = (None, "", "default")
_MOUNTED = "automountServiceAccountToken"


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Pods with the token of the default account."""
    yield from check_each(_pods(resource), _check)


def _pods(resource: Resource) -> Iterator[Pod | Deferred]:
    """Yield the Pod of a built-in workload, or those of complete containers: the Pod of others is that of an
    operator, which may give it an account."""
    if resource.type in PODS:
        spec = pod(resource)
        yield Pod(spec.path, spec.body)
        return
    paths: set[str] = set()
    for container in parts(resource).containers:
        if isinstance(container, Deferred):
            yield container
        elif container.complete and container.pod.path not in paths:
            paths.add(container.pod.path)
            yield container.pod


def _check(spec: Pod) -> Iterator[Outcome]:
    levels = (spec, *spec.around)
    accounts = [(level, key) for level in levels for key in ("serviceAccountName", "serviceAccount")]
    level, key = next((where for where in accounts if where[0].raw(where[1]) is not None), accounts[0])
    account = level.raw(key)
    mounting = next((level for level in levels if level.raw(_MOUNTED) is not None), spec)
    if mounting.raw(_MOUNTED) is False or (account is not UNKNOWN and account not in _DEFAULT):
        return
    if level.known(key) in _DEFAULT and mounting.known(_MOUNTED) is not False:
        path = spec.where("serviceAccountName")
        yield Violation(path, "is the account 'default' of the namespace, whose token the pod gets")
