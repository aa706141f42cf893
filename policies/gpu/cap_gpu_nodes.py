"""A pool with accelerators has a limit, and a low one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided
from ..pack.accelerators import accelerators

POLICY = Policy(
    title="Pools with accelerators stay small",
    severity="high",
    description="An autoscaler makes as many nodes as Pods ask for, up to the pool's limit. A loop that "
    "submits jobs, or one zero too many, costs at most what this limit allows.",
    remediation="Lower the pool's limit, or have `most` raised for this profile in strictness.yaml.",
    frameworks=("NIST 800-53 SC-6",),
    options={
        "most": Option(
            {"type": "integer", "minimum": 1}, 16, "The most nodes of one pool with accelerators."
        ),
    },
)


@POLICY.on("aws:eks/nodeGroup:NodeGroup")
def on_eks(resource: Resource, options: Options) -> Iterator[Judgement]:
    """A node group's largest size."""
    if any(True for _ in accelerators(resource)):
        yield from _judged("scalingConfig.maxSize", resource.get("scalingConfig.maxSize"), 1, options)


@POLICY.on("gcp:container/nodePool:NodePool")
def on_gke(resource: Resource, options: Options) -> Iterator[Judgement]:
    """A node pool's limit: in all, or in each of its zones."""
    if not any(True for _ in accelerators(resource)):
        return
    total = resource.get("autoscaling.totalMaxNodeCount")
    if total is not None and total != 0:
        yield from _judged("autoscaling.totalMaxNodeCount", total, 1, options)
        return
    zones = max(1, sum(1 for _ in resource.items("nodeLocations")))
    for path in ("autoscaling.maxNodeCount", "nodeCount"):
        if resource.get(path) is not None:
            told = list(_judged(path, resource.get(path), zones, options))
            yield from told
            # Too many in one zone are too many; enough for one may be too many in all.
            if not told and resource.get("nodeLocations") is UNKNOWN:
                yield Undecided("nodeLocations")
            return


def _judged(path: str, nodes: Any, zones: int, options: Options) -> Iterator[Judgement]:
    if nodes is UNKNOWN:
        yield Undecided(path)
    elif nodes is not None and nodes * zones > options["most"]:
        where = f" in each of {zones} zones" if zones > 1 else ""
        yield Finding(path, f"allows {nodes:g} nodes{where}, more than {options['most']}")
