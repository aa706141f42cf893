"""Whether the GPUDirect networks of GPU pools have ranges that do not overlap.

Each pool has VPCs for these networks, so Compute Engine accepts equal ranges; GKE does not support them
("Set up multi-network support for Pods: General limitations").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiplatform._shared.addresses import overlap
from aiplatform._shared.args import Problem, got
from aiplatform.gpu_pool.gcp import nodes
from stacks.settings import Settings
from stacks.validation import components


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield each pool whose range overlaps that of a pool before it."""
    if settings.environment.cloud != "gcp":
        return
    ranges: dict[str, str] = {}
    for name, pool in components.valid_gpu_pools(settings).items():
        if not nodes.with_gpudirect(pool):
            continue
        cidr = nodes.gpudirect_cidr(pool)
        other = next((earlier for earlier, taken in ranges.items() if overlap(cidr, taken)), None)
        if other is not None:
            yield Problem(
                f"gpu_pools.{name}.gpudirect_cidr",
                f"{got(cidr)}, which overlaps {ranges[other]} of gpu_pools.{other}; expected a range that "
                "no other "
                f"pool of the cluster uses{_example([*ranges.values(), settings.network.cidr])}",
            )
        ranges[name] = cidr


def _example(taken: Sequence[str]) -> str:
    candidates = map(str, nodes.GPUDIRECT_RANGES.subnets(new_prefix=nodes.GPUDIRECT_PREFIX))
    free = next((cidr for cidr in candidates if not any(overlap(cidr, other) for other in taken)), None)
    return f", such as {free}" if free else ""
