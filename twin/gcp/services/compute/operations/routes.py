"""Routes: those that come with a network or subnetwork, and static ones."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any, Final

from twin.gcp.api_server.errors import (
    bad_field,
    invalid,
)
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import handles
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.generic import link
from twin.gcp.services.compute.profiles import blocked


def route(call: Call, network: str, opening: str, more: Body, *, owner: str) -> None:
    """A route that Google makes with a network or a subnetwork (owner), and takes with it."""
    name = f"projects/{call.project}/global/routes/{opening}{secrets.token_hex(8)}"
    body: Body = {"name": name.rsplit("/", 1)[-1], "network": link(network), **more}
    compute.store(call, name, body, ROUTE, internal={"owned": owner})


def drop_routes(state: State, owner: str) -> None:
    """Remove the routes that came with a network or subnetwork."""
    for name, _ in state.of("compute.routes"):
        if state.internal(name).get("owned") == owner:
            state.delete(name)


@handles("compute.routes.delete")
def delete_route(call: Call) -> dict[str, Any]:
    """A route; those of subnetworks go with them only."""
    name = compute.relative(call)
    call.need(f"compute/{name}")
    if "/subnetworks/" in call.state.internal(f"compute/{name}").get("owned", ""):
        raise invalid(f"The local route '{name.rsplit('/', 1)[-1]}' cannot be deleted.")
    return compute.delete(call, ROUTE)


def _check_route(call: Call, body: Body, _: Body | None) -> None:
    blocked(call.state, body["network"], "allowStaticRoutes", "Static routes")
    hops = [key for key in body if key.startswith("nextHop")]
    if len(hops) != 1:
        raise invalid(f"Exactly one next hop must be specified, got {', '.join(hops) or 'none'}.")
    try:
        ipaddress.ip_network(body["destRange"])
    except ValueError:
        raise bad_field(
            "resource.destRange", body["destRange"], "Must be an IP range in CIDR form."
        ) from None


ROUTE: Final = compute.kind("routes", check=_check_route)
