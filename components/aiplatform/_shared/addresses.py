"""Rules for IPv4 and IPv6 ranges in arguments."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, Final

from aiplatform._shared.args import Rule

_PRIVATE: Final = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_SHARED: Final = IPv4Network("100.64.0.0/10")
"""RFC 6598: not routed on the internet, and allowed in a VPC."""

_NEVER_ROUTED: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        # RFC 5737, for documentation: EKS refuses them as "not allowed in publicAccessCidrs".
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)

# Offices, VPNs and CI networks are never larger; a wider range is a part of the internet.
_WIDEST_IPV4: Final = 8
_WIDEST_IPV6: Final = 32
_MOST_IPV4: Final = 4 * 2**24


def private_range(largest: int, smallest: int, *, shared: bool = True) -> Rule:
    """Return a rule: a private IPv4 range of /largest to /smallest without host bits. shared: also RFC
    6598."""
    blocks = (*_PRIVATE, _SHARED) if shared else _PRIVATE
    *others, last = map(str, blocks)

    def rule(value: Any) -> str | None:
        network = _parsed(value)
        if not isinstance(network, IPv4Network):
            near = _network_of(value)
            is_right = isinstance(near, IPv4Network) and rule(str(near)) is None
            hint = f"; did you mean '{near}'?" if is_right else ""
            return f"expected an IPv4 range such as 10.0.0.0/{largest}{hint}"
        if not any(network.subnet_of(block) for block in blocks):
            return f"expected a private range, inside {', '.join(others)} or {last}"
        if not largest <= network.prefixlen <= smallest:
            return f"expected a range of /{largest} (largest) to /{smallest} (smallest)"
        return None

    return rule


def any_range(value: Any) -> str | None:
    """A rule: an IPv4 or IPv6 range without host bits."""
    if _parsed(value) is None:
        return f"expected a range such as 10.0.0.0/16{_without_host_bits(value)}"
    return None


def reachable_from_outside(value: Any) -> str | None:
    """A rule: an IPv4 range of addresses that arrive over the internet, as EKS's public endpoint needs."""
    network = _parsed(value)
    if network is None:
        return any_range(value)
    if isinstance(network, IPv6Network):
        return "expected an IPv4 range: the endpoint of the cluster has no IPv6 address"
    if (
        any(network.overlaps(block) for block in (*_PRIVATE, _SHARED, *_NEVER_ROUTED))
        and network.prefixlen >= 8
    ):
        return "which is reserved and not routed on the internet; expected the public addresses of clients"
    return None


def not_the_internet(ranges: Iterable[str]) -> str | None:
    """A rule for ranges that have access from the internet: not all of the internet, in one range or
    several."""
    parsed = [network for entry in ranges if (network := _parsed(entry)) is not None]
    four = [network for network in parsed if isinstance(network, IPv4Network)]
    six = [network for network in parsed if isinstance(network, IPv6Network)]
    # Collapsed first: 0.0.0.0/1 with 128.0.0.0/1, or 256 adjacent /8s, are also the whole internet.
    for merged in (*collapse_addresses(four), *collapse_addresses(six)):
        widest = _WIDEST_IPV4 if isinstance(merged, IPv4Network) else _WIDEST_IPV6
        if merged.prefixlen < widest:
            return (
                f"which cover {merged}; expected the addresses of your offices, VPN or CI, "
                f"and no range wider than /{widest}"
            )
    if sum(merged.num_addresses for merged in collapse_addresses(four)) > _MOST_IPV4:
        return "which cover more than four /8; expected the addresses of your offices, VPN or CI"
    return None


def overlap(one: str, other: str) -> bool:
    """Whether two ranges share an address."""
    first, second = _parsed(one), _parsed(other)
    return type(first) is type(second) and first is not None and first.overlaps(second)  # type: ignore[arg-type]


def _parsed(value: Any) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return None


def _network_of(value: Any) -> IPv4Network | IPv6Network | None:
    """Return the range that an address is in, or a range with host bits."""
    try:
        return ip_network(value, strict=False)
    except ValueError:
        return None


def _without_host_bits(value: Any) -> str:
    near = _network_of(value)
    return "" if near is None else f"; did you mean '{near}'?"
