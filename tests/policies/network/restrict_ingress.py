"""Spec of network.restrict_ingress."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource


def _group(port: int, source: Any) -> Any:
    rule = {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": [source]}
    return resource("aws:ec2/securityGroup:SecurityGroup", {"ingress": [rule]})


def _prefixes(*networks: Any) -> Any:
    entries = [{"cidr": network, "description": "office"} for network in networks]
    return resource("aws:ec2/managedPrefixList:ManagedPrefixList", {"entries": entries})


def _addresses(*networks: Any) -> Any:
    return resource("gcp:networksecurity/addressGroup:AddressGroup", {"items": list(networks)})


_FIREWALL = resource(
    "gcp:compute/firewall:Firewall",
    {"allows": [{"protocol": "tcp", "ports": ["8080"]}], "sourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]},
)

SPEC = Spec(
    passes={
        "HTTPS from the network": _group(443, "10.0.0.0/8"),
        "a list of networks": _prefixes("10.0.0.0/8", "192.0.2.0/24"),
        "a group of addresses": _addresses("10.0.0.0/8"),
        "SSH from anywhere, which another policy reports": _group(22, "0.0.0.0/0"),
    },
    fails={
        "HTTPS from anywhere": Fails(_group(443, "0.0.0.0/0"), "ingress[0].cidrBlocks[0]", "tcp 443"),
        "a port of a firewall": Fails(_FIREWALL, "sourceRanges[1]", "tcp 8080"),
        "a list with the internet": Fails(
            _prefixes("10.0.0.0/8", "0.0.0.0/0"), "entries[1].cidr", "rules that name the list"
        ),
        "a list with two halves of the internet": Fails(
            _prefixes("0.0.0.0/1", "128.0.0.0/1"), "entries[0].cidr", "rules that name", count=2
        ),
        "an entry of a list": Fails(
            resource(
                "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry",
                {"cidr": "::/0", "prefixListId": "pl-1"},
            ),
            "cidr",
        ),
        "a group of addresses with the internet": Fails(_addresses("0.0.0.0/0"), "items[0]"),
        "ping from anywhere": Fails(
            resource(
                "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                {"ipProtocol": "icmp", "fromPort": 8, "toPort": 0, "cidrIpv4": "0.0.0.0/0"},
            ),
            "cidrIpv4",
            "icmp",
        ),
    },
    unknown={
        "a source that is unknown": _group(443, UNKNOWN),
        "an entry of a list": _prefixes(UNKNOWN),
        "an address": _addresses(UNKNOWN),
    },
    configured={
        "a public load balancer": Case(_group(443, "0.0.0.0/0"), {"public_ports": [80, 443]}, fails=False),
        "a firewall's port that is listed": Case(_FIREWALL, {"public_ports": [8080]}, fails=False),
    },
)
