"""The network that everything else stands in."""

from typing import TypedDict

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._args import read
from aiplatform._order import after
from aiplatform.network.args import (
    NetworkArgs,
    NetworkReferenceArgs,
    NetworkSettings,
    NetworkZoneArgs,
)

__all__ = ["Network", "NetworkArgs", "NetworkReferenceArgs", "NetworkZone", "NetworkZoneArgs"]


class NetworkZone(TypedDict):
    """One zone of a network."""

    name: str
    """Its name in this account, `us-west-2a`."""
    id: str
    """Its id, `usw2-az1`, which names the same place in every account."""
    private_subnet_id: str
    """The subnet of nodes and pods; out through NAT and endpoints."""
    public_subnet_id: str
    """The subnet of load balancers and NAT gateways."""
    intra_subnet_id: str
    """The subnet of the control plane's and the endpoints' interfaces; no way out."""


class Network(ComponentResource):
    """A network over two or three zones, with private, public and intra subnets planned from its range, NAT,
    gateway endpoints, interface endpoints, encrypted flow logs, and a closed default security group."""

    vpc_id: Output[str]
    """The VPC."""
    cidr: Output[str]
    """Its IPv4 range."""
    zones: Output[list[NetworkZone]]
    """Its zones and their subnets."""
    private_subnet_ids: Output[list[str]]
    """Subnets of nodes and pods, one a zone."""
    public_subnet_ids: Output[list[str]]
    """Subnets of load balancers, one a zone."""
    intra_subnet_ids: Output[list[str]]
    """Subnets without a way out, one a zone."""
    nat_public_ips: Output[list[str]]
    """The addresses that the network's nodes are seen by from outside; empty without NAT."""
    default_security_group_id: Output[str]
    """The default security group, which lets nothing pass."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(NetworkSettings, args, "NetworkArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.network import aws

        super().__init__("aiplatform:index:Network", name, {}, opts)
        built = aws.Builder(self, name, settings).build()
        zones: list[NetworkZoneArgs] = [
            {
                "name": zone.name,
                "id": zone.id,
                "private_subnet_id": after(zone.private.id, *built.ways),
                "public_subnet_id": zone.public.id,
                "intra_subnet_id": zone.intra.id,
            }
            for zone in built.zones
        ]
        self.outputs: NetworkReferenceArgs = {
            "vpc_id": built.vpc.id,
            "cidr": settings.cidr,
            # Nodes need a way to images and to AWS from their first minute to their last.
            "private_subnet_ids": after(aws.ids([zone.private for zone in built.zones]), *built.ways),
            "public_subnet_ids": aws.ids([zone.public for zone in built.zones]),
            "intra_subnet_ids": aws.ids([zone.intra for zone in built.zones]),
            "nat_public_ips": Output.all(*(address.public_ip for address in built.addresses)),
            "default_security_group_id": built.default_security_group.id,
            "zones": zones,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
