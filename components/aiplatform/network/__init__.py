"""The network of an environment."""

from typing import TypedDict

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform.network.args import NetworkSettings
from aiplatform.network.inputs import (
    AwsNetworkArgs,
    GcpNetworkArgs,
    NetworkArgs,
    NetworkReferenceArgs,
    NetworkZoneArgs,
)

__all__ = [
    "AwsNetworkArgs",
    "GcpNetworkArgs",
    "Network",
    "NetworkArgs",
    "NetworkReferenceArgs",
    "NetworkZone",
    "NetworkZoneArgs",
]


class NetworkZone(TypedDict):
    """One zone of a network."""

    name: str
    """Its name: `us-west-2a` in this account, `europe-west4-a` on Google Cloud."""
    id: str
    """AWS: its id, `usw2-az1`, which names the same place in every account. Google Cloud: its name."""
    private_subnet_id: str
    """The subnet of nodes and pods, with routes to NAT and endpoints; on Google Cloud one for all zones."""
    public_subnet_id: str | None
    """AWS: the subnet of load balancers and NAT gateways."""
    intra_subnet_id: str | None
    """AWS: the subnet of the interfaces of control plane and endpoints, without a route to NAT."""


class Network(ComponentResource):
    """A network over two or three zones of AWS or Google Cloud, planned from its range, with NAT, private
    access to services of the cloud, encrypted flow logs, and no open port.

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
    """Subnets without a route to NAT, one a zone; on Google Cloud the one of the control plane."""
    nat_public_ips: Output[list[str]]
    """Public addresses of outgoing traffic of the nodes; empty without NAT."""
    default_security_group_id: Output[str | None]
    """AWS: the default security group, which allows nothing."""
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
    """Google Cloud: the name of the range for services that Google runs in its own networks."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(NetworkSettings, args, "NetworkArgs")
        super().__init__("aiplatform:index:Network", name, {}, opts)
        self.outputs: NetworkReferenceArgs = self._build(name, settings)
        publish(self, self.outputs)

    def _build(self, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.network.gcp.build import build

            return build(self, name, settings)
        from aiplatform.network.aws.build import build

        return build(self, name, settings)
