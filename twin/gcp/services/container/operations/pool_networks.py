"""A node pool's addresses: room for its Pods, and the networks next to the cluster's own.

Sources: "About multi-network support for Pods", "Configure maximum Pods per node", "Maximize GPU network
bandwidth". The number of network interfaces: "Multiple network interfaces" of Compute Engine.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.services.container.operations import cluster_network, references, resource_names

if TYPE_CHECKING:
    from twin.gcp.services.container.operations.pool_rules import RequestedPool

INTERFACES: Final = {"a3-highgpu-8g": 5, "a3-megagpu-8g": 9, "a3-ultragpu-8g": 10, "a4-highgpu-8g": 10}
"""Network interfaces of machine types that have more than their vCPUs say."""


def check(requested: RequestedPool) -> None:
    """All rules over addresses."""
    most = max_pods(requested)
    if not 8 <= most <= 256:
        raise invalid(
            f"{requested.path}.maxPodsConstraint.maxPodsPerNode: must be from 8 to 256, got {most}."
        )
    _room(requested, most)
    _additional(requested)


def max_pods(requested: RequestedPool) -> int:
    """Pods of a node: the pool's own, else the cluster's, else 110."""
    for constraint in (
        requested.pool.get("maxPodsConstraint"),
        requested.cluster.get("defaultMaxPodsConstraint"),
    ):
        if constraint and constraint.get("maxPodsPerNode"):
            return int(constraint["maxPodsPerNode"])
    return cluster_network.DEFAULT_PODS


def pods_range(requested: RequestedPool) -> tuple[str, IPv4Network]:
    """(name, block) of the range that the pool's Pods get their addresses from."""
    policy, settings = requested.cluster["ipAllocationPolicy"], requested.pool.get("networkConfig") or {}
    name = settings.get("podRange")
    if not name:
        return policy["clusterSecondaryRangeName"], IPv4Network(policy["clusterIpv4CidrBlock"])
    subnet_name = requested.cluster["networkConfig"]["subnetwork"]
    subnet = requested.call.state.get(f"compute/{subnet_name}") or {"name": subnet_name}
    return name, references.secondary(subnet, name, f"{requested.path}.networkConfig.podRange")


def _room(requested: RequestedPool, most: int) -> None:
    name, block = pods_range(requested)
    room = cluster_network.nodes_in(block, most)
    default = requested.cluster["ipAllocationPolicy"]["clusterSecondaryRangeName"]
    taken = 0
    for place, other in resource_names.pools(requested.call.state, requested.place):
        used = (other.get("networkConfig") or {}).get("podRange", default)
        if place.pool == requested.pool["name"] or used != name:
            continue
        size = int((other.get("maxPodsConstraint") or {}).get("maxPodsPerNode") or most)
        nodes = int(other.get("initialNodeCount") or 0) * len(other.get("locations") or ())
        # In nodes of this pool's size.
        taken += (
            nodes * 2 ** (cluster_network.block_of(most) - cluster_network.block_of(size)) if nodes else 0
        )
    wanted = int(requested.pool.get("initialNodeCount") or 0) * len(requested.zones)
    if wanted > room - taken:
        raise invalid(
            f"{requested.path}: the Pods range {name} ({block}) is too small: with {most} Pods a node "
            f"(/{cluster_network.block_of(most)} each) it has room for {max(0, int(room - taken))} more "
            f"nodes, and the node pool begins with {wanted}."
        )


def _additional(requested: RequestedPool) -> None:
    settings = requested.pool.get("networkConfig") or {}
    nodes, pods = (
        settings.get("additionalNodeNetworkConfigs") or [],
        settings.get("additionalPodNetworkConfigs") or [],
    )
    where = f"{requested.path}.networkConfig.additionalNodeNetworkConfigs"
    if not nodes and not pods:
        return
    if not requested.cluster["networkConfig"].get("enableMultiNetworking"):
        raise invalid(
            f"{where}: Multi-networking is not enabled on cluster {requested.place.cluster}: it is enabled "
            "when "
            "the cluster is created (networkConfig.enableMultiNetworking), and not later."
        )
    limit = INTERFACES.get(requested.machine.name, min(8, max(2, requested.machine.cpus)))
    if len(nodes) + 1 > limit:
        raise invalid(
            f"{where}: machine type {requested.machine.name} has at most {limit} network interfaces, one of "
            f"which is the cluster's; got {len(nodes)} more."
        )
    seen: set[str] = {requested.cluster["networkConfig"]["subnetwork"]}
    for index, node_network in enumerate(nodes):
        _network(requested, node_network, f"{where}[{index}]", seen)


def _network(requested: RequestedPool, network_config: dict[str, str], where: str, seen: set[str]) -> None:
    network = references.network(
        requested.call.state, requested.place.project, network_config.get("network", ""), f"{where}.network"
    )
    name, subnet = references.subnetwork(
        requested.call.state,
        requested.place.project,
        requested.place.region,
        network_config.get("subnetwork", ""),
        f"{where}.subnetwork",
    )
    if references.relative(subnet["network"]) != network:
        raise invalid(
            f"{where}.subnetwork: {subnet['name']} is not of network {network_config.get('network')}."
        )
    if network == requested.cluster["networkConfig"]["network"]:
        raise invalid(f"{where}.network: must be another network than the cluster's own.")
    if name in seen:
        raise invalid(f"{where}.subnetwork: {subnet['name']} is used by another interface.")
    seen.add(name)
