"""The network on Google Cloud: a custom-mode VPC with regional subnets.

The VPC starts without a route: Google's default route to the internet is left out, so that only the routes of
this module exist. Where no firewall rule matches, the last rules of the policy deny.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from math import ceil
from typing import Final, cast

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import compute, servicenetworking

from aiplatform._shared.dependencies import after
from aiplatform._shared.gcp.apis import Apis, enable_apis
from aiplatform._shared.gcp.names import first_zones
from aiplatform.network.args import NetworkReferenceArgs, NetworkSettings, NetworkZoneArgs
from aiplatform.network.gcp.dns import google_zones, query_logs
from aiplatform.network.gcp.firewall import firewall
from aiplatform.network.gcp.google_apis import DIRECT, VIRTUAL
from aiplatform.network.gcp.logs import flow_logs
from aiplatform.network.gcp.planning import Plan, needed, plan

_ANYWHERE: Final = "0.0.0.0/0"
_GATEWAY: Final = "default-internet-gateway"
_PORTS_OF_ADDRESS: Final = 64_512
"""Of one address of Cloud NAT ("IP addresses and ports")."""
_LEAST_PORTS, _MOST_PORTS = 256, 32_768
"""Of one node at a time. Powers of two, as dynamic port allocation asks."""
_JUMBO: Final = 8896
"""The largest MTU of a VPC; traffic between accelerators is faster with it."""


def build(component: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
    """Create the network as children of the component; return its outputs."""
    return _Builder(component, name, settings).build()


@dataclass(frozen=True)
class Subnets:
    """The subnets of the network."""

    nodes: compute.Subnetwork
    control_plane: compute.Subnetwork


class _Builder:
    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.project = settings.gcp.project or ""
        self.region = settings.gcp.region or ""
        self.plan = plan(IPv4Network(settings.cidr))

    def build(self) -> NetworkReferenceArgs:
        """Create all resources; return the outputs of the network."""
        apis = enable_apis(self.parent, self.name, self.project, self._needed_apis())
        network = self._network(apis)
        subnets = self._subnets(network)
        addresses, nat = self._nat(network, subnets.nodes)
        policy = firewall(self.parent, self.name, self.settings, self.plan, network)
        names = google_zones(self.parent, self.name, self.settings, network, apis["dns"])
        ways = self._routes(network, [*policy, *names], nat)
        outputs = self._outputs(network, subnets, addresses, ways)
        if self.settings.gcp.private_services:
            outputs["private_services"] = self._private_services(network, apis)
        if self.settings.flow_log_retention_days:
            flow_logs(self.parent, self.name, self.settings, apis)
            query_logs(self.parent, self.name, self.settings, network, apis["dns"])
        return outputs

    def _needed_apis(self) -> list[str]:
        apis = ["compute", "dns"]
        if self.settings.gcp.private_services:
            # A peering is asked for by the project's number, for which the provider asks Resource Manager.
            apis += ["servicenetworking", "cloudresourcemanager"]
        if self.settings.flow_log_retention_days:
            apis += ["logging", "cloudkms"]
        return apis

    def _options(self, *depends_on: pulumi.Resource, delete_first: bool = False) -> ResourceOptions:
        """delete_first: what is replaced has a name that may be there only once."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            delete_before_replace=delete_first or None,
        )

    def _named(self, purpose: str) -> str:
        return f"{self.settings.prefix}-{purpose}"

    def _network(self, apis: Apis) -> compute.Network:
        return compute.Network(
            f"{self.name}-vpc",
            project=self.project,
            name=self._named("network"),
            description=f"Network of {self.settings.prefix}",
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode="REGIONAL",
            mtu=_JUMBO,
            # GKE's own rules for its nodes are VPC firewall rules: they allow what a cluster needs, then the
            # policy decides about all else.
            network_firewall_policy_enforcement_order="AFTER_CLASSIC_FIREWALL",
            opts=self._options(apis["compute"], delete_first=True),
        )

    def _subnets(self, network: compute.Network) -> Subnets:
        parts: Plan = self.plan
        nodes = self._subnet(
            network,
            "nodes",
            parts.nodes,
            private_ip_google_access=True,
            secondary_ip_ranges=[
                compute.SubnetworkSecondaryIpRangeArgs(range_name="pods", ip_cidr_range=str(parts.pods)),
                compute.SubnetworkSecondaryIpRangeArgs(
                    range_name="services", ip_cidr_range=str(parts.services)
                ),
            ],
            log_config=self._log_config(),
        )
        control_plane = self._subnet(
            network,
            "control-plane",
            parts.control_plane,
            private_ip_google_access=True,
            log_config=self._log_config(),
        )
        # Where the region's load balancers (Gateway API) have their proxies; it may have no flow logs.
        self._subnet(network, "proxies", parts.proxies, purpose="REGIONAL_MANAGED_PROXY", role="ACTIVE")
        return Subnets(nodes, control_plane)

    def _subnet(
        self, network: compute.Network, purpose_name: str, cidr: IPv4Network, **more: object
    ) -> compute.Subnetwork:
        return compute.Subnetwork(
            f"{self.name}-{purpose_name}",
            compute.SubnetworkArgs(
                project=self.project,
                region=self.region,
                network=network.id,
                name=self._named(purpose_name),
                ip_cidr_range=str(cidr),
                **more,  # type: ignore[arg-type]
            ),
            opts=self._options(delete_first=True),
        )

    def _log_config(self) -> compute.SubnetworkLogConfigArgs | None:
        if not self.settings.flow_log_retention_days:
            return None
        # All of it, as on AWS, in the same steps: shorter ones of a training's traffic are dear.
        return compute.SubnetworkLogConfigArgs(
            aggregation_interval="INTERVAL_10_MIN", flow_sampling=1.0, metadata="INCLUDE_ALL_METADATA"
        )

    def _routes(
        self,
        network: compute.Network,
        inside: Sequence[pulumi.Resource],
        nat: Sequence[pulumi.Resource],
    ) -> list[pulumi.Resource]:
        """To Google's APIs always, to the internet where there is NAT. Both leave by the internet gateway,
        and traffic to Google's APIs never leaves Google's network.

        Nodes wait for the routes, which wait for all else: `inside`, that Google's names lead inside and may
        be reached, and `nat`. The nodes themselves wait for nothing of that: what is deleted before it is
        replaced takes along all whose properties come from it, so it would take the cluster. Routes are not,
        as their names are made up, and what a route merely waits for does not take the route along.
        """
        apis = VIRTUAL[self.settings.gcp.google_apis].cidr
        ranges = {"google-apis": (apis, inside), "google-apis-direct": (DIRECT, inside)}
        if self.settings.nat != "none":
            ranges["internet"] = (_ANYWHERE, nat)
        return [
            compute.Route(
                f"{self.name}-{purpose}",
                project=self.project,
                description=f"{purpose} of {self.settings.prefix}",
                network=network.id,
                dest_range=range_,
                next_hop_gateway=_GATEWAY,
                priority=1000,
                opts=self._options(*before),
            )
            for purpose, (range_, before) in ranges.items()
        ]

    def _nat(
        self, network: compute.Network, nodes: compute.Subnetwork
    ) -> tuple[list[compute.Address], list[pulumi.Resource]]:
        """Create Cloud NAT for nodes and pods; return its addresses, and what exists once it works.

        So many addresses that each node can have twice the ports that it always has.
        """
        if self.settings.nat == "none":
            return [], []
        most = needed(self.settings.pods, self.settings.gcp.nodes, self.settings.gcp.pods_per_node)
        addresses = [
            compute.Address(
                f"{self.name}-nat-{index}",
                project=self.project,
                region=self.region,
                name=self._named(f"nat-{index}"),
                address_type="EXTERNAL",
                labels=self.settings.tags or None,
                opts=self._options(network, delete_first=True),
            )
            for index in range(ceil(most * 2 * _LEAST_PORTS / _PORTS_OF_ADDRESS))
        ]
        router = compute.Router(
            f"{self.name}-router",
            project=self.project,
            region=self.region,
            name=self._named("router"),
            network=network.id,
            opts=self._options(delete_first=True),
        )
        nat = compute.RouterNat(
            f"{self.name}-nat",
            project=self.project,
            region=self.region,
            name=self._named("nat"),
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link for address in addresses],
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                compute.RouterNatSubnetworkArgs(name=nodes.id, source_ip_ranges_to_nats=["ALL_IP_RANGES"])
            ],
            enable_dynamic_port_allocation=True,
            # Cannot be had together with dynamic ports.
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=_LEAST_PORTS,
            max_ports_per_vm=_MOST_PORTS,
            log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=self._options(delete_first=True),
        )
        return addresses, [nat]

    def _private_services(self, network: compute.Network, apis: Apis) -> Output[str]:
        """Create a range for services in networks of Google, and the peering to these. Return the name of the
        range, known once both exist."""
        range_ = compute.GlobalAddress(
            f"{self.name}-private-services",
            project=self.project,
            name=self._named("private-services"),
            description="Addresses for what Google runs: Cloud SQL, Filestore",
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(self.plan.private_services.network_address),
            prefix_length=self.plan.private_services.prefixlen,
            network=network.id,
            labels=self.settings.tags or None,
            opts=self._options(delete_first=True),
        )
        peering = servicenetworking.Connection(
            f"{self.name}-private-services",
            network=network.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[range_.name],
            # Google remembers the peering of a network that is gone, and refuses another to the next one of
            # its name.
            update_on_creation_fail=True,
            # A database that is deleted holds its connection for days, and the network could not go. Where
            # data is retained, a database may still use it: Google's refusal is right.
            deletion_policy=None if self.settings.retain_data else "REMOVE_PEERING",
            opts=self._options(apis["servicenetworking"], apis["cloudresourcemanager"], delete_first=True),
        )
        return after(range_.name, peering)

    def _outputs(
        self,
        network: compute.Network,
        subnets: Subnets,
        addresses: list[compute.Address],
        ways: list[pulumi.Resource],
    ) -> NetworkReferenceArgs:
        # Nodes need a way to images and to Google from their first minute to their last.
        private = after(subnets.nodes.id, *ways)
        names = self.settings.zone_ids or first_zones(self.region, self.settings.zones)
        zones: list[NetworkZoneArgs] = [
            {"name": zone, "id": zone, "private_subnet_id": private} for zone in names
        ]
        nat: Output[list[str]] = Output.all(*(address.address for address in addresses)).apply(
            lambda values: cast("list[str]", values)
        )
        return {
            "cloud": "gcp",
            "project": self.project,
            "region": self.region,
            "vpc_id": network.id,
            "cidr": self.settings.cidr,
            "private_subnet_ids": private.apply(lambda one: [one]),
            "public_subnet_ids": [],
            "intra_subnet_ids": subnets.control_plane.id.apply(lambda one: [one]),
            "nat_public_ips": nat,
            "pods_range": "pods",
            "services_range": "services",
            "pods_cidr": str(self.plan.pods),
            "services_cidr": str(self.plan.services),
            "pods_per_node": self.settings.gcp.pods_per_node,
            "zones": zones,
        }
