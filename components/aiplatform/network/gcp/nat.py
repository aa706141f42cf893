"""Cloud NAT: addresses and ports for connections of nodes and Pods to the internet."""

from math import ceil
from typing import Final

import pulumi
from pulumi_gcp import compute

from aiplatform.network.gcp.context import VpcContext
from aiplatform.network.gcp.planning import needed_nodes

_PORTS_OF_ADDRESS: Final = 64_512
"""Of one address of Cloud NAT ("IP addresses and ports")."""
_LEAST_PORTS, _MOST_PORTS = 256, 32_768
"""Of one node at a time. Powers of two, which dynamic port allocation requires."""


def cloud_nat(
    context: VpcContext, network: compute.Network, nodes: compute.Subnetwork
) -> tuple[list[compute.Address], list[pulumi.Resource]]:
    """Create Cloud NAT; return its addresses, and the resources that must exist before it works.

    There are enough addresses for each node to have twice its minimum of ports.
    """
    settings = context.settings
    if settings.nat == "none":
        return [], []
    most = needed_nodes(settings.pods, settings.gcp.nodes, settings.gcp.pods_per_node)
    addresses = [
        compute.Address(
            f"{context.name}-nat-{index}",
            project=context.project,
            region=context.region,
            name=context.physical_name(f"nat-{index}"),
            address_type="EXTERNAL",
            labels=settings.tags or None,
            opts=context.options(network, delete_before_replace=True),
        )
        for index in range(ceil(most * 2 * _LEAST_PORTS / _PORTS_OF_ADDRESS))
    ]
    router = compute.Router(
        f"{context.name}-router",
        project=context.project,
        region=context.region,
        name=context.physical_name("router"),
        network=network.id,
        opts=context.options(delete_before_replace=True),
    )
    nat = compute.RouterNat(
        f"{context.name}-nat",
        project=context.project,
        region=context.region,
        name=context.physical_name("nat"),
        router=router.name,
        nat_ip_allocate_option="MANUAL_ONLY",
        nat_ips=[address.self_link for address in addresses],
        source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
        subnetworks=[
            compute.RouterNatSubnetworkArgs(name=nodes.id, source_ip_ranges_to_nats=["ALL_IP_RANGES"])
        ],
        enable_dynamic_port_allocation=True,
        # Not possible together with dynamic ports.
        enable_endpoint_independent_mapping=False,
        min_ports_per_vm=_LEAST_PORTS,
        max_ports_per_vm=_MOST_PORTS,
        log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
        opts=context.options(delete_before_replace=True),
    )
    return addresses, [nat]
