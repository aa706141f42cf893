"""EC2: VPCs, subnets, gateways, flow logs."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.ec2 import quotas
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
    inside = [
        key for zone in state.ec2.subnets.values() for key, subnet in zone.items() if subnet.vpc_id == vpc_id
    ]
    inside += [
        internet_gateway.id
        for internet_gateway in state.ec2.internet_gateways.values()
        if internet_gateway.vpc and internet_gateway.vpc.id == vpc_id
    ]
    inside += [
        key for key, group in state.groups().items() if group.vpc_id == vpc_id and group.name != "default"
    ]
    inside += [
        endpoint.id
        for endpoint in state.ec2.vpc_end_points.values()
        if endpoint.vpc_id == vpc_id and endpoint.state != "deleted"
    ]
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


def attach_gateway(params: Params, state: MotoState) -> None:
    """AttachInternetGateway: one a VPC, one VPC a gateway."""
    gateway = state.ec2.internet_gateways.get(params.get("InternetGatewayId"))
    if gateway and gateway.vpc:
        raise Refusal(
            "Resource.AlreadyAssociated",
            f"resource {gateway.id} is already attached to network {gateway.vpc.id}",
        )
    vpc_id = params.get("VpcId") or ""
    state.vpc(vpc_id)
    if any(
        internet_gateway.vpc and internet_gateway.vpc.id == vpc_id
        for internet_gateway in state.ec2.internet_gateways.values()
    ):
        raise Refusal("InvalidParameterValue", f"Network {vpc_id} already has an internet gateway attached")


def detach_gateway(params: Params, state: MotoState) -> None:
    """DetachInternetGateway: not while the VPC has mapped public addresses."""
    vpc_id = params.get("VpcId") or ""
    for nat in state.ec2.nat_gateways.values():
        if nat.vpc_id == vpc_id and nat.state not in ("deleted", "failed") and nat.address_set:
            raise Refusal(
                "DependencyViolation",
                f"Network {vpc_id} has some mapped public address(es). Please unmap those "
                f"public address(es) before "
                f"detaching the gateway.",
            )


def delete_gateway(params: Params, state: MotoState) -> None:
    """DeleteInternetGateway."""
    gateway = state.ec2.internet_gateways.get(params.get("InternetGatewayId"))
    if gateway and gateway.vpc:
        raise Refusal(
            "DependencyViolation",
            f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted.",
        )


def create_nat(params: Params, state: MotoState) -> None:
    """CreateNatGateway."""
    quotas.nat_gateways(state.subnet(params.get("SubnetId") or "").availability_zone, state)
    if (params.get("ConnectivityType") or "public") == "private":
        if params.get("AllocationId"):
            raise Refusal("InvalidParameter", "AllocationId is not valid for a private NAT gateway")
        return
    allocation = params.get("AllocationId")
    if not allocation:
        raise Refusal(
            "MissingParameter",
            "The request must include the AllocationId parameter. Add the required "
            "parameter and retry the request.",
        )
    elastic_ip_ = next(
        (elastic_ip for elastic_ip in state.ec2.addresses if elastic_ip.allocation_id == allocation), None
    )
    if elastic_ip_ is None:
        raise Refusal("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")
    if elastic_ip_.association_id or _nat_of(allocation, state):
        raise Refusal(
            "Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated"
        )


def release(params: Params, state: MotoState) -> None:
    """ReleaseAddress: not while a NAT gateway or an instance has it."""
    allocation = params.get("AllocationId") or ""
    nat = _nat_of(allocation, state)
    if nat:
        raise Refusal("InvalidIPAddress.InUse", f"The address {allocation} is in use by {nat}.")


def _nat_of(allocation: str, state: MotoState) -> str:
    for nat in state.ec2.nat_gateways.values():
        if nat.state not in ("deleted", "failed") and allocation in _allocations(nat):
            return nat.id
    return ""


def _allocations(nat: Any) -> list[str]:
    return [
        str(address.get("allocationId") or address.get("AllocationId") or "") for address in nat.address_set
    ]


def flow_logs(params: Params, state: MotoState) -> None:
    """CreateFlowLogs: to CloudWatch Logs they need a role that may write."""
    kind = params.get("LogDestinationType") or "cloud-watch-logs"
    role = params.get("DeliverLogsPermissionArn")
    if kind == "cloud-watch-logs":
        if not role:
            raise Refusal(
                "InvalidParameterValue",
                "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs",
            )
        if not any(role_.arn == role for role_ in state.roles()):
            raise Refusal(
                "InvalidParameterValue", f"The role {role} of DeliverLogsPermissionArn does not exist"
            )


RULES: Final = {
    "AllocateAddress": quotas.addresses,
    "CreateInternetGateway": quotas.internet_gateways,
    "CreateVpc": create_vpc,
    "CreateSubnet": create_subnet,
    "DeleteVpc": delete_vpc,
    "DeleteSubnet": delete_subnet,
    "AttachInternetGateway": attach_gateway,
    "DetachInternetGateway": detach_gateway,
    "DeleteInternetGateway": delete_gateway,
    "CreateNatGateway": create_nat,
    "ReleaseAddress": release,
    "CreateFlowLogs": flow_logs,
}
