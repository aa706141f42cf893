"""What leaves, leaves by a way that somebody chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.openings import is_anywhere

POLICY = Policy(
    title="Not everything may leave",
    severity="medium",
    description="A rule that lets every protocol out to everywhere is the way by which stolen data leaves "
    "and by which what broke in is steered. Rules say the ports, most often 443, or the "
    "networks.",
    remediation="Name ports or networks in the rule; for what is reached by HTTPS, TCP 443 is enough.",
    frameworks=("NIST 800-53 SC-7(5)", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)

_ALL: Final = ("-1", "all")


@POLICY.on("aws:ec2/securityGroup:SecurityGroup")
def on_groups(resource: Resource) -> Iterator[Judgement]:
    """Security groups with rules of their own."""
    if resource.get("egress") is UNKNOWN:
        yield Undecided("egress")
    for path, rule in resource.items("egress"):
        yield from _blocks(rule, rule.get("protocol"), f"{path}.")


@POLICY.on("aws:ec2/securityGroupRule:SecurityGroupRule")
def on_rules(resource: Resource) -> Iterator[Judgement]:
    """Rules beside their groups."""
    if resource.get("type") == "egress":
        yield from _blocks(resource.props, resource.get("protocol"), "")


def _blocks(rule: Mapping[str, Any], protocol: Any, prefix: str) -> Iterator[Judgement]:
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        if rule.get(key) is UNKNOWN and str(protocol) in _ALL:
            yield Undecided(f"{prefix}{key}")
        for path, block in each(rule.get(key), f"{prefix}{key}"):
            yield from _judged(path, protocol, block)


@POLICY.on("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
def on_single_rules(resource: Resource) -> Iterator[Judgement]:
    """Rules that are one rule each."""
    for key in ("cidrIpv4", "cidrIpv6"):
        if resource.get(key) is not None:
            yield from _judged(key, resource.get("ipProtocol"), resource.get(key))


def _judged(path: str, protocol: Any, destination: Any) -> Iterator[Judgement]:
    if protocol is not UNKNOWN and str(protocol).lower() not in _ALL:
        return
    if destination is UNKNOWN or (is_anywhere(destination) and protocol is UNKNOWN):
        yield Undecided(path)
    elif is_anywhere(destination):
        yield Finding(path, f"lets everything out to {destination!r}")


@POLICY.on("gcp:compute/firewall:Firewall")
def on_firewalls(resource: Resource) -> Iterator[Judgement]:
    """Firewalls that let everything out."""
    if resource.get("direction") == "EGRESS" and resource.get("disabled") is not True:
        yield from _layers(resource, "allows", "protocol", "destinationRanges")


@POLICY.on(
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
def on_policies(resource: Resource) -> Iterator[Judgement]:
    """Rules of firewall policies that do."""
    allows = resource.get("action") == "allow" and resource.get("direction") == "EGRESS"
    if allows and resource.get("disabled") is not True:
        yield from _layers(resource, "match.layer4Configs", "ipProtocol", "match.destIpRanges")


def _layers(resource: Resource, layers: str, key: str, ranges: str) -> Iterator[Judgement]:
    protocols = [cast("Mapping[str, Any]", layer).get(key) for _, layer in resource.items(layers)]
    everything = next((each for each in protocols if each is UNKNOWN or str(each).lower() == "all"), None)
    if everything is None:
        return
    destinations = resource.get(ranges)
    if destinations is UNKNOWN:
        yield Undecided(ranges)
    elif destinations in (None, []) and layers == "allows":
        yield from _judged(ranges, everything, "0.0.0.0/0")
    for path, destination in each(destinations, ranges):
        yield from _judged(path, everything, destination)
