"""The networks of GPUDirect: VPCs, subnets, and the Kubernetes objects by which Pods get interfaces in them.

Sources: "Maximize GPU network bandwidth in Standard mode clusters" (A3 High: four VPCs, A3 Mega: eight, MTU
8244) and "Maximize GPU network bandwidth with GPUDirect RDMA" (A3 Ultra, A4: a VPC for the host's second
card, and one with eight subnets by the zone's RoCE network profile).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container
from pulumi_kubernetes.apiextensions import CustomResource

from aiplatform._shared.dependencies import waiting_for
from aiplatform.accelerators.gcp import Fabric
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp.nodes import GPUDIRECT_SPLIT, gpudirect_cidr

GPU_MTU: Final = 8244
"""Bytes; what GPUDirect-TCPX and TCPXO send."""
HOST_MTU: Final = 8896
"""Bytes; the most that a VPC takes."""
RDMA_SUBNETS: Final = 8
API: Final = "networking.gke.io"


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
    """The interfaces that a node needs beside its own, in the order in which it has them. Pure."""
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


@dataclass(frozen=True)
class Networks:
    """What node pools take of the fabric.

    attached: the node pools' further networks. ready: what must stand before a node does.
    """

    names: Sequence[str]
    attached: Sequence[container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs]
    ready: Sequence[pulumi.Resource]


class Builder:
    """Makes the networks as children of the pool's component."""

    def __init__(
        self, parent: pulumi.ComponentResource, name: str, pool: GpuPoolSettings, zone: Input[str]
    ) -> None:
        self.parent = parent
        self.name = name
        self.pool = pool
        self.zone = zone

    def build(self, fabric: Fabric) -> Networks:
        """All of them."""
        wanted = interfaces(self.pool.name, fabric, gpudirect_cidr(self.pool))
        vpcs = [self._vpc(index, wanted) for index in sorted({each.vpc for each in wanted})]
        attached: list[container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs] = []
        ready: list[pulumi.Resource] = []
        for each in wanted:
            vpc = vpcs[each.vpc]
            subnet = self._subnet(each, vpc)
            attached.append(
                container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs(
                    network=vpc.name, subnetwork=subnet.name
                )
            )
            ready.append(self._kubernetes_network(each, vpc, subnet))
        return Networks([each.name for each in wanted], attached, ready)

    def _options(self) -> ResourceOptions:
        return ResourceOptions(parent=self.parent)

    def _logical(self, interface: Interface) -> str:
        return self.name + interface.name.removeprefix(self.pool.name)

    def _vpc(self, index: int, wanted: Sequence[Interface]) -> compute.Network:
        pool = self.pool
        inside = [each for each in wanted if each.vpc == index]
        rdma = inside[0].mode == "RDMA"
        name = f"{self.name}-rdma" if rdma else self._logical(inside[0])
        more: dict[str, Any] = {}
        if rdma:
            # It lets nothing but RDMA between these interfaces pass.
            more["network_profile"] = Output.concat(
                "projects/", pool.cluster.project or "", "/global/networkProfiles/", self.zone, "-vpc-roce"
            )
        vpc = compute.Network(
            name,
            project=pool.cluster.project,
            description=f"GPUDirect between the nodes of {pool.prefix}-{pool.name}",
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            # Said of RDMA's, too, as in Google's own examples: a VPC has 1460 unless it is told otherwise.
            mtu=HOST_MTU if any(each.mode == "RDMA" for each in wanted) else GPU_MTU,
            # Nothing in it leaves it.
            delete_default_routes_on_create=None if rdma else True,
            # In a new project the cluster's network switches Compute Engine's API on.
            opts=ResourceOptions(parent=self.parent, depends_on=waiting_for(pool.network.vpc_id)),
            **more,
        )
        if not rdma:
            self._inside_only(name, vpc)
        return vpc

    def _inside_only(self, name: str, vpc: compute.Network) -> None:
        """A VPC lets nothing in by itself; nodes of the pool reach each other."""
        compute.Firewall(
            f"{name}-inside",
            project=self.pool.cluster.project,
            network=vpc.name,
            direction="INGRESS",
            description="All from the nodes of this pool",
            source_ranges=[gpudirect_cidr(self.pool)],
            allows=[
                compute.FirewallAllowArgs(protocol="tcp"),
                compute.FirewallAllowArgs(protocol="udp"),
                compute.FirewallAllowArgs(protocol="icmp"),
            ],
            opts=self._options(),
        )

    def _subnet(self, interface: Interface, vpc: compute.Network) -> compute.Subnetwork:
        return compute.Subnetwork(
            self._logical(interface),
            project=self.pool.cluster.project,
            region=self.pool.cluster.region,
            network=vpc.id,
            ip_cidr_range=interface.cidr,
            opts=self._options(),
        )

    def _kubernetes_network(
        self, interface: Interface, vpc: compute.Network, subnet: compute.Subnetwork
    ) -> CustomResource:
        parameters = CustomResource(
            f"{self._logical(interface)}-parameters",
            api_version=f"{API}/v1",
            kind="GKENetworkParamSet",
            metadata={"name": interface.name},
            spec={"vpc": vpc.name, "vpcSubnet": subnet.name, "deviceMode": interface.mode},
            opts=self._options(),
        )
        return CustomResource(
            f"{self._logical(interface)}-network",
            api_version=f"{API}/v1",
            kind="Network",
            metadata={"name": interface.name},
            spec={
                "type": "Device",
                "parametersRef": {"group": API, "kind": "GKENetworkParamSet", "name": interface.name},
            },
            opts=ResourceOptions(parent=self.parent, depends_on=[parameters]),
        )
