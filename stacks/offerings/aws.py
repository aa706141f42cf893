"""What AWS does not offer: zones of the region, and instance types in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pulumi

from aiplatform._args import ArgumentError, read
from aiplatform._node_groups import zones_that_offer
from aiplatform.gpu_pool import plan as gpu
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.network.args import NetworkSettings
from aiplatform.network.aws import find_zones
from aiplatform.node_pool import plan as cpu
from aiplatform.node_pool.args import NodePoolSettings
from stacks import arguments, judgement
from stacks.offerings.found import Found, placed
from stacks.settings import Settings


@dataclass(frozen=True)
class _Pool:
    """A pool: its topic in the file, the instance types that it may use, and what judges their zones."""

    topic: str
    types: Sequence[str]
    judge: Callable[[Mapping[str, frozenset[str]]], object]


def faults(settings: Settings, provider: pulumi.ProviderResource) -> list[Found]:
    """All that the cloud cannot give of what the settings ask for. Asks it by `provider`."""
    options = pulumi.InvokeOptions(provider=provider)
    try:
        zones = find_zones(read(NetworkSettings, arguments.network(settings), "NetworkArgs"), options)
    except ArgumentError as error:
        # Which zones the network has is not known then, so nothing can be said of its pools.
        return placed("network", error)
    found: list[Found] = []
    pools = _pools(settings, list(zones), found)
    types = sorted({type_ for pool in pools for type_ in pool.types})
    offered = zones_that_offer(types, options) if types else {}
    for pool in pools:
        try:
            pool.judge(offered)
        except ArgumentError as error:
            found += placed(pool.topic, error)
    return list(dict.fromkeys(found))


def _pools(settings: Settings, zones: Sequence[str], found: list[Found]) -> list[_Pool]:
    """All pools but those that name a zone that the network has not: these faults go to `found`."""
    there, here = judgement.network_to_be(settings, zones), judgement.cluster_to_be(settings)
    pools: list[_Pool] = []

    def add(topic: str, pool: Callable[[], _Pool]) -> None:
        try:
            pools.append(pool())
        except ArgumentError as error:
            found.extend(placed(topic, error))

    def node_pool(topic: str, name: str) -> _Pool:
        given = arguments.node_pool(settings, name, settings.node_pools[name], here, there)
        checked = read(NodePoolSettings, given, "NodePoolArgs")
        return _Pool(topic, checked.instance_types, partial(cpu.zones_for, checked))

    def gpu_pool(topic: str, name: str) -> _Pool:
        given = arguments.gpu_pool(settings, name, settings.gpu_pools[name], here, there)
        checked = read(GpuPoolSettings, given, "GpuPoolArgs")
        return _Pool(topic, gpu.instance_types(checked), partial(gpu.plan, checked))

    for name in settings.node_pools:
        add(f"node_pools.{name}", partial(node_pool, f"node_pools.{name}", name))
    for name in settings.gpu_pools:
        add(f"gpu_pools.{name}", partial(gpu_pool, f"gpu_pools.{name}", name))
    return pools
