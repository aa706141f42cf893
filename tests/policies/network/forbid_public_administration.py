"""Spec of network.forbid_public_administration."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _rule(port: int, source: Any = "0.0.0.0/0", **more: Any) -> Any:
    props = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": source, **more}
    return resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", props)


def _firewall(*allows: dict[str, Any], **more: Any) -> Any:
    return resource("gcp:compute/firewall:Firewall", {"network": "acme", "allows": list(allows), **more})


SPEC = Spec(
    passes={
        "HTTPS from anywhere, which is for another policy": _rule(443),
        "SSH from one network": _rule(22, "10.0.0.0/8"),
        "SSH from pods of a network of class E": _rule(22, "240.0.0.0/4"),
        "what goes out": _firewall({"protocol": "all"}, direction="EGRESS"),
        "SSH from machines with a tag": _firewall(
            {"protocol": "tcp", "ports": ["22"]}, sourceTags=["bastion"]
        ),
        "a firewall that is off": _firewall({"protocol": "all"}, disabled=True),
        "what a policy's rule denies": resource(
            "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
            {
                "direction": "INGRESS",
                "action": "deny",
                "match": {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]},
            },
        ),
    },
    fails={
        "SSH from either half of the internet": Fails(
            resource(
                "aws:ec2/securityGroup:SecurityGroup",
                {
                    "ingress": [
                        {
                            "protocol": "tcp",
                            "fromPort": 22,
                            "toPort": 22,
                            "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"],
                            "ipv6CidrBlocks": ["fc00::/7", "2000::/3"],
                        }
                    ]
                },
            ),
            "ingress[0].cidrBlocks[1]",
            count=3,
        ),
        "SSH from anywhere": Fails(_rule(22), "cidrIpv4", "SSH"),
        "every port of a security group declared explicitly": Fails(
            resource(
                "aws:ec2/securityGroup:SecurityGroup",
                {
                    "ingress": [
                        {"protocol": "-1", "fromPort": 0, "toPort": 0, "ipv6CidrBlocks": ["::/0"]},
                        {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]},
                    ]
                },
            ),
            "ingress[0].ipv6CidrBlocks[0]",
            "everything",
        ),
        "a range with PostgreSQL in it": Fails(
            resource(
                "aws:ec2/securityGroupRule:SecurityGroupRule",
                {
                    "type": "ingress",
                    "protocol": "tcp",
                    "fromPort": 5400,
                    "toPort": 5500,
                    "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"],
                },
            ),
            "cidrBlocks[1]",
            "PostgreSQL",
        ),
        "RDP where no source is said": Fails(
            _firewall({"protocol": "tcp", "ports": ["3380-3390"]}), "sourceRanges", "RDP"
        ),
        "every port of a firewall policy": Fails(
            resource(
                "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
                {
                    "direction": "INGRESS",
                    "action": "allow",
                    "match": {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "tcp"}]},
                },
            ),
            "match.srcIpRanges[0]",
            "every port of tcp",
        ),
    },
    unknown={
        "a source that is unknown": _rule(22, UNKNOWN),
        "whether it is about what comes in": resource(
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {"type": UNKNOWN, "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]},
        ),
        "sources of a firewall that is unknown": _firewall({"protocol": "all"}, sourceRanges=UNKNOWN),
    },
)
