"""The network that everything else stands in."""

from typing import TypedDict

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
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
    """Its name: `us-west-2a` in this account, `europe-west4-a` on Google Cloud."""
    id: str
    """AWS: its id, `usw2-az1`, which names the same place in every account. Google Cloud: its name."""
    private_subnet_id: str
    """The subnet of nodes and pods; out through NAT and endpoints. The same for all zones on Google Cloud."""
    public_subnet_id: str | None
    """AWS: the subnet of load balancers and NAT gateways."""
    intra_subnet_id: str | None
    """AWS: the subnet of the control plane's and the endpoints' interfaces; no way out."""


class Network(ComponentResource):
    """A network over two or three zones of AWS or Google Cloud, planned from its range, with NAT, a private
    way to the cloud's own services, encrypted flow logs, and nothing open.

    AWS: private, public and intra subnets in each zone, gateway and interface endpoints, and a closed default
    security group. Google Cloud: a custom-mode VPC with regional subnets for nodes (and secondary ranges for
    pods and Services), the control plane and proxies, Private Google Access with private DNS zones, private
    services access, and a firewall policy that denies what it does not allow.
    """

    cloud: Output[str]
    """`aws` or `gcp`."""
    project: Output[str | None]
    """Google Cloud: the project's id."""
    region: Output[str | None]
    """Google Cloud: the region."""
    vpc_id: Output[str]
    """The VPC."""
    cidr: Output[str]
    """Its IPv4 range."""
    zones: Output[list[NetworkZone]]
    """Its zones and their subnets."""
    private_subnet_ids: Output[list[str]]
    """Subnets of nodes and pods, one a zone; on Google Cloud one for the region."""
    public_subnet_ids: Output[list[str]]
    """Subnets of load balancers, one a zone; none on Google Cloud."""
    intra_subnet_ids: Output[list[str]]
    """Subnets without a way out, one a zone; on Google Cloud the one of the control plane."""
    nat_public_ips: Output[list[str]]
    """The addresses that the network's nodes are seen by from outside; empty without NAT."""
    default_security_group_id: Output[str | None]
    """AWS: the default security group, which lets nothing pass."""
    pods_range: Output[str | None]
    """Google Cloud: the name of the secondary range of pods."""
    services_range: Output[str | None]
    """Google Cloud: the name of the secondary range of Kubernetes Services."""
    pods_cidr: Output[str | None]
    """Google Cloud: the addresses of pods."""
    services_cidr: Output[str | None]
    """Google Cloud: the addresses of Kubernetes Services."""
    pods_per_node: Output[int | None]
    """Google Cloud: the most pods of a node."""
    private_services: Output[str | None]
    """Google Cloud: the range of what Google runs in networks of its own, by its name."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(NetworkSettings, args, "NetworkArgs")
        super().__init__("aiplatform:index:Network", name, {}, opts)
        self.outputs: NetworkReferenceArgs = self._made(name, settings)
        for key in NetworkReferenceArgs.__annotations__:
            setattr(self, key, Output.from_input(self.outputs.get(key)))
        self.register_outputs(self.outputs)

    def _made(self, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.network.gcp.build import Builder

            return Builder(self, name, settings).build()
        from aiplatform.network.aws.build import Builder

        return Builder(self, name, settings).build().outputs(settings.cidr)
