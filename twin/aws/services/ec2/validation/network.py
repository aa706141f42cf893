"""EC2: VPCs, subnets, gateways, flow logs."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.ec2 import quotas
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState, network_of

Params = dict[str, Any]


def create_vpc(params: Params, state: MotoState) -> None:
    """CreateVpc."""
    quotas.vpcs(state)
    cidr = params.get("CidrBlock")
    if cidr and not 16 <= network_of(cidr, "cidrBlock").prefixlen <= 28:
        raise Refusal("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")


def create_subnet(params: Params, state: MotoState) -> None:
    """CreateSubnet: in its VPC, /16 to /28; moto sees to overlaps and zones."""
    vpc = state.vpc(params.get("VpcId") or "")
    zone = params.get("AvailabilityZone")
    zones = [one.name for one in state.ec2.describe_availability_zones()]
    if zone and zone not in zones:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be "
            f"created in the following availability zones: {', '.join(zones)}.",
        )
    if not params.get("CidrBlock"):
        return
    network = network_of(params["CidrBlock"], "cidrBlock")
    blocks = [
        ipaddress.ip_network(association["cidr_block"])
        for association in vpc.get_cidr_block_association_set()
    ]
    inside = any(network.version == block.version and network.subnet_of(block) for block in blocks)  # pyright: ignore[reportArgumentType]
    if not 16 <= network.prefixlen <= 28 or not inside:
        raise Refusal("InvalidSubnet.Range", f"The CIDR '{params['CidrBlock']}' is invalid.")


def delete_vpc(params: Params, state: MotoState) -> None:
    """DeleteVpc: not while anything is in it."""
    vpc_id = params.get("VpcId") or ""
    if vpc_id not in state.ec2.vpcs:
        return
    ec2 = state.ec2
    subnets = [subnet for zone in ec2.subnets.values() for subnet in zone.values()]
    groups = [group for group in state.groups().values() if group.name != "default"]
    endpoints = [endpoint for endpoint in ec2.vpc_end_points.values() if endpoint.state != "deleted"]
    inside = [thing.id for thing in (*subnets, *groups, *endpoints) if thing.vpc_id == vpc_id]
    inside += [one.id for one in ec2.internet_gateways.values() if one.vpc and one.vpc.id == vpc_id]
    if inside:
        raise Refusal(
            "DependencyViolation",
            f"The vpc '{vpc_id}' has dependencies and cannot be deleted. ({', '.join(inside[:3])})",
        )


def delete_subnet(params: Params, state: MotoState) -> None:
    """DeleteSubnet: not while interfaces, instances, NAT gateways or load balancers are in it."""
    subnet_id = params.get("SubnetId") or ""
    users = [eni.id for eni in state.ec2.enis.values() if eni.subnet.id == subnet_id]
    users += [
        nat_gateway.id
        for nat_gateway in state.ec2.nat_gateways.values()
        if nat_gateway.subnet_id == subnet_id and nat_gateway.state not in ("deleted", "failed")
    ]
    users += [
        endpoint.id
        for endpoint in state.ec2.vpc_end_points.values()
        if endpoint.state != "deleted" and subnet_id in (endpoint.subnet_ids or [])
    ]
    users += [name for name, subnets, _ in state.load_balancers() if subnet_id in subnets]
    if users:
        raise Refusal(
            "DependencyViolation",
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted. ({', '.join(users[:3])})",
        )


def detach_gateway(params: Params, state: MotoState) -> None:
    """DetachInternetGateway: not while the VPC has mapped public addresses."""
    vpc_id = params.get("VpcId") or ""
    for nat in state.ec2.nat_gateways.values():
        if nat.vpc_id == vpc_id and nat.state not in ("deleted", "failed") and nat.address_set:
            raise Refusal(
                "DependencyViolation",
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) "
                "before detaching the gateway.",
            )


def create_nat(params: Params, state: MotoState) -> None:
    """CreateNatGateway."""
    quotas.nat_gateways(state.subnet(params.get("SubnetId") or "").availability_zone, state)


def flow_logs(params: Params, state: MotoState) -> None:
    """CreateFlowLogs: to CloudWatch Logs they need a role that may write."""
    role = params.get("DeliverLogsPermissionArn")
    to_logs = params.get("LogDestinationType") in (None, "cloud-watch-logs")
    if to_logs and not any(known.arn == role for known in state.roles()):
        raise Refusal("InvalidParameterValue", f"The role {role} of DeliverLogsPermissionArn does not exist")


RULES: Final = stated.rules(
    __name__,
    {
        "AllocateAddress": quotas.addresses,
        "CreateInternetGateway": quotas.internet_gateways,
        "CreateVpc": create_vpc,
        "CreateSubnet": create_subnet,
        "DeleteVpc": delete_vpc,
        "DeleteSubnet": delete_subnet,
        "DetachInternetGateway": detach_gateway,
        "CreateNatGateway": create_nat,
        "CreateFlowLogs": flow_logs,
    },
)
