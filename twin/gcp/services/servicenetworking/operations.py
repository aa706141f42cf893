"""Service Networking: the peering by which Cloud SQL and others are reached on private addresses."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.services.compute.profiles import blocked

SERVICE: Final = "services/servicenetworking.googleapis.com"
PEERING: Final = "servicenetworking-googleapis-com"
_TYPES: Final = "google.cloud.servicenetworking.v1"
_LARGEST: Final = 24
"""The longest prefix that an allocated range may have. Source: "Configure private services access"."""


@handles("servicenetworking.services.connections.create")
def create(call: Call) -> dict[str, Any]:
    """Peer a network with Google's services, on the allocated ranges."""
    network, name = _network(call, call.body.get("network", ""))
    call.need_enabled("compute.googleapis.com")
    blocked(call.state, f"https://www.googleapis.com/compute/v1/{name}", "allowVpcPeering", "VPC peerings")
    if call.state.get(_row(name)) is not None:
        raise invalid("Cannot modify allocated ranges in CreateConnection. Please use UpdateConnection.")
    ranges: list[str] = call.body.get("reservedPeeringRanges") or []
    _check(call, ranges, network)
    connection: Body = {
        "network": f"projects/{call.project_number}/global/networks/{name.rsplit('/', 1)[-1]}",
        "peering": PEERING,
        "reservedPeeringRanges": ranges,
        "service": SERVICE,
    }
    call.state.put(_row(name), connection)
    _peer(call, name)
    return _done(call, connection, "Connection")


def _peer(call: Call, name: str) -> None:
    """The network's side of the connection, where it is not there."""
    body = call.need(f"compute/{name}")
    if any(peering["name"] == PEERING for peering in body.get("peerings", ())):
        return
    body.setdefault("peerings", []).append(
        {
            "name": PEERING,
            "network": "https://www.googleapis.com/compute/v1/projects/"
            f"{_producer(call)}/global/networks/servicenetworking",
            **services.tables("servicenetworking")["peering"],
        }
    )
    call.state.put(f"compute/{name}", body)


@handles("servicenetworking.services.connections.list")
def listing(call: Call) -> dict[str, Any]:
    """The connections of a network."""
    _, name = _network(call, call.parameters.get("network", ""))
    connection = call.state.get(_row(name))
    return {"connections": [connection]} if connection else {}


@handles("servicenetworking.services.connections.patch")
def patch(call: Call) -> dict[str, Any]:
    """Other allocated ranges."""
    network, name = _network(call, call.body.get("network", ""))
    connection = call.need(_row(name), f"Connection not found for network {name}.")
    ranges: list[str] = call.body.get("reservedPeeringRanges") or []
    _check(call, ranges, network)
    lost = set(connection["reservedPeeringRanges"]) - set(ranges)
    if lost and not call.parameters.get("force"):
        raise invalid("Cannot modify allocated ranges: removing "
                      f"{', '.join(sorted(lost))} requires the force parameter.")  # fmt: skip
    connection["reservedPeeringRanges"] = ranges
    call.state.put(_row(name), connection)
    _peer(call, name)  # of a network that is new under the name of one that is gone
    return _done(call, connection, "Connection")


@handles("servicenetworking.services.connections.deleteConnection")
def delete(call: Call) -> dict[str, Any]:
    """The connection goes once no service has a resource on it."""
    _, name = _network(call, call.body.get("consumerNetwork", ""))
    call.need(_row(name), f"Connection not found for network {name}.")
    for collection in ("sqladmin.instances", "redis.instances", "file.instances"):
        for other, body in call.state.of(collection):
            if name.rsplit("/", 1)[-1] in str(body):
                raise precondition(
                    "Failed to delete connection; Producer services (e.g. CloudSQL, Cloud Memstore, etc.) "
                    f"are still using this connection ({other.rsplit('/', 1)[-1]})."
                )
    call.state.delete(_row(name))
    body = call.need(f"compute/{name}")
    body["peerings"] = [peering for peering in body.get("peerings", ()) if peering["name"] != PEERING]
    if not body["peerings"]:
        del body["peerings"]
    call.state.put(f"compute/{name}", body)
    return _done(call, {}, "", empty=True)


def _row(network: str) -> str:
    return f"servicenetworking/networks/{network.rsplit('/', 1)[-1]}/connections/{PEERING}"


def _network(call: Call, text: str) -> tuple[str, str]:
    """(link, relative name) of `projects/NUMBER/global/networks/NAME`."""
    parts = text.split("/")
    if len(parts) != 5 or parts[0] != "projects" or parts[2:4] != ["global", "networks"]:
        raise invalid(f"Invalid network: '{text}'. projects/PROJECT_NUMBER/global/networks/NETWORK is right.")
    if parts[1] != call.project_number:
        raise invalid(
            f"The network '{text}' must name the project by its number, projects/{call.project_number}/..."
        )
    name = f"projects/{call.project}/global/networks/{parts[4]}"
    body = call.state.get(f"compute/{name}")
    if body is None:
        raise not_found(f"The network '{text}' was not found.")
    return body["selfLink"], name


def _check(call: Call, ranges: list[str], network: str) -> None:
    if not ranges:
        raise invalid("At least one allocated IP range (reservedPeeringRanges) must be specified.")
    large = False
    for range_name in ranges:
        body = call.state.get(f"compute/projects/{call.project}/global/addresses/{range_name}")
        if body is None or body.get("purpose") != "VPC_PEERING" or body.get("network") != network:
            raise invalid(
                f"Allocated IP range '{range_name}' not found in network. A global internal address with "
                "purpose "
                "VPC_PEERING in this network is right."
            )
        ip_range = ipaddress.IPv4Network(f"{body['address']}/{body['prefixLength']}")
        large = large or ip_range.prefixlen <= _LARGEST
    if not large:
        raise precondition(
            f"Couldn't find free blocks in allocated IP ranges: at least one must be a /{_LARGEST} or larger."
        )


def _producer(call: Call) -> str:
    return f"tp{call.project_number[:11]}-tp"[:30]


def _done(call: Call, response: Body, kind: str, *, empty: bool = False) -> Body:
    name = f"operations/pssn.p24-{call.project_number}-{operations.numeric_id()}"
    return operations.long_running(
        call, name, response, kind="google.protobuf.Empty" if empty else f"{_TYPES}.{kind}"
    )
