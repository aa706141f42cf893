"""No workload runs in the namespace `default`."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation
from ..framework.pods import WORKLOADS, namespace

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
    if namespace(resource) == "default":
        yield Violation("metadata.namespace", "is 'default', where nothing is limited")
