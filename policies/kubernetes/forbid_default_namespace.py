"""No workload runs in the namespace `default`."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Deferred, Outcome, Policy, Resource, Violation
from ..framework.pods import PODS, RELEASE, WORKLOADS, namespace, parts

POLICY = Policy(
    title="No workloads in the default namespace",
    severity="medium",
    description="An object without a namespace is created in `default`, which has no owner, no quota, no Pod "
    "Security label and no NetworkPolicy.",
    remediation="Use a namespace of the team, which the program creates with its labels and policies.",
    frameworks=("CIS Kubernetes 5.7.4", "NIST 800-53 SC-2"),
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Workloads in that namespace."""
    if resource.type not in PODS and not _declares_pods(resource):
        return
    if namespace(resource) == "default":
        yield Violation("metadata.namespace", "is 'default', where nothing is limited")


def _declares_pods(resource: Resource) -> bool:
    """Return whether an object has Pods in its namespace: a runtime or template of the cluster has none."""
    if resource.type == RELEASE or resource.type.rpartition(":")[2].startswith("Cluster"):
        return False
    declared = parts(resource).containers
    if declared and isinstance(declared[0], Deferred):
        raise declared[0]
    return bool(declared)
