"""Nodes with accelerators are for Pods that ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.accelerators import accelerators

POLICY = Policy(
    title="Nodes with accelerators are tainted",
    severity="medium",
    description="Without a taint any Pod may land on a node with accelerators, keeps it from being scaled "
    "in, and a web server costs what eight GPUs cost. GKE taints such nodes itself; EKS does not.",
    remediation="Give the node group a taint such as `nvidia.com/gpu=true:NO_SCHEDULE`.",
)

_KEEPS_OUT = ("NO_SCHEDULE", "NO_EXECUTE")


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource) -> Iterator[Judgement]:
    """Node groups of instance types that have an accelerator."""
    found = list(accelerators(resource))
    if not found:
        return
    path, what = found[0]
    if what is UNKNOWN:
        yield Undecided(path)
        return
    effects = [cast("dict[str, Any]", taint).get("effect") for _, taint in resource.items("taints")]
    if any(effect in _KEEPS_OUT for effect in effects):
        return
    if resource.get("taints") is UNKNOWN or UNKNOWN in effects:
        yield Undecided("taints")
    else:
        yield Finding("taints", f"keep no Pod off nodes of {resource.get(path)!r}, which has {what}")
