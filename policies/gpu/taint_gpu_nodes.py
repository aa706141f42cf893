"""Only Pods that request accelerators run on nodes with accelerators."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Deferred, Outcome, Policy, Resource, Violation, any_of
from ..framework.accelerators import Accelerator, accelerators

POLICY = Policy(
    title="Nodes with accelerators are tainted",
    severity="medium",
    description="Without a taint any Pod may be scheduled on a node with accelerators and prevents its "
    "removal, and a web server costs as much as eight GPUs. GKE taints such nodes itself; EKS does not.",
    remediation="Give the node group a taint such as `nvidia.com/gpu=true:NO_SCHEDULE`.",
)

_EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE")


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource) -> Iterator[Outcome]:
    """Node groups with accelerators and without a taint."""
    candidates = list(accelerators(resource))
    known = [candidate for candidate in candidates if isinstance(candidate, Accelerator)]
    if not candidates or any_of(resource.entries("taints"), lambda taint: taint.known("effect") in _EFFECTS):
        return
    if known:
        path, name = known[0].path, known[0].name
        yield Violation("taints", f"allow any Pod on nodes of {resource.known(path)!r}, which has {name}")
    else:
        yield from (candidate for candidate in candidates if isinstance(candidate, Deferred))
