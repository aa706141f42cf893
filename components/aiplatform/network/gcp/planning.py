"""Which addresses each part of a network on Google Cloud gets. Pure: the same range always gives the same
plan, whatever is asked for later, so nothing ever moves.

A VPC on Google Cloud has no range; its subnets have, and they are regional. The range that is given is cut
into two halves. Pods get the whole first one: each node takes a block of it, twice as many addresses as it
may have pods, so they need far more than all the rest. The other half is cut into eighths:

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
"""Half of it, a /10, has blocks for more nodes than a GKE cluster may have."""
SMALLEST: Final = 20
"""Below /20 an eighth is smaller than a /24, the least that private services access takes."""

DOCKER: Final = IPv4Network("172.17.0.0/16")
"""Docker's bridge on what Google runs: a Cloud SQL instance neither has an address in it nor answers to one
(Cloud SQL for PostgreSQL, "Learn about using private IP")."""

MOST_NODES: Final = 15_000
"""Of a GKE cluster ("Plan for large GKE clusters")."""
RESERVED: Final = 4
"""Addresses that Google keeps in each primary range: the first two and the last two."""
LEAST_PODS, MOST_PODS = 8, 256
"""A node may be allowed so many pods ("Configure maximum Pods per node")."""

_LARGEST_SERVICES: Final = 16
"""GKE takes no larger range of Services."""
_PROXIES: Final = 23
"""What Google recommends for a proxy-only subnet; a /26 is the least."""
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
class Room:
    """What a plan has addresses for."""

    nodes: int
    pods: int


def plan(cidr: IPv4Network) -> Plan:
    """The parts of a range of /9 to /20."""
    if not LARGEST <= cidr.prefixlen <= SMALLEST:
        raise ValueError(f"{cidr} is no range of /{LARGEST} to /{SMALLEST}")
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
    """Addresses of the pod range that a node takes: the power of two that is at least twice the pods it may
    have ("Configure maximum Pods per node", "CIDR settings")."""
    return 1 << (2 * pods_per_node - 1).bit_length()


def room(cidr: IPv4Network, pods_per_node: int) -> Room:
    """How many nodes and pods a range has addresses for."""
    parts = plan(cidr)
    blocks = parts.pods.num_addresses // block(pods_per_node)
    nodes = min(blocks, parts.nodes.num_addresses - RESERVED, MOST_NODES)
    return Room(nodes, nodes * pods_per_node)


def needed(pods: int, nodes: int | None, pods_per_node: int) -> int:
    """How many nodes must have addresses: those asked for, and as many as hold the pods asked for."""
    return max(nodes or 1, ceil(pods / pods_per_node))


def too_small(cidr: IPv4Network, pods: int, nodes: int | None, pods_per_node: int) -> str | None:
    """Why what is asked for does not fit and what would be enough, or None when it fits."""
    wanted = needed(pods, nodes, pods_per_node)
    here = room(cidr, pods_per_node)
    if wanted <= here.nodes:
        return None
    where = (
        f"expected at most {here.nodes} nodes and {here.pods} pods in {cidr}, where each node takes "
        f"{block(pods_per_node)} addresses for its {pods_per_node} pods"
    )
    for length in range(cidr.prefixlen - 1, LARGEST - 1, -1):
        if wanted <= room(cidr.supernet(new_prefix=length), pods_per_node).nodes:
            return f"{where}; a range of /{length} would be enough"
    return f"{where}; a GKE cluster has at most {MOST_NODES} nodes"


def _at_most(network: IPv4Network, length: int) -> IPv4Network:
    """The network, or its first part of /length where it is larger."""
    return next(network.subnets(new_prefix=max(network.prefixlen, length)))
