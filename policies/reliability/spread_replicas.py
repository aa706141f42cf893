"""Replicas of a workload do not fail together."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, any_of
from ..framework.pods import REPLICATED, pod

POLICY = Policy(
    title="Replicas are spread",
    severity="medium",
    description="The scheduler may place all replicas on one node, or in one zone, and then one failure "
    "affects all of them.",
    remediation="Give the pod `topologySpreadConstraints` by `topology.kubernetes.io/zone` and "
    "`kubernetes.io/hostname`, or a podAntiAffinity.",
    frameworks=("NIST 800-53 CP-10", "NIST 800-53 SC-36", "SOC 2 A1.2"),
)

_SPREADING = ("topologySpreadConstraints", "affinity.podAntiAffinity")


@POLICY.on(*REPLICATED)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Workloads of several replicas without a constraint."""
    replicas = resource.known("spec.replicas") or 1
    if replicas == 1:
        return
    spec = pod(resource)
    if not any_of(_SPREADING, lambda path: bool(spec.fully_known(path))):
        path = spec.where(_SPREADING[0])
        yield Violation(path, f"{replicas:g} replicas may share one node and one zone")
