"""What nobody chose, lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided

POLICY = Policy(
    title="Default security groups closed",
    severity="high",
    description="What is started in a VPC without a security group gets the default one, in which "
    "everything reaches everything. A program that makes a VPC takes its default group over "
    "and leaves it without rules.",
    remediation="Add an aws.ec2.DefaultSecurityGroup for the VPC without ingress and egress.",
    frameworks=("CIS AWS 5.4", "NIST 800-53 SC-7", "NIST 800-53 CM-6", "SOC 2 CC6.6"),
)

_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"


@POLICY.on(_GROUP)
def on_groups(resource: Resource) -> Iterator[Judgement]:
    """A default group with rules."""
    for key in ("ingress", "egress"):
        rules = resource.get(key)
        if rules is UNKNOWN:
            yield Undecided(key)
        elif rules:
            yield Finding(key, f"has {len(rules)} rule(s), by which what has no group of its own is reached")


@POLICY.on_stack
def on_vpcs(stack: Stack) -> Iterator[Judgement]:
    """A VPC whose default group is as AWS made it."""
    groups = stack.of(_GROUP)
    for vpc in stack.of("aws:ec2/vpc:Vpc"):
        of_it = [user for user in stack.users_of(vpc) if user.type == _GROUP]
        named = [each for each in groups if each.get("vpcId") is not UNKNOWN and _is(vpc, each.get("vpcId"))]
        if not of_it and not named:
            yield Finding("", "leaves its default security group open, as AWS made it", vpc)


def _is(vpc: Resource, identifier: object) -> bool:
    known = vpc.get("id")
    return known is not UNKNOWN and known is not None and known == identifier
