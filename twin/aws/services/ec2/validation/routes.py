"""EC2: routes, whose targets must exist and be of the table's own VPC."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState, network_of

Params = dict[str, Any]
_TARGETS: Final = (
    "GatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "VpcEndpointId",
    "CoreNetworkArn",
)


def create(params: Params, state: MotoState) -> None:
    """CreateRoute."""
    table = _table(params, state)
    if table is None:
        return
    _destination(params, table)
    _target(params, table, state)


def replace(params: Params, state: MotoState) -> None:
    """ReplaceRoute."""
    table = _table(params, state)
    if table is not None and str(params.get("LocalTarget")).lower() != "true":
        _target(params, table, state)


def associate(params: Params, state: MotoState) -> None:
    """AssociateRouteTable: a subnet, or a gateway, has one table in addition to the main one."""
    for name in ("SubnetId", "GatewayId"):
        wanted = params.get(name)
        for table in state.ec2.route_tables.values() if wanted else ():
            if wanted in table._associations.values() and table.id != params.get("RouteTableId"):
                raise Refusal(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {params.get('RouteTableId')} conflicts "
                    "with an existing association",
                )


def _table(params: Params, state: MotoState) -> Any | None:
    return state.ec2.route_tables.get(params.get("RouteTableId"))  # moto refuses one that does not exist


def _destination(params: Params, table: Any) -> None:
    destination = params.get("DestinationCidrBlock") or params.get("DestinationIpv6CidrBlock")
    if not destination:
        return
    wanted = network_of(destination, "destinationCidrBlock")
    for route in table.routes:
        text = route.destination_cidr_block or route.destination_ipv6_cidr_block
        if text and ipaddress.ip_network(text) == wanted:
            raise Refusal("RouteAlreadyExists", f"The route identified by {destination} already exists.")


def _target(params: Params, table: Any, state: MotoState) -> None:
    named = [name for name in _TARGETS if params.get(name)]
    if not named:
        raise Refusal(
            "MissingParameter",
            "The request must contain exactly one target, such as gatewayId or natGatewayId",
        )
    if len(named) > 1:
        raise Refusal(
            "InvalidParameterCombination", f"A route has exactly one target, got {', '.join(sorted(named))}"
        )
    gateway, nat = params.get("GatewayId") or "", params.get("NatGatewayId")
    if gateway.startswith("igw-"):
        _internet(gateway, table, state)
    if nat:
        _nat(nat, table, state)


def _internet(gateway_id: str, table: Any, state: MotoState) -> None:
    internet_gateway = state.ec2.internet_gateways.get(gateway_id)
    if internet_gateway is None:
        raise Refusal("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
    if internet_gateway.vpc is None or internet_gateway.vpc.id != table.vpc_id:
        raise Refusal(
            "InvalidParameterValue",
            f"route table {table.id} and network gateway {gateway_id} belong to different networks",
        )


def _nat(nat_id: str, table: Any, state: MotoState) -> None:
    nat_gateway = state.ec2.nat_gateways.get(nat_id)
    if nat_gateway is None or nat_gateway.state in ("deleted", "failed"):
        raise Refusal("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat_id}' does not exist")
    if nat_gateway.vpc_id != table.vpc_id:
        raise Refusal(
            "InvalidParameterValue",
            f"route table {table.id} and NAT gateway {nat_id} belong to different networks",
        )


RULES: Final = {"AssociateRouteTable": associate, "CreateRoute": create, "ReplaceRoute": replace}
