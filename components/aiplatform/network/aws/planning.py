"""The plan of the subnets' ranges. Pure: the same VPC range always gives the same plan.

The range is split into four quarters. The first three are the private subnets of up to three zones; the last
is split into eighths, of which the first three are the zones' public subnets and the fifth to seventh their
intra subnets. The ranges of a third zone are always reserved, so a third zone changes no subnet.

    10.0.0.0/16:  private 10.0.0.0/18  10.0.64.0/18  10.0.128.0/18
                  public  10.0.192.0/21  10.0.200.0/21  10.0.208.0/21
                  intra   10.0.224.0/21  10.0.232.0/21  10.0.240.0/21

Private subnets are for nodes and pods (on EKS a pod takes an address of its subnet), public ones for load
balancers and NAT gateways, intra ones (without a route to other networks) for the interfaces of the control
plane and of endpoints.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

LARGEST: Final = 16
"""AWS allows no VPC range larger than /16."""
SMALLEST: Final = 20
"""Below /20 the intra subnets are too small for the interfaces of the control plane and a dozen endpoints."""
MOST_ZONES: Final = 3

RESERVED: Final = 5
"""Addresses that AWS reserves in each subnet: the first four and the last."""
PREFIX: Final = 16
"""Addresses that prefix delegation assigns together: a /28."""
HEADROOM: Final = 1.25
"""Addresses for each requested pod: nodes need some, too, and the VPC CNI keeps spare ones on each node."""


@dataclass(frozen=True)
class ZonePlan:
    """One zone's subnets."""

    private: IPv4Network
    public: IPv4Network
    intra: IPv4Network


def plan(cidr: IPv4Network, zones: int) -> tuple[ZonePlan, ...]:
    """Return the subnets of the first `zones` zones of a range of /16 to /20."""
    if not LARGEST <= cidr.prefixlen <= SMALLEST:
        raise ValueError(f"got {cidr}; expected a range of /{LARGEST} to /{SMALLEST}")
    if not 1 <= zones <= MOST_ZONES:
        raise ValueError(f"got {zones} zones; expected 1 to {MOST_ZONES}")
    *private, rest = cidr.subnets(prefixlen_diff=2)
    eighths = list(rest.subnets(prefixlen_diff=3))
    return tuple(ZonePlan(private[zone], eighths[zone], eighths[zone + 4]) for zone in range(zones))


def pods(cidr: IPv4Network, zones: int, *, prefix_delegation: bool) -> int:
    """Return the number of pods that the private subnets of all zones have addresses for."""
    size = plan(cidr, zones)[0].private.num_addresses
    # A /28 with a reserved address in it cannot be delegated: the first and the last of each subnet.
    usable = (size // PREFIX - 2) * PREFIX if prefix_delegation else size - RESERVED
    return int(zones * usable / HEADROOM)


def too_small(cidr: IPv4Network, zones: int, requested: int, *, prefix_delegation: bool) -> str | None:
    """Return why `requested` pods do not fit, and which range would be enough; None where they fit."""
    most = pods(cidr, zones, prefix_delegation=prefix_delegation)
    if requested <= most:
        return None
    where = f"expected at most {most} in {cidr} over {zones} zones"
    for length in range(cidr.prefixlen - 1, LARGEST - 1, -1):
        if requested <= pods(cidr.supernet(new_prefix=length), zones, prefix_delegation=prefix_delegation):
            return f"{where}; a range of /{length} would be enough"
    largest = cidr.supernet(new_prefix=LARGEST)
    if zones < MOST_ZONES and requested <= pods(largest, MOST_ZONES, prefix_delegation=prefix_delegation):
        return f"{where}; a range of /{LARGEST} over {MOST_ZONES} zones would be enough"
    most = pods(largest, MOST_ZONES, prefix_delegation=prefix_delegation)
    enough = f"has addresses for {most} over {MOST_ZONES} zones"
    return f"{where}; the largest range that AWS allows, /{LARGEST}, {enough}"
