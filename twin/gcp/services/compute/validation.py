"""IP ranges in VPC networks: what is a range, what Google reserves, what overlaps."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, bad_field, invalid
from twin.gcp.api_server.state import State
from twin.gcp.services.compute.operations import generic as compute

Network = ipaddress.IPv4Network

PROHIBITED: Final = tuple(
    Network(each)
    for each in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "199.36.153.4/30",
        "199.36.153.8/30",
        "224.0.0.0/4",
        "255.255.255.255/32",
    )
)
"""Source: "Prohibited IPv4 subnet ranges" of the VPC documentation. 240.0.0.0/4 is valid for subnets."""


def parse(text: Any, path: str, *, shortest: int = 4, longest: int = 29) -> Network:
    """A subnet's range. Raises 400 for what is none, has host bits, is too large, too small or prohibited."""
    try:
        found = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise bad_field(
            path, text, "Invalid IP CIDR range: must be an IPv4 range such as 10.0.0.0/20."
        ) from None
    if "/" not in str(text):
        raise bad_field(path, text, "Invalid IP CIDR range: the prefix length is missing.")
    if str(found) != text:
        raise bad_field(path, text, f"Invalid IP CIDR range: host bits are set, {found} is right.")
    if not shortest <= found.prefixlen <= longest:
        raise bad_field(
            path, text, f"Invalid IP CIDR range: the prefix length must be from {shortest} to {longest}."
        )
    for each in PROHIBITED:
        if found.overlaps(each):
            raise bad_field(path, text, f"Invalid IP CIDR range: it overlaps the prohibited range {each}.")
    return found


def held(state: State, network: str, *, but: str = "") -> Iterator[tuple[Network, str]]:
    """(range, whose it is in words) of all that a network and its peers hold.

    network: a self link. but: the relative name of a subnetwork to leave out.
    """
    yield from _own(state, network, but)
    for peer in peers(state, network):
        for found, whose in _subnets(state, peer, but):
            yield found, f"{whose} of the peered network"


def peers(state: State, network: str) -> list[str]:
    """The networks that a network is peered with, as links."""
    body = state.get(f"compute/{compute.name_of(network, '')}") or {}
    return [each["network"] for each in body.get("peerings", ()) if each.get("state") == "ACTIVE"]


def conflict(given: Network, whose: str) -> GoogleError:
    """400 for a range that is taken."""
    return invalid(f"Invalid IPCidrRange: {given} conflicts with existing {whose}.")


def free(state: State, network: str, length: int) -> Network | None:
    """The first free range of a length in 10.0.0.0/8, as Google allocates them for services."""
    taken = [found for found, _ in held(state, network)]
    for each in Network("10.0.0.0/8").subnets(new_prefix=length):
        # Google allocates from the upper part; auto mode networks take 10.128.0.0/9.
        if not any(each.overlaps(other) for other in taken):
            return each
    return None


def _own(state: State, network: str, but: str) -> Iterator[tuple[Network, str]]:
    yield from _subnets(state, network, but)
    for name, body in state.of("compute.addresses"):
        if body.get("purpose") == "VPC_PEERING" and body.get("network") == network:
            found = ipaddress.IPv4Network(f"{body['address']}/{body['prefixLength']}")
            yield found, f"allocated range '{name.rsplit('/', 1)[-1]}'"


def _subnets(state: State, network: str, but: str) -> Iterator[tuple[Network, str]]:
    for name, body in state.of("compute.subnetworks"):
        if body.get("network") != network or name.partition("/")[2] == but:
            continue
        parts = name.split("/")
        whose = f"subnetwork '{parts[-1]}' in region '{parts[-3]}'"
        for text in (
            body.get("ipCidrRange"),
            *(each["ipCidrRange"] for each in body.get("secondaryIpRanges", ())),
        ):
            if text:
                yield ipaddress.IPv4Network(text), whose
