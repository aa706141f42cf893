"""The network on Google Cloud: a custom-mode VPC with regional subnets.

The VPC is created without Google's default route to the internet, so that only the routes of this module
exist. Where no firewall rule matches, the last rules of the policy deny.
"""

from collections.abc import Sequence
from typing import cast

import pulumi
from pulumi import Output
from pulumi_gcp import compute, servicenetworking

from aiplatform._shared.dependencies import after
from aiplatform._shared.gcp.apis import Apis, enable_apis
from aiplatform._shared.gcp.names import first_zones
from aiplatform.network.args import NetworkReferenceArgs, NetworkSettings, NetworkZoneArgs
from aiplatform.network.gcp.context import VpcContext
from aiplatform.network.gcp.dns import google_zones, query_logs
from aiplatform.network.gcp.firewall import firewall
from aiplatform.network.gcp.logs import flow_logs
from aiplatform.network.gcp.nat import cloud_nat
from aiplatform.network.gcp.routes import create_routes
from aiplatform.network.gcp.subnets import Subnets, create_subnets

_JUMBO = 8896
"""The largest MTU of a VPC; traffic between accelerators is faster with it."""


def build(component: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
    """Create the network as children of the component; return its outputs."""
    context = VpcContext(component, name, settings)
    apis = enable_apis(component, name, context.project, _needed_apis(settings))
    network = _network(context, apis)
    subnets = create_subnets(context, network)
    addresses, nat = cloud_nat(context, network, subnets.nodes)
    policy = firewall(context, network)
    records = google_zones(context, network, apis["dns"])
    routes = create_routes(context, network, [*policy, *records], nat)
    outputs = _outputs(context, network, subnets, addresses, routes)
    if settings.gcp.private_services:
        outputs["private_services"] = _private_services(context, network, apis)
    if settings.flow_log_retention_days:
        flow_logs(context, apis)
        query_logs(context, network, apis["dns"])
    return outputs


def _needed_apis(settings: NetworkSettings) -> list[str]:
    apis = ["compute", "dns"]
    if settings.gcp.private_services:
        # A peering is requested by the project's number, which the provider reads from Resource Manager.
        apis += ["servicenetworking", "cloudresourcemanager"]
    if settings.flow_log_retention_days:
        apis += ["logging", "cloudkms"]
    return apis


def _network(context: VpcContext, apis: Apis) -> compute.Network:
    return compute.Network(
        f"{context.name}-vpc",
        project=context.project,
        name=context.physical_name("network"),
        description=f"Network of {context.settings.prefix}",
        auto_create_subnetworks=False,
        delete_default_routes_on_create=True,
        routing_mode="REGIONAL",
        mtu=_JUMBO,
        # GKE's own rules for its nodes are VPC firewall rules: they allow what a cluster needs, then the
        # policy decides about all else.
        network_firewall_policy_enforcement_order="AFTER_CLASSIC_FIREWALL",
        opts=context.options(apis["compute"], delete_before_replace=True),
    )


def _private_services(context: VpcContext, network: compute.Network, apis: Apis) -> Output[str]:
    """Create a range for services in networks of Google, and the peering to these. Return the name of the
    range, known once both exist."""
    planned = context.plan.private_services
    range_ = compute.GlobalAddress(
        f"{context.name}-private-services",
        project=context.project,
        name=context.physical_name("private-services"),
        description="Addresses for what Google runs: Cloud SQL, Filestore",
        purpose="VPC_PEERING",
        address_type="INTERNAL",
        address=str(planned.network_address),
        prefix_length=planned.prefixlen,
        network=network.id,
        labels=context.settings.tags or None,
        opts=context.options(delete_before_replace=True),
    )
    peering = servicenetworking.Connection(
        f"{context.name}-private-services",
        network=network.id,
        service="servicenetworking.googleapis.com",
        reserved_peering_ranges=[range_.name],
        # Google remembers the peering of a deleted network, and refuses another one to the next network with
        # its name.
        update_on_creation_fail=True,
        # A deleted database keeps its connection for days, and the network could not be deleted. Where data
        # is retained, a database may still use it: Google's refusal is right.
        deletion_policy=None if context.settings.retain_data else "REMOVE_PEERING",
        opts=context.options(
            apis["servicenetworking"], apis["cloudresourcemanager"], delete_before_replace=True
        ),
    )
    return after(range_.name, peering)


def _outputs(
    context: VpcContext,
    network: compute.Network,
    subnets: Subnets,
    addresses: Sequence[compute.Address],
    routes: Sequence[pulumi.Resource],
) -> NetworkReferenceArgs:
    settings = context.settings
    # Nodes need routes to images and to Google's APIs as long as they exist.
    private = after(subnets.nodes.id, *routes)
    names = settings.zone_ids or first_zones(context.region, settings.zones)
    zones: list[NetworkZoneArgs] = [
        {"name": zone, "id": zone, "private_subnet_id": private} for zone in names
    ]
    nat: Output[list[str]] = Output.all(*(address.address for address in addresses)).apply(
        lambda values: cast("list[str]", values)
    )
    return {
        "cloud": "gcp",
        "project": context.project,
        "region": context.region,
        "vpc_id": network.id,
        "cidr": settings.cidr,
        "private_subnet_ids": private.apply(lambda subnet: [subnet]),
        "public_subnet_ids": [],
        "intra_subnet_ids": subnets.control_plane.id.apply(lambda subnet: [subnet]),
        "nat_public_ips": nat,
        "pods_range": "pods",
        "services_range": "services",
        "pods_cidr": str(context.plan.pods),
        "services_cidr": str(context.plan.services),
        "pods_per_node": settings.gcp.pods_per_node,
        "zones": zones,
    }
