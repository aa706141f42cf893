"""The network on AWS: a VPC.

Not managed, on purpose: the default network ACL (it allows all traffic; security groups decide, and every
subnet here uses it) and the main route table (it has only local routes; no subnet here uses it). The default
security group is adopted and emptied.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

import pulumi
from pulumi import Output
from pulumi_aws import ec2, vpc

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.dependencies import after
from aiplatform.network.args import ENDPOINTS, NetworkReferenceArgs, NetworkSettings, NetworkZoneArgs
from aiplatform.network.aws import endpoint_policies
from aiplatform.network.aws.context import VpcContext
from aiplatform.network.aws.flow_logs import flow_logs
from aiplatform.network.aws.offerings import find_zones, refuse_endpoints
from aiplatform.network.aws.planning import plan
from aiplatform.network.aws.routes import Routes, create_routes
from aiplatform.network.aws.subnets import Zone, create_zone


def build(component: pulumi.ComponentResource, name: str, settings: NetworkSettings) -> NetworkReferenceArgs:
    """Create the network as children of the component; return its outputs. Raises ArgumentError, with nothing
    created, for zones and endpoints that the region does not have."""
    context = VpcContext(component, name, settings, account_of(component))
    refuse_endpoints(settings, context.account.region)
    names = find_zones(settings, context.invoke_options)
    network = ec2.Vpc(
        f"{name}-vpc",
        cidr_block=settings.cidr,
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags=context.tags("vpc"),
        opts=context.options(),
    )
    default = ec2.DefaultSecurityGroup(
        f"{name}-default-security-group",
        vpc_id=network.id,
        tags=context.tags("default-closed"),
        opts=context.options(),
    )
    zones = _zones(context, network, names)
    routes = create_routes(context, network, zones)
    endpoints = [
        *_gateway_endpoints(context, network, routes.tables),
        *_interface_endpoints(context, network, zones),
    ]
    if settings.flow_log_retention_days:
        flow_logs(context, network)
    return _outputs(context, network, default, zones, routes, endpoints)


def _zones(context: VpcContext, network: ec2.Vpc, names: Mapping[str, str]) -> list[Zone]:
    """Create the subnets of the zones. names: zone id -> the name of the zone."""
    plans = plan(IPv4Network(context.settings.cidr), len(names))
    return [
        create_zone(context, network, zone_id, name, subnets)
        for (zone_id, name), subnets in zip(names.items(), plans, strict=True)
    ]


def _gateway_endpoints(
    context: VpcContext, network: ec2.Vpc, tables: Sequence[ec2.RouteTable]
) -> list[pulumi.Resource]:
    policies = {
        "s3": endpoint_policies.s3(context.account, context.settings.aws.readable_buckets),
        "dynamodb": endpoint_policies.dynamodb(context.account),
    }
    return [
        ec2.VpcEndpoint(
            f"{context.name}-endpoint-{service}",
            vpc_id=network.id,
            service_name=f"com.amazonaws.{context.account.region}.{service}",
            vpc_endpoint_type="Gateway",
            policy=policy,
            route_table_ids=[table.id for table in tables],
            tags=context.tags(service),
            opts=context.options(),
        )
        for service, policy in policies.items()
    ]


def _interface_endpoints(
    context: VpcContext, network: ec2.Vpc, zones: Sequence[Zone]
) -> list[pulumi.Resource]:
    """Return the endpoints, and the rule that allows traffic to them."""
    settings = context.settings
    if not settings.aws.endpoints:
        return []
    group = ec2.SecurityGroup(
        f"{context.name}-endpoints",
        name_prefix=ENDPOINTS.of(settings.prefix),
        description="HTTPS from the VPC to AWS services",
        vpc_id=network.id,
        tags=context.tags("endpoints"),
        opts=context.options(),
    )
    rule = vpc.SecurityGroupIngressRule(
        f"{context.name}-endpoints-https",
        security_group_id=group.id,
        description="HTTPS from the VPC",
        cidr_ipv4=settings.cidr,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=context.tags("endpoints-https"),
        opts=context.options(),
    )
    endpoints = [
        ec2.VpcEndpoint(
            f"{context.name}-endpoint-{service}",
            vpc_id=network.id,
            service_name=f"com.amazonaws.{context.account.region}.{service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            policy=endpoint_policies.interface(context.account, service),
            # They need no NAT, and leave the addresses of the private subnets to pods.
            subnet_ids=[zone.intra.id for zone in zones],
            security_group_ids=[group.id],
            tags=context.tags(service),
            opts=context.options(),
        )
        for service in settings.aws.endpoints
    ]
    return [rule, *endpoints]


def _outputs(
    context: VpcContext,
    network: ec2.Vpc,
    default: ec2.DefaultSecurityGroup,
    zones: Sequence[Zone],
    routes: Routes,
    endpoints: Sequence[pulumi.Resource],
) -> NetworkReferenceArgs:
    """Return the outputs of the component. Nodes have to reach images and AWS as long as they exist, so
    resources in a private subnet depend on the routes and endpoints that it uses."""
    needed = [*routes.needed_by_private_subnets, *endpoints]
    zone_outputs: list[NetworkZoneArgs] = [
        {
            "name": zone.name,
            "id": zone.id,
            "private_subnet_id": after(zone.private.id, *needed),
            "public_subnet_id": zone.public.id,
            "intra_subnet_id": zone.intra.id,
        }
        for zone in zones
    ]
    return {
        "cloud": "aws",
        "vpc_id": network.id,
        "cidr": context.settings.cidr,
        "private_subnet_ids": after(ids([zone.private for zone in zones]), *needed),
        "public_subnet_ids": ids([zone.public for zone in zones]),
        "intra_subnet_ids": ids([zone.intra for zone in zones]),
        "nat_public_ips": Output.all(*(address.public_ip for address in routes.nat_addresses)),
        "default_security_group_id": default.id,
        "zones": zone_outputs,
    }


def ids(subnets: list[ec2.Subnet]) -> Output[list[str]]:
    """Return the ids of the subnets as one output."""
    return Output.all(*(subnet.id for subnet in subnets)).apply(
        lambda values: [str(value) for value in values]
    )
