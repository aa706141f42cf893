"""The network on AWS: a VPC.

Not managed, on purpose: the default network ACL (it allows all traffic; security groups decide, and every
subnet here uses it) and the main route table (it has only local routes; no subnet here uses it). The default
security group is adopted and emptied.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions
from pulumi_aws import ec2, vpc

from aiplatform._shared.args import ArgumentError, Problem, got, nearest
from aiplatform._shared.aws.account import account_of
from aiplatform._shared.dependencies import after
from aiplatform._shared.outputs import Tags, merged
from aiplatform.network.args import (
    ENDPOINTS,
    NOT_FOR_EKS,
    NetworkReferenceArgs,
    NetworkSettings,
    NetworkZoneArgs,
)
from aiplatform.network.aws import endpoint_policies
from aiplatform.network.aws.flow_logs import flow_logs
from aiplatform.network.aws.planning import ZonePlan, plan

_ANYWHERE = "0.0.0.0/0"


def build(component: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
    """Create the network as children of the component; return its outputs. Raises ArgumentError, with nothing
    created, for zones and endpoints that the region does not have."""
    return _Builder(component, name, settings).build().outputs(settings.cidr)


@dataclass(frozen=True)
class Zone:
    """A zone and its subnets."""

    name: str
    id: str
    private: ec2.Subnet
    public: ec2.Subnet
    intra: ec2.Subnet


@dataclass(frozen=True)
class Built:
    """The resources that the outputs of the component refer to.

    ways: routes and endpoints by which the private subnets reach AWS and the internet.
    """

    vpc: ec2.Vpc
    zones: list[Zone]
    ways: list[pulumi.Resource]
    addresses: list[ec2.Eip]
    default_security_group: ec2.DefaultSecurityGroup

    def outputs(self, cidr: str) -> NetworkReferenceArgs:
        """Return the outputs of the component. Nodes have to reach images and AWS as long as they exist, so
        resources in a private subnet depend on the ways."""
        zones: list[NetworkZoneArgs] = [
            {
                "name": zone.name,
                "id": zone.id,
                "private_subnet_id": after(zone.private.id, *self.ways),
                "public_subnet_id": zone.public.id,
                "intra_subnet_id": zone.intra.id,
            }
            for zone in self.zones
        ]
        return {
            "cloud": "aws",
            "vpc_id": self.vpc.id,
            "cidr": cidr,
            "private_subnet_ids": after(ids([zone.private for zone in self.zones]), *self.ways),
            "public_subnet_ids": ids([zone.public for zone in self.zones]),
            "intra_subnet_ids": ids([zone.intra for zone in self.zones]),
            "nat_public_ips": Output.all(*(address.public_ip for address in self.addresses)),
            "default_security_group_id": self.default_security_group.id,
            "zones": zones,
        }


class _Builder:
    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings
        self.account = account_of(parent)
        self._ways: list[pulumi.Resource] = []

    def build(self) -> Built:
        """Create all resources. The zones are read first: a zone that does not exist is refused before
        anything is created."""
        refuse_endpoints(self.settings, self.account.region)
        names = find_zones(self.settings, pulumi.InvokeOptions(parent=self.parent))
        network = ec2.Vpc(
            f"{self.name}-vpc",
            cidr_block=self.settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags("vpc"),
            opts=self._options(),
        )
        default = ec2.DefaultSecurityGroup(
            f"{self.name}-default-security-group",
            vpc_id=network.id,
            tags=self._tags("default-closed"),
            opts=self._options(),
        )
        plans = plan(IPv4Network(self.settings.cidr), len(names))
        zones = [
            self._zone(network, zone_id, zone, subnets)
            for (zone_id, zone), subnets in zip(names.items(), plans, strict=True)
        ]
        addresses = self._routes(network, zones)
        self._interface_endpoints(network, zones)
        if self.settings.flow_log_retention_days:
            flow_logs(self.parent, self.name, self.settings, self.account, network)
        return Built(network, zones, self._ways, addresses, default)

    def _options(
        self, *depends_on: pulumi.Resource, delete_before_replace: bool | None = None
    ) -> ResourceOptions:
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            delete_before_replace=delete_before_replace,
        )

    def _tags(self, purpose: str, **more: str) -> Tags:
        return merged(self.settings.tags, {"Name": f"{self.settings.prefix}-{purpose}", **more})

    def _zone(self, network: ec2.Vpc, zone_id: str, zone: str, subnets: ZonePlan) -> Zone:
        def subnet(tier: str, cidr: IPv4Network, **tags: str) -> ec2.Subnet:
            return ec2.Subnet(
                f"{self.name}-{tier}-{zone_id}",
                vpc_id=network.id,
                availability_zone_id=zone_id,
                cidr_block=str(cidr),
                # Load balancers and NAT gateways have their own addresses; nothing else is public.
                map_public_ip_on_launch=False,
                tags=self._tags(
                    f"{tier}-{zone_id}",
                    **{"ai-platform/network": self.settings.prefix, "ai-platform/tier": tier, **tags},
                ),
                opts=self._options(),
            )

        # By these roles the AWS Load Balancer Controller and EKS select subnets of load balancers.
        return Zone(
            name=zone,
            id=zone_id,
            private=subnet("private", subnets.private, **{"kubernetes.io/role/internal-elb": "1"}),
            public=subnet("public", subnets.public, **{"kubernetes.io/role/elb": "1"}),
            intra=subnet("intra", subnets.intra),
        )

    def _routes(self, network: ec2.Vpc, zones: list[Zone]) -> list[ec2.Eip]:
        """Create route tables, NAT and the gateway endpoints; return the addresses of the NAT gateways.

        Each zone has a private table in every NAT mode, so that a change of mode only changes a route.
        """
        gateway = ec2.InternetGateway(
            f"{self.name}-internet-gateway",
            vpc_id=network.id,
            tags=self._tags("internet-gateway"),
            opts=self._options(),
        )
        public = self._table(network, "public", [(zone.id, zone.public) for zone in zones])
        internet = ec2.Route(
            f"{self.name}-public-internet",
            route_table_id=public.id,
            destination_cidr_block=_ANYWHERE,
            gateway_id=gateway.id,
            opts=self._options(),
        )
        if self.settings.nat != "none":
            self._ways.append(internet)
        private = [self._table(network, f"private-{zone.id}", [(zone.id, zone.private)]) for zone in zones]
        intra = self._table(network, "intra", [(zone.id, zone.intra) for zone in zones])
        addresses = self._nat(zones, private, gateway)
        policies = {
            "s3": endpoint_policies.s3(self.account, self.settings.aws.readable_buckets),
            "dynamodb": endpoint_policies.dynamodb(self.account),
        }
        for service, policy in policies.items():
            endpoint = ec2.VpcEndpoint(
                f"{self.name}-endpoint-{service}",
                vpc_id=network.id,
                service_name=f"com.amazonaws.{self.account.region}.{service}",
                vpc_endpoint_type="Gateway",
                policy=policy,
                route_table_ids=[table.id for table in (public, *private, intra)],
                tags=self._tags(service),
                opts=self._options(),
            )
            self._ways.append(endpoint)
        return addresses

    def _table(self, network: ec2.Vpc, purpose: str, subnets: list[tuple[str, ec2.Subnet]]) -> ec2.RouteTable:
        table = ec2.RouteTable(
            f"{self.name}-{purpose}", vpc_id=network.id, tags=self._tags(purpose), opts=self._options()
        )
        tier = purpose.split("-", maxsplit=1)[0]
        for zone_id, subnet in subnets:
            association = ec2.RouteTableAssociation(
                f"{self.name}-{tier}-{zone_id}",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self._options(),
            )
            if tier == "private" or (tier == "public" and self.settings.nat != "none"):
                self._ways.append(association)
        return table

    def _nat(
        self, zones: list[Zone], tables: list[ec2.RouteTable], gateway: ec2.InternetGateway
    ) -> list[ec2.Eip]:
        count = {"none": 0, "single": 1, "per_zone": len(zones)}[self.settings.nat]
        addresses: list[ec2.Eip] = []
        gateways: list[ec2.NatGateway] = []
        for zone in zones[:count]:
            # Both need the internet gateway to be attached, which no property expresses.
            address = ec2.Eip(
                f"{self.name}-nat-{zone.id}",
                domain="vpc",
                tags=self._tags(f"nat-{zone.id}"),
                opts=self._options(gateway),
            )
            nat = ec2.NatGateway(
                f"{self.name}-nat-{zone.id}",
                allocation_id=address.id,
                subnet_id=zone.public.id,
                tags=self._tags(f"nat-{zone.id}"),
                # A second gateway cannot have the address while the first has it. The address stays, which
                # others may have in allow lists, at the cost of a short time without internet access.
                opts=self._options(gateway, delete_before_replace=True),
            )
            addresses.append(address)
            gateways.append(nat)
        for index, (zone, table) in enumerate(zip(zones, tables, strict=True)):
            if gateways:
                route = ec2.Route(
                    f"{self.name}-private-{zone.id}-internet",
                    route_table_id=table.id,
                    destination_cidr_block=_ANYWHERE,
                    nat_gateway_id=gateways[index % len(gateways)].id,
                    opts=self._options(),
                )
                self._ways.append(route)
        return addresses

    def _interface_endpoints(self, network: ec2.Vpc, zones: list[Zone]) -> None:
        if not self.settings.aws.endpoints:
            return
        group = ec2.SecurityGroup(
            f"{self.name}-endpoints",
            name_prefix=ENDPOINTS.of(self.settings.prefix),
            description="HTTPS from the VPC to AWS services",
            vpc_id=network.id,
            tags=self._tags("endpoints"),
            opts=self._options(),
        )
        rule = vpc.SecurityGroupIngressRule(
            f"{self.name}-endpoints-https",
            security_group_id=group.id,
            description="HTTPS from the VPC",
            cidr_ipv4=self.settings.cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self._tags("endpoints-https"),
            opts=self._options(),
        )
        self._ways.append(rule)
        for service in self.settings.aws.endpoints:
            endpoint = ec2.VpcEndpoint(
                f"{self.name}-endpoint-{service}",
                vpc_id=network.id,
                service_name=f"com.amazonaws.{self.account.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                policy=endpoint_policies.interface(self.account, service),
                # They need no NAT, and leave the addresses of the private subnets to pods.
                subnet_ids=[zone.intra.id for zone in zones],
                security_group_ids=[group.id],
                tags=self._tags(service),
                opts=self._options(),
            )
            self._ways.append(endpoint)


def refuse_endpoints(settings: NetworkSettings, region: str) -> None:
    """Raise ArgumentError for interface endpoints in China: there the names of some services begin with
    `cn.com.amazonaws`, those of others with `com.amazonaws` (aws/aws-cdk, issue 11140)."""
    if settings.aws.endpoints and region.startswith("cn-"):
        reason = (
            f"{got(settings.aws.endpoints)}; expected none in {region}: services there have names that this "
            "component does not know; with a NAT gateway nodes reach them without endpoints"
        )
        raise ArgumentError([Problem("NetworkArgs.aws.endpoints", reason)])


def find_zones(settings: NetworkSettings, options: pulumi.InvokeOptions) -> dict[str, str]:
    """Return the name of each zone id, in the order of the plan, as EC2 reports them.

    Local and wavelength zones are left out: they have neither NAT gateways nor a control plane. Raises
    ArgumentError where the region does not have the requested zones.
    """
    answer = aws.get_availability_zones(
        state="available",
        exclude_zone_ids=sorted(NOT_FOR_EKS),
        filters=[
            aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"]),
            aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"]),
        ],
        opts=options,
    )
    known = dict(sorted(zip(answer.zone_ids, answer.names, strict=True)))
    requested = settings.zone_ids
    if requested is None:
        requested = list(known)[: settings.zones]
        if len(requested) < settings.zones:
            zones = ", ".join(known) or "none"
            reason = f"got {settings.zones}; expected at most the zones of the region: {zones}"
            raise ArgumentError([Problem("NetworkArgs.zone_count", reason)])
    problems = [
        Problem(
            f"NetworkArgs.zone_ids[{index}]",
            f"{got(zone)}; expected one of {', '.join(known)}, the zones of "
            f"{answer.region}{nearest(zone, known)}",
        )
        for index, zone in enumerate(requested)
        if zone not in known
    ]
    if problems:
        raise ArgumentError(problems)
    return {zone: known[zone] for zone in requested}


def ids(subnets: list[ec2.Subnet]) -> Output[list[str]]:
    """Return the ids of the subnets as one output."""
    return Output.all(*(subnet.id for subnet in subnets)).apply(
        lambda values: [str(value) for value in values]
    )
