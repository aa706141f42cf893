"""The network interfaces of nodes with GPUDirect. Pure: no resource, no call."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from aiplatform.accelerators.gcp import Fabric

RDMA_SUBNETS: Final = 8
GPUDIRECT_SPLIT: Final = 4
"""Bits by which a subnet is smaller than the range: sixteen subnets, of which at most nine are used."""


@dataclass(frozen=True)
class Interface:
    """One further network interface of a node.

    name: of the Kubernetes Network. mode: `NetDevice` or `RDMA`. vpc: which of the fabric's VPCs.
    """

    name: str
    mode: str
    vpc: int
    cidr: str


def interfaces(pool_name: str, fabric: Fabric, cidr: str) -> list[Interface]:
    """Return the interfaces that a node needs in addition to its primary one, in the order of the node.
    Pure."""
    ranges = [str(subnet) for subnet in IPv4Network(cidr).subnets(prefixlen_diff=GPUDIRECT_SPLIT)]
    if fabric != "rdma":
        count = 4 if fabric == "tcpx" else 8
        return [
            Interface(f"{pool_name}-gpu-{index}", "NetDevice", index, ranges[index]) for index in range(count)
        ]
    return [
        Interface(f"{pool_name}-gvnic-1", "NetDevice", 0, ranges[0]),
        *(
            Interface(f"{pool_name}-rdma-{index}", "RDMA", 1, ranges[index + 1])
            for index in range(RDMA_SUBNETS)
        ),
    ]
