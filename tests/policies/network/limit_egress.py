"""Spec of network.limit_egress."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _rule(destination: Any, protocol: str = "-1") -> Any:
    props = {"ipProtocol": protocol, "cidrIpv4": destination}
    return resource("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", props)


def _group(protocol: str, *blocks: Any) -> Any:
    rule = {"protocol": protocol, "fromPort": 0, "toPort": 0, "cidrBlocks": list(blocks)}
    return resource("aws:ec2/securityGroup:SecurityGroup", {"egress": [rule]})


def _firewall(protocol: str, **more: Any) -> Any:
    props = {"direction": "EGRESS", "allows": [{"protocol": protocol}], **more}
    return resource("gcp:compute/firewall:Firewall", props)


SPEC = Spec(
    passes={
        "HTTPS to everywhere": _rule("0.0.0.0/0", "tcp"),
        "everything inside": _group("-1", "10.0.0.0/8"),
        "a firewall for one protocol": _firewall("tcp"),
    },
    fails={
        "everything to everywhere": Fails(_rule("0.0.0.0/0"), "cidrIpv4", "'0.0.0.0/0'"),
        "a group with the usual rule": Fails(
            _group("-1", "10.0.0.0/8", "0.0.0.0/0"), "egress[0].cidrBlocks[1]"
        ),
        "a rule next to its group": Fails(
            resource(
                "aws:ec2/securityGroupRule:SecurityGroupRule",
                {"type": "egress", "protocol": "all", "ipv6CidrBlocks": ["::/0"]},
            ),
            "ipv6CidrBlocks[0]",
        ),
        "a firewall without a destination": Fails(_firewall("all"), "destinationRanges"),
        "a firewall policy": Fails(
            resource(
                "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
                {
                    "direction": "EGRESS",
                    "action": "allow",
                    "match": {"destIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]},
                },
            ),
            "match.destIpRanges[0]",
        ),
    },
    unknown={
        "a destination that is unknown": _rule(UNKNOWN),
        "destinations of a firewall that is unknown": _firewall("all", destinationRanges=UNKNOWN),
    },
)
