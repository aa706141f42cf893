"""EC2's default quotas of a new account, where a stack of this repository can meet them.

They are per region and are raised on request (Service Quotas); the twin keeps to the defaults, so that what
would fail in a fresh account fails here first.
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import Look

Params = dict[str, Any]
VPCS: Final = 5
INTERNET_GATEWAYS: Final = 5
ADDRESSES: Final = 5
NAT_GATEWAYS_PER_ZONE: Final = 5
RULES_PER_GROUP: Final = 60
"""Of each direction, and of IPv4 and IPv6 each."""


def vpcs(look: Look) -> None:
    """The default VPC counts."""
    if len(look.ec2.vpcs) >= VPCS:
        raise Refusal("VpcLimitExceeded", "The maximum number of VPCs has been reached.")


def internet_gateways(_: Params, look: Look) -> None:
    """CreateInternetGateway."""
    if len(look.ec2.internet_gateways) >= INTERNET_GATEWAYS:
        raise Refusal(
            "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."
        )


def addresses(_: Params, look: Look) -> None:
    """AllocateAddress."""
    if len(look.ec2.addresses) >= ADDRESSES:
        raise Refusal("AddressLimitExceeded", "The maximum number of addresses has been reached.")


def nat_gateways(zone: str, look: Look) -> None:
    """NAT gateways of a zone that are not deleted."""
    gateways = [
        nat_gateway
        for nat_gateway in look.ec2.nat_gateways.values()
        if nat_gateway.state not in ("deleted", "failed")
        and look.subnet(nat_gateway.subnet_id).availability_zone == zone
    ]
    if len(gateways) >= NAT_GATEWAYS_PER_ZONE:
        raise Refusal(
            "NatGatewayLimitExceeded",
            f"Performing this operation would exceed the limit of {NAT_GATEWAYS_PER_ZONE} NAT gateways",
        )
