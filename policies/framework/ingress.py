"""Ports that security groups and firewalls open to the internet, in one form for both clouds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .properties import Deferred, Entry, Properties
from .resource import Resource
from .values import UNKNOWN

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
"""The types that have ingress rules."""

ALL_PROTOCOLS: Final = ("-1", "all")
_EVERY_PORT: Final = (0, 65535)


# No private network has a shorter prefix: 10.0.0.0/8, fc00::/7.
_LONGEST_PREFIX: Final = (7, 6)
# Where the public IPv4 addresses end; pods on Google Cloud have addresses of 240.0.0.0/4.
_MULTICAST: Final = 224


def is_internet(network: Any) -> bool:
    """Return whether a network is the internet (`0.0.0.0/0`, `::/0`, `0::0/0`) or a large part of it
    (`0.0.0.0/1`, `2000::/3`): two halves open the same as the whole."""
    if not isinstance(network, str):
        return False
    address, _, length = network.partition("/")
    first = address.partition(".")[0]
    if not length.isdigit() or (first.isdigit() and int(first) >= _MULTICAST):
        return False
    return int(length) <= _LONGEST_PREFIX[":" in address]


@dataclass(frozen=True)
class OpenPorts:
    """Ports of a protocol that are open to the internet."""

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
        """Protocol and ports, for messages."""
        if self.protocol == "all":
            return "everything"
        if self.protocol not in ("tcp", "udp", "sctp"):
            return self.protocol
        if (self.first, self.last) == _EVERY_PORT:
            return f"every port of {self.protocol}"
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports}"

    def includes(self, port: int) -> bool:
        """Return whether a port of TCP or UDP is open."""
        return self.protocol in ("all", "tcp", "udp") and self.first <= port <= self.last


def open_ports(resource: Resource) -> Iterator[OpenPorts | Deferred]:
    """Yield what a resource of INGRESS opens to the internet; Deferred for what is unknown."""
    if resource.type.startswith("gcp:"):
        yield from _google_ports(resource)
    elif resource.type.endswith("SecurityGroupIngressRule"):
        sources = [Entry(key, resource.raw(key)) for key in ("cidrIpv4", "cidrIpv6")]
        yield from _aws_ports(resource, sources, "ipProtocol")
    elif resource.type.endswith("SecurityGroupRule"):
        kind = resource.raw("type")
        if kind is UNKNOWN:
            yield Deferred("type")
        elif kind == "ingress":
            yield from _aws_ports(resource, _blocks(resource), "protocol")
    else:
        for rule in _entries(resource, "ingress"):
            if isinstance(rule, Deferred) or rule.body is UNKNOWN:
                yield Deferred(rule.path)
            else:
                yield from _aws_ports(rule, _blocks(rule), "protocol")


def _entries(properties: Properties, path: str) -> Iterator[Entry | Deferred]:
    try:
        yield from properties.entries(path)
    except Deferred as deferred:
        yield deferred


def _blocks(rule: Properties) -> Iterator[Entry | Deferred]:
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        yield from _entries(rule, key)


def _internet(sources: Any) -> Iterator[Entry | Deferred]:
    """Yield the sources that are the internet; Deferred for unknown ones."""
    for source in sources:
        if isinstance(source, Deferred) or source.body is UNKNOWN:
            yield Deferred(source.path)
        elif is_internet(source.body):
            yield source


def _aws_ports(rule: Properties, sources: Any, key: str) -> Iterator[OpenPorts | Deferred]:
    for source in _internet(sources):
        try:
            if isinstance(source, Deferred):
                raise source
            protocol = str(rule.known(key))
            if protocol in ALL_PROTOCOLS:
                yield OpenPorts(source.path, source.body, "all", *_EVERY_PORT)
            else:
                yield _range(source, protocol, rule.known("fromPort"), rule.known("toPort"))
        except Deferred as deferred:
            yield deferred


def _range(source: Entry, protocol: str, first: Any, last: Any) -> OpenPorts:
    names = {"6": "tcp", "17": "udp"}
    try:
        ports = int(first), int(last)
    except (TypeError, ValueError):
        ports = _EVERY_PORT
    return OpenPorts(source.path, source.body, names.get(protocol, protocol.lower()), *ports)


def _google_ports(resource: Resource) -> Iterator[OpenPorts | Deferred]:
    if resource.raw("direction") == "EGRESS" or resource.raw("disabled") is True:
        return
    classic = resource.type == "gcp:compute/firewall:Firewall"
    if not classic and resource.raw("action") not in ("allow", "goto_next", UNKNOWN):
        return
    layers, key = ("allows", "protocol") if classic else ("match.layer4Configs", "ipProtocol")
    for source in _google_sources(resource, classic):
        if isinstance(source, Deferred):
            yield source
            continue
        for layer in _entries(resource, layers):
            yield from [layer] if isinstance(layer, Deferred) else _layer_ports(resource, source, layer, key)


def _google_sources(resource: Resource, classic: bool) -> Iterator[Entry | Deferred]:
    ranges = "sourceRanges" if classic else "match.srcIpRanges"
    yield from _internet(_entries(resource, ranges))
    limits = (ranges, "sourceTags", "sourceServiceAccounts")
    if classic and all(resource.raw(key) is not UNKNOWN and not resource.raw(key) for key in limits):
        yield Entry(ranges, "anywhere")


def _layer_ports(resource: Resource, source: Entry, layer: Entry, key: str) -> Iterator[OpenPorts | Deferred]:
    try:
        # Whether the rule applies at all decides as well.
        for path in ("direction", "disabled", "action"):
            resource.known(path)
        protocol = str(layer.known(key)).lower()
        ports = [] if protocol == "all" else list(layer.entries("ports"))
    except Deferred as deferred:
        yield deferred
        return
    if protocol == "all":
        yield OpenPorts(source.path, source.body, "all", *_EVERY_PORT)
    elif not ports:
        yield _range(source, protocol, *_EVERY_PORT)
    for port in ports:
        if port.body is UNKNOWN:
            yield Deferred(port.path)
        else:
            first, _, last = str(port.body).partition("-")
            yield _range(source, protocol, first, last or first)
