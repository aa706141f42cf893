"""Whether the network has addresses for all nodes that the file's pools may grow to. Pure: no resource, no
call.

A pool whose nodes find no address stays smaller than the file says, without a word in the file. On AWS
addresses belong to Pods, and `network.pods` counts them; on Google Cloud each node takes a block of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from aiplatform._shared.args import ArgumentError, read
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import nodes as gcp_nodes
from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp import planning
from stacks import arguments, to_be
from stacks.settings import Settings

_SURGE: Final = 1
"""Nodes that the system pool has beside its own while it is upgraded ("Node pool upgrade strategies")."""


def problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """(dotted key, reason) where the pools together outgrow the network."""
    if settings.environment.cloud != "gcp":
        return
    try:
        network = read(NetworkSettings, arguments.network(settings), "NetworkArgs")
        nodes = _nodes(settings)
    except ArgumentError:
        return  # told elsewhere
    cidr = IPv4Network(network.cidr)
    reason = planning.too_small(cidr, settings.network.pods, nodes, network.gcp.pods_per_node)
    if reason:
        yield (
            "network.cidr",
            f"got {network.cidr!r}, too small for the {nodes} nodes that system nodes and pools may grow to "
            f"together: {reason}; or lower pods_per_node, or the pools' max",
        )


def _nodes(settings: Settings) -> int:
    """The most nodes at a time, where each pool stays within its `max`. Raises ArgumentError."""
    system = settings.cluster.system_nodes.max + _SURGE
    return system + sum(pool.max for pool in settings.node_pools.values()) + sum(_of_gpu_pools(settings))


def _of_gpu_pools(settings: Settings) -> Iterator[int]:
    there = to_be.network_to_be(settings, to_be.zones_to_be(settings))
    here = to_be.cluster_to_be(settings)
    for name, pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, pool, here, there)
        checked = read(GpuPoolSettings, args, "GpuPoolArgs")
        yield checked.max * gcp_nodes.slice_nodes(checked)
