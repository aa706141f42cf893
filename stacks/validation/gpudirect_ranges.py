"""Whether the GPUDirect networks of GPU pools have separate addresses. Pure: no resource, no call.

The networks are VPCs of their own, so Compute Engine accepts equal ranges; GKE does not support them
("Set up multi-network support for Pods: General limitations").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiplatform._shared.addresses import overlap
from aiplatform._shared.args import ArgumentError, got, read
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import nodes
from stacks import arguments, to_be
from stacks.settings import Settings


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, reason) of each pool whose range overlaps that of a pool before it."""
    if settings.environment.cloud != "gcp":
        return
    ranges: dict[str, str] = {}
    for name, cidr in _ranges(settings):
        other = next((before for before, its in ranges.items() if overlap(cidr, its)), None)
        if other is not None:
            taken = [*ranges.values(), settings.network.cidr]
            yield (
                f"gpu_pools.{name}.gpudirect_cidr",
                f"{got(cidr)}, which overlaps {ranges[other]} of gpu_pools.{other}: expected a range of its "
                f"own in the cluster{_free(taken)}",
            )
        ranges[name] = cidr


def _ranges(settings: Settings) -> Iterator[tuple[str, str]]:
    """Name and range of the pools with GPUDirect whose arguments are right."""
    there = to_be.network_to_be(settings, to_be.zones_to_be(settings))
    here = to_be.cluster_to_be(settings)
    for name, given in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, given, here, there)
        try:
            pool = read(GpuPoolSettings, args, "GpuPoolArgs")
        except ArgumentError:
            continue  # reported by its own rules
        if nodes.with_gpudirect(pool):
            yield name, nodes.gpudirect_cidr(pool)


def _free(taken: Sequence[str]) -> str:
    possible = map(str, nodes.GPUDIRECT_RANGES.subnets(new_prefix=nodes.GPUDIRECT_PREFIX))
    free = next((one for one in possible if not any(overlap(one, other) for other in taken)), None)
    return f" such as {free}" if free else ""
