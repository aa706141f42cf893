"""Egress rules name ports or networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..framework import UNKNOWN, Deferred, Entry, Outcome, Policy, Properties, Resource, Violation, check_each
from ..framework.ingress import ALL_PROTOCOLS, is_internet

POLICY = Policy(
    title="No unlimited egress",
    severity="medium",
    description="A rule that allows every protocol to every destination serves data theft and the remote "
    "control of compromised machines. Rules name the ports, most often 443, or the networks.",
    remediation="Name ports or networks in the rule; TCP 443 is sufficient for HTTPS.",
    frameworks=("NIST 800-53 SC-7(5)", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)

_BLOCKS: Final = ("cidrBlocks", "ipv6CidrBlocks")


@POLICY.on("aws:ec2/securityGroup:SecurityGroup")
def on_groups(resource: Resource) -> Iterator[Outcome]:
    """The rules of a security group."""
    yield from check_each(resource.entries("egress"), _check_rule, "protocol", *_BLOCKS)


@POLICY.on("aws:ec2/securityGroupRule:SecurityGroupRule")
def on_rules(resource: Resource) -> Iterator[Outcome]:
    """Rules as separate resources."""
    if resource.known("type") == "egress":
        yield from _check_rule(resource, "protocol", *_BLOCKS)


@POLICY.on("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
def on_single_rules(resource: Resource) -> Iterator[Outcome]:
    """Rules with one destination each."""
    yield from _check_rule(resource, "ipProtocol", "cidrIpv4", "cidrIpv6")


def _check_rule(rule: Properties, protocol: str, *destinations: str) -> Iterator[Outcome]:
    for key in destinations:
        yield from _check_destinations(rule, key, rule.raw(protocol), rule.where(protocol))


def _check_destinations(rule: Properties, key: str, protocol: Any, path: str) -> Iterator[Outcome]:
    if protocol is UNKNOWN or str(protocol).lower() in ALL_PROTOCOLS:
        yield from check_each(rule.entries(key), _check_destination, protocol, path)


def _check_destination(destination: Entry, protocol: Any, path: str) -> Iterator[Outcome]:
    if is_internet(destination.known()):
        if protocol is UNKNOWN:
            raise Deferred(path)
        yield Violation(destination.path, f"allows everything to {destination.known()!r}")


@POLICY.on("gcp:compute/firewall:Firewall")
def on_firewalls(resource: Resource) -> Iterator[Outcome]:
    """Firewall rules that allow everything."""
    if resource.known("direction") == "EGRESS" and resource.known("disabled") is not True:
        protocol, path = _widest_protocol(resource, "allows", "protocol")
        if protocol is not None:
            if not resource.known("destinationRanges"):
                if protocol is UNKNOWN:
                    raise Deferred(path)
                yield Violation("destinationRanges", "allows everything to '0.0.0.0/0'")
            yield from _check_destinations(resource, "destinationRanges", protocol, path)


@POLICY.on(
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
def on_policies(resource: Resource) -> Iterator[Outcome]:
    """Rules of firewall policies that allow everything."""
    allows = resource.known("action") == "allow" and resource.known("direction") == "EGRESS"
    if allows and resource.known("disabled") is not True:
        protocol, path = _widest_protocol(resource, "match.layer4Configs", "ipProtocol")
        if protocol is not None:
            yield from _check_destinations(resource, "match.destIpRanges", protocol, path)


def _widest_protocol(resource: Resource, layers: str, key: str) -> tuple[Any, str]:
    """Return `all` where a layer allows it, UNKNOWN where one is unknown, else None; with its path."""
    unknown: tuple[Any, str] = (None, "")
    for layer in resource.entries(layers):
        protocol = layer.raw(key)
        if protocol is UNKNOWN:
            unknown = (UNKNOWN, layer.where(key))
        elif str(protocol).lower() == "all":
            return "all", layer.where(key)
    return unknown
