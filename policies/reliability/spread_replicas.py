"""The replicas of a workload do not fall together."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, holds_unknown
from ..pack.pods import REPLICATED, pods

POLICY = Policy(
    title="Replicas are spread",
    severity="medium",
    description="The scheduler may put all replicas on one node, or in one zone, and then one fault takes "
    "them all.",
    remediation="Give the pod `topologySpreadConstraints` by `topology.kubernetes.io/zone` and "
    "`kubernetes.io/hostname`, or a podAntiAffinity.",
    frameworks=("NIST 800-53 CP-10", "NIST 800-53 SC-36", "SOC 2 A1.2"),
)


@POLICY.on(*REPLICATED)
def rule(resource: Resource) -> Iterator[Judgement]:
    """Workloads of several replicas that say nothing."""
    replicas = resource.get("spec.replicas")
    if replicas is UNKNOWN:
        yield Undecided("spec.replicas")
        return
    if (replicas or 1) < 2:
        return
    for pod in pods(resource):
        if isinstance(pod, Undecided):
            yield pod
            continue
        said = [pod.get("topologySpreadConstraints"), pod.get("affinity.podAntiAffinity")]
        if any(value and not holds_unknown(value) for value in said if value is not UNKNOWN):
            continue
        if any(holds_unknown(value) for value in said):
            yield Undecided(f"{pod.path}.topologySpreadConstraints")
        else:
            yield Finding(
                f"{pod.path}.topologySpreadConstraints",
                f"{replicas:g} replicas may share one node and one zone",
            )
