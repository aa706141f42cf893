"""Pools that create nodes have a limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Node pools have a limit",
    severity="medium",
    description="Karpenter creates nodes as long as Pods wait. A NodePool without `limits` has no bound: a "
    "loop that submits jobs costs as much as the account's quotas allow. EKS Auto Mode has the same "
    "object.",
    remediation="Set `spec.limits` of the NodePool: cpu and memory, and `nvidia.com/gpu` for pools with "
    "GPUs.",
    frameworks=("NIST 800-53 SC-6", "NIST 800-53 SC-5"),
)


@POLICY.on("kubernetes:karpenter.sh/")
def rule(resource: Resource) -> Iterator[Outcome]:
    """NodePools without limits, or with none that counts; Provisioners, as they were called before."""
    kind = resource.type.rpartition(":")[2]
    path = {"NodePool": "spec.limits", "Provisioner": "spec.limits.resources"}.get(kind)
    # A pool of a fixed number of nodes has `replicas`, and creates no others.
    if path is None or resource.known("spec.replicas") is not None:
        return
    limits: Any = resource.known(path)
    if not limits:
        yield Violation(path, "is not set: the pool creates nodes without a bound")
