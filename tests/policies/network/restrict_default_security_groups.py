"""Spec of network.close_default_security_groups."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource, stack

_VPC = resource("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, name="vpc")
_OTHER = resource("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}, name="other")


def _group(**more: Any) -> Any:
    return resource(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": UNKNOWN, **more}, name="group"
    )


_ALL = {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}

SPEC = Spec(
    passes={
        "a group without rules": _group(),
        "a VPC with a group without rules": stack(_VPC, _group(), uses={"group": ["vpc"]}),
        "a program without a VPC": stack(resource("aws:s3/bucket:Bucket", {})),
    },
    fails={
        "a group with a rule": Fails(_group(ingress=[_ALL]), "ingress", "1 rule(s)"),
        "a group that allows all egress": Fails(_group(egress=[_ALL]), "egress"),
        "a VPC alone": Fails(stack(_VPC), "", "the rules that AWS gives", of="vpc"),
        "the group of another VPC": Fails(
            stack(_VPC, _OTHER, _group(), uses={"group": ["vpc"]}), "", of="other"
        ),
    },
    unknown={"rules that is unknown": _group(ingress=UNKNOWN)},
)
