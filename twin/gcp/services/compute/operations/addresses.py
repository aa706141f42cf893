"""Static addresses, regional and global, and the ranges that private services take."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from twin.gcp.api_server.errors import bad_field, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import shows
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.quotas import check_quota
from twin.gcp.services.compute.validation import conflict, free, occupied_ranges

_EXTERNAL: Final = ipaddress.IPv4Network("34.64.0.0/10")
_GLOBAL: Final = ipaddress.IPv4Network("35.186.192.0/18")


def _check(call: Call, body: Body, before: Body | None) -> None:
    region = call.parameters.get("region", "")
    if before is not None:
        return
    purpose = body.get("purpose")
    if body.get("subnetwork") or body.get("network"):
        body.setdefault("addressType", "INTERNAL")
    kind = body.setdefault("addressType", "EXTERNAL")
    if kind == "INTERNAL":
        _internal(call, body, region)
    else:
        if purpose:
            raise bad_field("resource.purpose", purpose, "Purpose can be set only for internal addresses.")
        if body.get("subnetwork") or body.get("network"):
            raise invalid("A subnetwork or network cannot be set for an external address.")
        if body.get("address"):
            raise bad_field("resource.address", body["address"], "An external address cannot be chosen.")
        check_quota(call, "STATIC_ADDRESSES" if region else "GLOBAL_INTERNAL_ADDRESSES", "addresses", region)
        body["address"] = external(call, region)
        body.setdefault("networkTier", "PREMIUM")
        if not region:
            body.setdefault("ipVersion", "IPV4")
    body["status"] = "RESERVED"


def _internal(call: Call, body: Body, region: str) -> None:
    if not region:
        purpose = body.get("purpose")
        if purpose not in ("VPC_PEERING", "PRIVATE_SERVICE_CONNECT"):
            raise bad_field(
                "resource.purpose", purpose, "A global internal address must have the purpose VPC_PEERING or "
                "PRIVATE_SERVICE_CONNECT."
            )  # fmt: skip
        if not body.get("network"):
            raise invalid("Required field 'resource.network' not specified", reason="required")
        if purpose == "VPC_PEERING":
            _range(call, body)
        elif not body.get("address"):
            raise invalid("Required field 'resource.address' not specified", reason="required")
        return
    if not body.get("subnetwork"):
        raise bad_field("resource.subnetwork", "", "A regional internal address must name its subnetwork.")
    body.pop("network", None)
    subnet = call.state.get(f"compute/{compute.name_of(body['subnetwork'], call.project)}") or {}
    if f"/regions/{region}/" not in body["subnetwork"]:
        raise bad_field(
            "resource.subnetwork", body["subnetwork"], f"The subnetwork must be in region {region}."
        )
    ip_range = ipaddress.IPv4Network(subnet["ipCidrRange"])
    body.setdefault("purpose", "GCE_ENDPOINT")
    taken = {other.get("address") for _, other in call.state.of("compute.addresses")}
    if body.get("address"):
        try:
            requested = ipaddress.IPv4Address(body["address"])
        except ValueError:
            raise bad_field("resource.address", body["address"], "Must be an IPv4 address.") from None
        if requested not in ip_range:
            raise bad_field("resource.address", requested, f"Must be in the subnetwork's range {ip_range}.")
        if str(requested) in taken:
            raise invalid(f"Specified IP address {requested} is already reserved.", reason="ipInUse")
        return
    # The first two and the last two addresses of a primary range are Google's.
    hosts = (ip_range[number] for number in range(2, ip_range.num_addresses - 2))
    body["address"] = next(str(host) for host in hosts if str(host) not in taken)


def _range(call: Call, body: Body) -> None:
    length = body.get("prefixLength")
    if not length:
        raise invalid("Required field 'resource.prefixLength' not specified", reason="required")
    if not 8 <= length <= 30:
        raise bad_field("resource.prefixLength", length, "Must be from 8 to 30.")
    if not body.get("address"):
        ip_range = free(call.state, body["network"], length)
        if ip_range is None:
            raise invalid(f"No free range of length {length} is left in network {body['network']}.")
        body["address"] = str(ip_range.network_address)
        return
    try:
        ip_range = ipaddress.IPv4Network(f"{body['address']}/{length}")
    except ValueError:
        raise bad_field(
            "resource.address", body["address"], f"Must be the first address of a /{length}."
        ) from None
    for other, whose in occupied_ranges(call.state, body["network"]):
        if ip_range.overlaps(other):
            raise conflict(ip_range, whose)


def external(call: Call, region: str) -> str:
    """A free public address, of a region or global."""
    return str(_pick(call, _EXTERNAL if region else _GLOBAL))


def _pick(call: Call, pool: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    taken = {body.get("address") for _, body in call.state.of("compute.addresses")}
    start = int(call.at * 1000) % pool.num_addresses
    for step in range(pool.num_addresses):
        candidate = pool[(start + step) % pool.num_addresses]
        if str(candidate) not in taken:
            return candidate
    raise invalid("No addresses are left.")


@shows("compute.addresses")
def show(state: State, name: str, body: Body) -> Body:
    """An address states who uses it."""
    links = [compute.link(user) for user in compute.users(state, name.partition("/")[2])]
    return {**body, "status": "IN_USE", "users": links} if links else body


@compute.used_by
def _connections(state: State, name: str) -> Iterator[str]:
    """A private services connection uses its allocated ranges, as long as the network has the peering."""
    if name.split("/")[-2] != "addresses":
        return
    body = state.get(f"compute/{name}") or {}
    for _, connection in state.of("servicenetworking.connections"):
        same = (
            compute.name_of(connection["network"], "").rsplit("/", 1)[-1]
            == str(body.get("network", "")).rsplit("/", 1)[-1]
        )
        if body.get("network") and same and body["name"] in connection["reservedPeeringRanges"]:
            network = compute.name_of(body["network"], "")
            peerings = (state.get(f"compute/{network}") or {}).get("peerings", ())
            if any(peering["name"] == connection["peering"] for peering in peerings):
                yield f"{network}/peerings/{connection['peering']}"


compute.kind("addresses", check=_check)
