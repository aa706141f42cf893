"""The plan of the ranges of a network on Google Cloud. Pure: the same range always gives the same plan,
whatever is added later, so no subnet ever gets another range.

A VPC on Google Cloud has no range; its subnets have, and they are regional. The range of the arguments is
split into two halves. Pods get the first one: each node takes a block of it, twice as many addresses as it
may have pods, so they need far more than all the rest. The other half is split into eighths:

    10.0.0.0/16:  pods              10.0.0.0/17      secondary range
                  services          10.0.128.0/20    secondary range, the Kubernetes Services
                  nodes             10.0.144.0/20    the primary range of the same subnet
                  private services  10.0.160.0/20    for what Google runs: Cloud SQL, Filestore, Memorystore
                  proxies           10.0.176.0/23    proxy-only subnet of the region's load balancers
                  control plane     10.0.184.0/28    the endpoint of the Kubernetes API
                  free              10.0.192.0/18    for more pods, or another cluster
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from math import ceil
from typing import Final

LARGEST: Final = 9
"""Its half, a /10, has blocks for more nodes than a GKE cluster may have."""
SMALLEST: Final = 20
"""Below /20 an eighth is smaller than a /24, the minimum of private services access."""

DOCKER: Final = IPv4Network("172.17.0.0/16")
"""The range of Docker's bridge on Cloud SQL instances: they have no address in it, and cannot answer to one
(Cloud SQL for PostgreSQL, "Learn about using private IP")."""

MOST_NODES: Final = 15_000
"""Of a GKE cluster ("Plan for large GKE clusters")."""
RESERVED: Final = 4
"""Addresses that Google reserves in each primary range: the first two and the last two."""
LEAST_PODS, MOST_PODS = 8, 256
"""Limits of the maximum of pods on a node ("Configure maximum Pods per node")."""

_LARGEST_SERVICES: Final = 16
"""GKE accepts no larger range of Services."""
_PROXIES: Final = 23
"""Google's recommendation for a proxy-only subnet; a /26 is the minimum."""
_CONTROL_PLANE: Final = 28


@dataclass(frozen=True)
class Plan:
    """The ranges of a network."""

    pods: IPv4Network
    services: IPv4Network
    nodes: IPv4Network
    private_services: IPv4Network
    proxies: IPv4Network
    control_plane: IPv4Network
    free: IPv4Network


@dataclass(frozen=True)
class Capacity:
    """The nodes and pods that a plan has addresses for."""

    nodes: int
    pods: int


def plan(cidr: IPv4Network) -> Plan:
    """Return the parts of a range of /9 to /20."""
    if not LARGEST <= cidr.prefixlen <= SMALLEST:
        raise ValueError(f"got {cidr}; expected a range of /{LARGEST} to /{SMALLEST}")
    pods, rest = cidr.subnets()
    services, nodes, private_services, small, *_ = rest.subnets(prefixlen_diff=3)
    first, second = small.subnets()
    return Plan(
        pods=pods,
        services=_at_most(services, _LARGEST_SERVICES),
        nodes=nodes,
        private_services=private_services,
        proxies=_at_most(first, _PROXIES),
        control_plane=_at_most(second, _CONTROL_PLANE),
        free=list(rest.subnets())[1],
    )


def block(pods_per_node: int) -> int:
    """Return the addresses of the pod range that a node takes: the power of two that is at least twice the
    pods it may have ("Configure maximum Pods per node", "CIDR settings")."""
    return 1 << (2 * pods_per_node - 1).bit_length()


def capacity(cidr: IPv4Network, pods_per_node: int) -> Capacity:
    """Return the nodes and pods that a range has addresses for."""
    parts = plan(cidr)
    blocks = parts.pods.num_addresses // block(pods_per_node)
    nodes = min(blocks, parts.nodes.num_addresses - RESERVED, MOST_NODES)
    return Capacity(nodes, nodes * pods_per_node)


def needed_nodes(pods: int, nodes: int | None, pods_per_node: int) -> int:
    """Return the number of nodes that need addresses: the requested ones, and at least as many as the
    requested pods run on."""
    return max(nodes or 1, ceil(pods / pods_per_node))


def too_small(cidr: IPv4Network, pods: int, nodes: int | None, pods_per_node: int) -> str | None:
    """Return why the requested nodes and pods do not fit, and which range would be enough; None where they
    fit."""
    requested = needed_nodes(pods, nodes, pods_per_node)
    planned = capacity(cidr, pods_per_node)
    if requested <= planned.nodes:
        return None
    where = (
        f"expected at most {planned.nodes} nodes and {planned.pods} pods in {cidr}, where each node takes "
        f"{block(pods_per_node)} addresses for its {pods_per_node} pods"
    )
    for length in range(cidr.prefixlen - 1, LARGEST - 1, -1):
        if requested <= capacity(cidr.supernet(new_prefix=length), pods_per_node).nodes:
            return f"{where}; a range of /{length} would be enough"
    return f"{where}; a GKE cluster has at most {MOST_NODES} nodes"


def _at_most(network: IPv4Network, length: int) -> IPv4Network:
    """Return the network, or its first part of /length where it is larger."""
    return next(network.subnets(new_prefix=max(network.prefixlen, length)))
