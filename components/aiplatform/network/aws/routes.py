"""Route tables of a VPC, its internet gateway, and NAT."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from aiplatform.network.aws.context import VpcContext
from aiplatform.network.aws.subnets import Zone

_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Routes:
    """The route tables of all subnets, and the addresses of the NAT gateways."""

    tables: Sequence[ec2.RouteTable]
    nat_addresses: Sequence[ec2.Eip]
    needed_by_private_subnets: Sequence[pulumi.Resource]
    """Associations and routes by which the private subnets reach the internet."""


def create_routes(context: VpcContext, network: ec2.Vpc, zones: Sequence[Zone]) -> Routes:
    """Create route tables, internet gateway and NAT.

    Each zone has a private table in every NAT mode, so that a change of mode only changes a route.
    """
    gateway = ec2.InternetGateway(
        f"{context.name}-internet-gateway",
        vpc_id=network.id,
        tags=context.tags("internet-gateway"),
        opts=context.options(),
    )
    public = _table(context, network, "public")
    public_associations = [_association(context, "public", zone.id, zone.public, public) for zone in zones]
    internet = ec2.Route(
        f"{context.name}-public-internet",
        route_table_id=public.id,
        destination_cidr_block=_ANYWHERE,
        gateway_id=gateway.id,
        opts=context.options(),
    )
    private = [_table(context, network, f"private-{zone.id}") for zone in zones]
    private_associations = [
        _association(context, "private", zone.id, zone.private, table)
        for zone, table in zip(zones, private, strict=True)
    ]
    intra = _table(context, network, "intra")
    for zone in zones:
        _association(context, "intra", zone.id, zone.intra, intra)
    addresses, nat_routes = _nat(context, zones, private, gateway)
    needed: list[pulumi.Resource] = [*private_associations, *nat_routes]
    if context.settings.nat != "none":
        needed += [internet, *public_associations]
    return Routes([public, *private, intra], addresses, needed)


def _table(context: VpcContext, network: ec2.Vpc, purpose: str) -> ec2.RouteTable:
    return ec2.RouteTable(
        f"{context.name}-{purpose}", vpc_id=network.id, tags=context.tags(purpose), opts=context.options()
    )


def _association(
    context: VpcContext, tier: str, zone_id: str, subnet: ec2.Subnet, table: ec2.RouteTable
) -> pulumi.Resource:
    return ec2.RouteTableAssociation(
        f"{context.name}-{tier}-{zone_id}",
        route_table_id=table.id,
        subnet_id=subnet.id,
        opts=context.options(),
    )


def _nat(
    context: VpcContext,
    zones: Sequence[Zone],
    tables: Sequence[ec2.RouteTable],
    gateway: ec2.InternetGateway,
) -> tuple[list[ec2.Eip], list[pulumi.Resource]]:
    """Create NAT gateways; return their addresses, and the routes to them."""
    count = {"none": 0, "single": 1, "per_zone": len(zones)}[context.settings.nat]
    addresses: list[ec2.Eip] = []
    gateways: list[ec2.NatGateway] = []
    for zone in zones[:count]:
        # Both need the internet gateway to be attached, which no property expresses.
        address = ec2.Eip(
            f"{context.name}-nat-{zone.id}",
            domain="vpc",
            tags=context.tags(f"nat-{zone.id}"),
            opts=context.options(gateway),
        )
        nat = ec2.NatGateway(
            f"{context.name}-nat-{zone.id}",
            allocation_id=address.id,
            subnet_id=zone.public.id,
            tags=context.tags(f"nat-{zone.id}"),
            # A second gateway cannot have the address while the first has it. The address stays, which others
            # may have in allow lists, at the cost of a short time without internet access.
            opts=context.options(gateway, delete_before_replace=True),
        )
        addresses.append(address)
        gateways.append(nat)
    routes: list[pulumi.Resource] = [
        ec2.Route(
            f"{context.name}-private-{zone.id}-internet",
            route_table_id=table.id,
            destination_cidr_block=_ANYWHERE,
            nat_gateway_id=gateways[index % count].id,
            opts=context.options(),
        )
        for index, (zone, table) in enumerate(zip(zones, tables, strict=True))
        if gateways
    ]
    return addresses, routes
