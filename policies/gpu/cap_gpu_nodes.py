"""Pools with accelerators have a low limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..framework import Option, Options, Outcome, Policy, Resource, Violation
from ..framework.accelerators import may_have_accelerators

POLICY = Policy(
    title="Pools with accelerators have a low limit",
    severity="high",
    description="An autoscaler creates as many nodes as Pods request, up to the limit of the pool. The limit "
    "bounds the cost of a loop that submits jobs, or of one zero too many.",
    remediation="Lower the limit of the pool, or have `most` raised for this profile in enforcement.yaml.",
    frameworks=("NIST 800-53 SC-6",),
    options={
        "most": Option(
            {"type": "integer", "minimum": 1}, 16, "The most nodes of one pool with accelerators."
        ),
    },
)


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource, options: Options) -> Iterator[Outcome]:
    """The maximum size of a node group."""
    path = "scalingConfig.maxSize"
    if may_have_accelerators(resource):
        yield from _check(path, resource.known(path), 1, options["most"])


@POLICY.on("gcp:container/nodePool:NodePool")
def on_gke(resource: Resource, options: Options) -> Iterator[Outcome]:
    """The limit of a node pool: in total, or in each of its zones."""
    if not may_have_accelerators(resource):
        return
    path = "autoscaling.totalMaxNodeCount"
    total = resource.known(path)
    if total:
        yield from _check(path, total, 1, options["most"])
        return
    for path in ("autoscaling.maxNodeCount", "nodeCount"):
        nodes = resource.known(path)
        if nodes is not None:
            # Too many in one zone are too many; a number that is fine for one zone may be too many in total.
            in_one_zone = list(_check(path, nodes, 1, options["most"]))
            zones = 1 if in_one_zone else max(1, len(list(resource.entries("nodeLocations"))))
            yield from in_one_zone or _check(path, nodes, zones, options["most"])
            return


def _check(path: str, nodes: Any, zones: int, most: int) -> Iterator[Outcome]:
    if nodes is not None and nodes * zones > most:
        where = f" in each of {zones} zones" if zones > 1 else ""
        yield Violation(path, f"allows {nodes:g} nodes{where}, more than {most}")
