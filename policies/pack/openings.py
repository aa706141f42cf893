"""What security groups and firewalls let in, as one thing on both clouds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from .policy import Undecided
from .resource import Resource
from .values import UNKNOWN, each

INGRESS: Final = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "gcp:compute/firewall:Firewall",
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
"""The types that let something in."""

_ALL: Final = ("-1", "all")
_EVERY_PORT: Final = (0, 65535)


# Of more addresses than these no private network is: 10.0.0.0/8, fc00::/7.
_LONGEST_PREFIX: Final = (7, 6)
# Where IPv4's addresses end that the internet has; pods on Google Cloud have those of 240.0.0.0/4.
_MULTICAST: Final = 224


def is_anywhere(network: Any) -> bool:
    """Whether a network is the internet (`0.0.0.0/0`, `::/0`, `0::0/0`) or a great part of it (`0.0.0.0/1`,
    `2000::/3`): two halves open what the whole does."""
    if not isinstance(network, str):
        return False
    address, _, length = network.partition("/")
    first = address.partition(".")[0]
    if not length.isdigit() or (first.isdigit() and int(first) >= _MULTICAST):
        return False
    return int(length) <= _LONGEST_PREFIX[":" in address]


@dataclass(frozen=True)
class Opening:
    """Ports of a protocol that the whole internet reaches."""

    path: str
    """The property path of the source."""
    source: str
    """`0.0.0.0/0`, or `anywhere` where nothing limits it."""
    protocol: str
    """`tcp`, `udp`, ...; `all` for every protocol."""
    first: int
    last: int

    @property
    def ports(self) -> str:
        """What is open, in words."""
        if self.protocol == "all":
            return "everything"
        if self.protocol not in ("tcp", "udp", "sctp"):
            return self.protocol
        if (self.first, self.last) == _EVERY_PORT:
            return f"every port of {self.protocol}"
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports}"

    def has(self, port: int) -> bool:
        """Whether a port of TCP or UDP is open."""
        return self.protocol in ("all", "tcp", "udp") and self.first <= port <= self.last


def openings(resource: Resource) -> Iterator[Opening | Undecided]:
    """What a resource of INGRESS opens to the internet."""
    if resource.type.startswith("gcp:"):
        yield from _on_google(resource)
    elif resource.type.endswith("SecurityGroupIngressRule"):
        sources = [(key, resource.get(key)) for key in ("cidrIpv4", "cidrIpv6")]
        yield from _opened(sources, resource.get("ipProtocol"), resource.props, "ipProtocol")
    elif resource.type.endswith("SecurityGroupRule"):
        if resource.get("type") is UNKNOWN:
            yield Undecided("type")
        elif resource.get("type") == "ingress":
            yield from _opened(_blocks(resource.props), resource.get("protocol"), resource.props, "protocol")
    else:
        if resource.get("ingress") is UNKNOWN:
            yield Undecided("ingress")
        for path, rule in resource.items("ingress"):
            sources = [(f"{path}.{key}", value) for key, value in _blocks(rule)]
            yield from _opened(sources, rule.get("protocol"), rule, f"{path}.protocol")


def _blocks(rule: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        value = rule.get(key)
        found += [(key, UNKNOWN)] if value is UNKNOWN else list(each(value, key))
    return found


def _opened(
    sources: list[tuple[str, Any]], protocol: Any, rule: Mapping[str, Any], path: str
) -> Iterator[Opening | Undecided]:
    for where, source in sources:
        if source is UNKNOWN:
            yield Undecided(where)
        elif is_anywhere(source):
            if protocol is UNKNOWN:
                yield Undecided(path)
            elif str(protocol) in _ALL:
                yield Opening(where, source, "all", *_EVERY_PORT)
            else:
                yield from _range(where, source, str(protocol), rule.get("fromPort"), rule.get("toPort"))


def _range(where: str, source: str, protocol: str, first: Any, last: Any) -> Iterator[Opening | Undecided]:
    if first is UNKNOWN or last is UNKNOWN:
        yield Undecided(where)
        return
    names = {"6": "tcp", "17": "udp"}
    yield Opening(where, source, names.get(protocol, protocol.lower()), *_ports(first, last))


def _ports(first: Any, last: Any) -> tuple[int, int]:
    try:
        return int(first), int(last)
    except (TypeError, ValueError):
        return _EVERY_PORT


def _on_google(resource: Resource) -> Iterator[Opening | Undecided]:
    if resource.get("direction") == "EGRESS" or resource.get("disabled") is True:
        return
    classic = resource.type == "gcp:compute/firewall:Firewall"
    if not classic and resource.get("action") not in ("allow", "goto_next", UNKNOWN):
        return
    ranges = "sourceRanges" if classic else "match.srcIpRanges"
    allowed, key = ("allows", "protocol") if classic else ("match.layer4Configs", "ipProtocol")
    for where, source in _sources(resource, ranges, classic):
        if source is UNKNOWN or resource.get(allowed) is UNKNOWN:
            yield Undecided(where if source is UNKNOWN else allowed)
        else:
            for _, layer in resource.items(allowed):
                yield from _layer(where, source, layer, key)


def _sources(resource: Resource, ranges: str, classic: bool) -> Iterator[tuple[str, Any]]:
    value = resource.get(ranges)
    if value is UNKNOWN:
        yield ranges, UNKNOWN
    for path, source in each(value, ranges):
        if source is UNKNOWN or is_anywhere(source):
            yield path, source
    others = [resource.get(key) for key in ("sourceTags", "sourceServiceAccounts")]
    if classic and all(other is not UNKNOWN and other in (None, []) for other in (value, *others)):
        yield ranges, "anywhere"


def _layer(where: str, source: str, layer: Any, key: str) -> Iterator[Opening | Undecided]:
    said = cast("Mapping[str, Any]", layer)
    protocol = said.get(key)
    if protocol is UNKNOWN or said.get("ports") is UNKNOWN:
        yield Undecided(where)
        return
    protocol = str(protocol).lower()
    if protocol == "all":
        yield Opening(where, source, "all", *_EVERY_PORT)
        return
    ports = list(each(said.get("ports")))
    if not ports:
        yield from _range(where, source, protocol, *_EVERY_PORT)
    for _, port in ports:
        first, _, last = ("", "", "") if port is UNKNOWN else str(port).partition("-")
        if port is UNKNOWN:
            yield Undecided(where)
        else:
            yield from _range(where, source, protocol, first, last or first)
