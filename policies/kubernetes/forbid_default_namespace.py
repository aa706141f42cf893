"""Nothing runs in the namespace `default`."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.pods import WORKLOADS, namespace

POLICY = Policy(
    title="No workloads in the default namespace",
    severity="medium",
    description="What names no namespace lands in `default`, which has no owner, no quota, no Pod Security "
    "label and no NetworkPolicy.",
    remediation="Give the workload a namespace of its team's, which the program makes with its labels and "
    "policies.",
    frameworks=("CIS Kubernetes 5.7.4", "NIST 800-53 SC-2"),
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Workloads that are there."""
    there = namespace(resource)
    if there is UNKNOWN:
        yield Undecided("metadata.namespace")
    elif there == "default":
        yield Finding("metadata.namespace", "is 'default', where nothing is limited")
