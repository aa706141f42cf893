"""IP ranges in VPC networks: what is a range, what Google reserves, what overlaps."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, bad_field, invalid
from twin.gcp.api_server.state import Body, State

Network = ipaddress.IPv4Network

PROHIBITED: Final = tuple(map(Network, services.tables("compute")["prohibited_ranges"]))
"""Source: "Prohibited IPv4 subnet ranges" of the VPC documentation. 240.0.0.0/4 is valid for subnets."""


def parse(text: Any, path: str, *, shortest: int = 4, longest: int = 29) -> Network:
    """A subnet's range. Raises 400 for what is none, has host bits, is too large, too small or prohibited."""
    try:
        ip_range = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise bad_field(
            path, text, "Invalid IP CIDR range: must be an IPv4 range such as 10.0.0.0/20."
        ) from None
    if "/" not in str(text):
        raise bad_field(path, text, "Invalid IP CIDR range: the prefix length is missing.")
    if str(ip_range) != text:
        raise bad_field(path, text, f"Invalid IP CIDR range: host bits are set, {ip_range} is right.")
    if not shortest <= ip_range.prefixlen <= longest:
        raise bad_field(
            path, text, f"Invalid IP CIDR range: the prefix length must be from {shortest} to {longest}."
        )
    for block in PROHIBITED:
        if ip_range.overlaps(block):
            raise bad_field(path, text, f"Invalid IP CIDR range: it overlaps the prohibited range {block}.")
    return ip_range


def secondary_ranges(subnetwork: Body) -> dict[str, str]:
    """The secondary ranges of a subnetwork by name."""
    return {part["rangeName"]: part["ipCidrRange"] for part in subnetwork.get("secondaryIpRanges") or ()}


def occupied_ranges(state: State, network: str, *, but: str = "") -> Iterator[tuple[Network, str]]:
    """(range, whose it is in words) of all that a network holds.

    network: a self link. but: the relative name of a subnetwork to leave out.
    """
    yield from _subnets(state, network, but)
    for name, body in state.of("compute.addresses"):
        if body.get("purpose") == "VPC_PEERING" and body.get("network") == network:
            ip_range = ipaddress.IPv4Network(f"{body['address']}/{body['prefixLength']}")
            yield ip_range, f"allocated range '{name.rsplit('/', 1)[-1]}'"


def conflict(network: Network, whose: str) -> GoogleError:
    """400 for a range that is taken."""
    return invalid(f"Invalid IPCidrRange: {network} conflicts with existing {whose}.")


def free(state: State, network: str, length: int) -> Network | None:
    """The first free range of a length in 10.0.0.0/8, as Google allocates them for services."""
    taken = [ip_range for ip_range, _ in occupied_ranges(state, network)]
    for candidate in Network("10.0.0.0/8").subnets(new_prefix=length):
        # Google allocates from the upper part; auto mode networks take 10.128.0.0/9.
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    return None


def _subnets(state: State, network: str, but: str) -> Iterator[tuple[Network, str]]:
    for name, body in state.of("compute.subnetworks"):
        if body.get("network") != network or name.partition("/")[2] == but:
            continue
        parts = name.split("/")
        whose = f"subnetwork '{parts[-1]}' in region '{parts[-3]}'"
        for text in (body.get("ipCidrRange"), *secondary_ranges(body).values()):
            if text:
                yield ipaddress.IPv4Network(text), whose
