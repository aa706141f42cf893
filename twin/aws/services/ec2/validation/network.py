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


def create_nat(params: Params, state: MotoState) -> None:
    """CreateNatGateway."""
    quotas.nat_gateways(state.subnet(params.get("SubnetId") or "").availability_zone, state)


RULES: Final = stated.rules(
    __name__,
    {
        "AllocateAddress": quotas.addresses,
        "CreateInternetGateway": quotas.internet_gateways,
        "CreateVpc": create_vpc,
        "CreateSubnet": create_subnet,
        "CreateNatGateway": create_nat,
    },
)
