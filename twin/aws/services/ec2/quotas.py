"""EC2's default quotas of a new account, where a stack of this repository can meet them.

They are per region and are raised on request (Service Quotas); the twin keeps to the defaults, so that what
would fail in a fresh account fails here first.
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
VPCS: Final = 5
INTERNET_GATEWAYS: Final = 5
ADDRESSES: Final = 5
NAT_GATEWAYS_PER_ZONE: Final = 5
RULES_PER_GROUP: Final = 60
"""Of each direction, and of IPv4 and IPv6 each."""


def vpcs(state: MotoState) -> None:
    """The default VPC counts."""
    if len(state.ec2.vpcs) >= VPCS:
        raise Refusal("VpcLimitExceeded", "The maximum number of VPCs has been reached.")


def internet_gateways(_: Params, state: MotoState) -> None:
    """CreateInternetGateway."""
    if len(state.ec2.internet_gateways) >= INTERNET_GATEWAYS:
        raise Refusal(
            "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."
        )


def addresses(_: Params, state: MotoState) -> None:
    """AllocateAddress."""
    if len(state.ec2.addresses) >= ADDRESSES:
        raise Refusal("AddressLimitExceeded", "The maximum number of addresses has been reached.")


def nat_gateways(zone: str, state: MotoState) -> None:
    """NAT gateways of a zone that are not deleted."""
    gateways = [
        nat_gateway
        for nat_gateway in state.ec2.nat_gateways.values()
        if nat_gateway.state not in ("deleted", "failed")
        and state.subnet(nat_gateway.subnet_id).availability_zone == zone
    ]
    if len(gateways) >= NAT_GATEWAYS_PER_ZONE:
        raise Refusal(
            "NatGatewayLimitExceeded",
            f"Performing this operation would exceed the limit of {NAT_GATEWAYS_PER_ZONE} NAT gateways",
        )
