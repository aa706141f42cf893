"""EC2: routes, whose targets must exist and be of the table's own VPC."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState, network_of

Params = dict[str, Any]


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
    stated.check(__name__, "target", {**params, "table": vars(table)}, state)


RULES: Final = stated.rules(__name__, {"CreateRoute": create, "ReplaceRoute": replace})
