"""Whether the network has addresses for all nodes that the file's pools may grow to.

A pool whose nodes get no address stays smaller than the file states, without an error. On AWS addresses
belong to Pods, and `network.pods` counts them; on Google Cloud each node takes a block of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from aiplatform._shared.args import ArgumentError, Problem, read
from aiplatform._shared.outputs import plain
from aiplatform.gpu_pool.gcp import nodes as gcp_nodes
from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp import planning
from stacks import arguments
from stacks.settings import Settings
from stacks.validation import components

_SURGE_NODES: Final = 1
"""Nodes that an upgrade adds to the system pool ("Node pool upgrade strategies")."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield a problem if the pools together may outgrow the network."""
    nodes = _most_nodes(settings) if settings.environment.cloud == "gcp" else None
    if nodes is None or settings.network.existing is not None:
        return
    try:
        network = read(NetworkSettings, arguments.network(settings), "NetworkArgs")
    except ArgumentError:
        return  # reported by components.py
    cidr = IPv4Network(network.cidr)
    reason = planning.too_small(cidr, settings.network.pods, nodes, network.gcp.pods_per_node)
    if reason:
        yield Problem(
            "network.cidr",
            f"got {network.cidr!r}, too small for the {nodes} nodes that system nodes and pools may grow to "
            "together; "
            f"{reason}; or lower network.gcp.pods_per_node, or the pools' max",
        )


def _most_nodes(settings: Settings) -> int | None:
    """Return how many nodes there may be on Google Cloud, or None while the arguments of a GPU pool are
    invalid."""
    gpu_pools = components.valid_gpu_pools(settings)
    if len(gpu_pools) < len(settings.gpu_pools):
        return None
    gpu_nodes = sum(plain(pool.max) * gcp_nodes.slice_nodes(pool) for pool in gpu_pools.values())
    cpu_nodes = sum(pool.max for pool in settings.node_pools.values())
    return settings.cluster.system_nodes.max + _SURGE_NODES + cpu_nodes + gpu_nodes
