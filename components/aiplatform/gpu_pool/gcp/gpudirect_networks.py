"""The networks of GPUDirect: VPCs, subnets, and the Kubernetes objects that attach Pods to them.

Sources: "Maximize GPU network bandwidth in Standard mode clusters" (A3 High: four VPCs, A3 Mega: eight, MTU
8244) and "Maximize GPU network bandwidth with GPUDirect RDMA" (A3 Ultra, A4: a VPC for the host's second
card, and one with eight subnets by the zone's RoCE network profile).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container
from pulumi_kubernetes.apiextensions import CustomResource

from aiplatform._shared.context import Context
from aiplatform._shared.dependencies import dependencies_of
from aiplatform.accelerators.gcp import Fabric
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp.interfaces import Interface, interfaces
from aiplatform.gpu_pool.gcp.nodes import gpudirect_cidr

GPU_MTU: Final = 8244
"""Bytes; the packets of GPUDirect-TCPX and TCPXO."""
HOST_MTU: Final = 8896
"""Bytes; the maximum of a VPC."""
API: Final = "networking.gke.io"


@dataclass(frozen=True)
class Networks:
    """The networks as node pools need them.

    names: of the Kubernetes Networks. attached: additional networks of the node pools. ready: resources that
    must exist before a node does.
    """

    names: Sequence[str]
    attached: Sequence[container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs]
    ready: Sequence[pulumi.Resource]


def gpudirect_networks(context: Context[GpuPoolSettings], fabric: Fabric, zone: Input[str]) -> Networks:
    """Create the networks of a pool. zone: the zone of the pool's nodes."""
    pool = context.settings
    needed = interfaces(pool.name, fabric, gpudirect_cidr(pool))
    vpcs = [_vpc(context, index, needed, zone) for index in sorted({interface.vpc for interface in needed})]
    attached: list[container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs] = []
    ready: list[pulumi.Resource] = []
    for interface in needed:
        vpc = vpcs[interface.vpc]
        subnet = _subnet(context, interface, vpc)
        attached.append(
            container.NodePoolNetworkConfigAdditionalNodeNetworkConfigArgs(
                network=vpc.name, subnetwork=subnet.name
            )
        )
        ready.append(_kubernetes_network(context, interface, vpc, subnet))
    return Networks([interface.name for interface in needed], attached, ready)


def _logical_name(context: Context[GpuPoolSettings], interface: Interface) -> str:
    return context.name + interface.name.removeprefix(context.settings.name)


def _vpc(
    context: Context[GpuPoolSettings], index: int, needed: Sequence[Interface], zone: Input[str]
) -> compute.Network:
    pool = context.settings
    members = [interface for interface in needed if interface.vpc == index]
    rdma = members[0].mode == "RDMA"
    name = f"{context.name}-rdma" if rdma else _logical_name(context, members[0])
    more: dict[str, Any] = {}
    if rdma:
        # A VPC with this profile passes only RDMA between these interfaces.
        more["network_profile"] = Output.concat(
            "projects/", pool.cluster.project or "", "/global/networkProfiles/", zone, "-vpc-roce"
        )
    vpc = compute.Network(
        name,
        project=pool.cluster.project,
        description=f"GPUDirect between the nodes of {pool.prefix}-{pool.name}",
        auto_create_subnetworks=False,
        routing_mode="REGIONAL",
        # Also set for RDMA, as in Google's own examples: the default of a VPC is 1460.
        mtu=HOST_MTU if any(interface.mode == "RDMA" for interface in needed) else GPU_MTU,
        # No traffic leaves these networks.
        delete_default_routes_on_create=None if rdma else True,
        # In a new project the cluster's network enables the Compute Engine API.
        opts=ResourceOptions(parent=context.parent, depends_on=dependencies_of(pool.network.vpc_id)),
        **more,
    )
    if not rdma:
        _allow_internal_traffic(context, name, vpc)
    return vpc


def _allow_internal_traffic(context: Context[GpuPoolSettings], name: str, vpc: compute.Network) -> None:
    """A VPC denies all ingress by default; this rule allows it between the nodes of the pool."""
    compute.Firewall(
        f"{name}-inside",
        project=context.settings.cluster.project,
        network=vpc.name,
        direction="INGRESS",
        description="All from the nodes of this pool",
        source_ranges=[gpudirect_cidr(context.settings)],
        allows=[
            compute.FirewallAllowArgs(protocol="tcp"),
            compute.FirewallAllowArgs(protocol="udp"),
            compute.FirewallAllowArgs(protocol="icmp"),
        ],
        opts=context.options(),
    )


def _subnet(
    context: Context[GpuPoolSettings], interface: Interface, vpc: compute.Network
) -> compute.Subnetwork:
    return compute.Subnetwork(
        _logical_name(context, interface),
        project=context.settings.cluster.project,
        region=context.settings.cluster.region,
        network=vpc.id,
        ip_cidr_range=interface.cidr,
        opts=context.options(),
    )


def _kubernetes_network(
    context: Context[GpuPoolSettings],
    interface: Interface,
    vpc: compute.Network,
    subnet: compute.Subnetwork,
) -> CustomResource:
    name = _logical_name(context, interface)
    parameters = CustomResource(
        f"{name}-parameters",
        api_version=f"{API}/v1",
        kind="GKENetworkParamSet",
        metadata={"name": interface.name},
        spec={"vpc": vpc.name, "vpcSubnet": subnet.name, "deviceMode": interface.mode},
        opts=context.options(),
    )
    return CustomResource(
        f"{name}-network",
        api_version=f"{API}/v1",
        kind="Network",
        metadata={"name": interface.name},
        spec={
            "type": "Device",
            "parametersRef": {"group": API, "kind": "GKENetworkParamSet", "name": interface.name},
        },
        opts=context.options(parameters),
    )
