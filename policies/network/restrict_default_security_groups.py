"""Default security groups have no rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each

POLICY = Policy(
    title="Default security groups without rules",
    severity="high",
    description="A resource that is created in a VPC without a security group gets the default one, in which "
    "all traffic among its members is allowed. A program that creates a VPC adopts its default group and "
    "removes its rules.",
    remediation="Add an aws.ec2.DefaultSecurityGroup for the VPC without ingress and egress.",
    frameworks=("CIS AWS 5.4", "NIST 800-53 SC-7", "NIST 800-53 CM-6", "SOC 2 CC6.6"),
)

_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"


@POLICY.on(_GROUP)
def on_groups(resource: Resource) -> Iterator[Outcome]:
    """A default group with rules."""
    yield from check_each(("ingress", "egress"), _check_rules, resource)


def _check_rules(key: str, resource: Resource) -> Iterator[Outcome]:
    rules = resource.known(key)
    if rules:
        yield Violation(key, f"has {len(rules)} rule(s), which apply to every resource without a group")


@POLICY.on_stack
def on_vpcs(stack: Stack) -> Iterator[Outcome]:
    """A VPC whose default group keeps the rules of AWS."""
    yield from check_each(stack.of("aws:ec2/vpc:Vpc"), _check_vpc, stack, stack.of(_GROUP))


def _check_vpc(vpc: Resource, stack: Stack, groups: Sequence[Resource]) -> Iterator[Outcome]:
    identifier = vpc.raw("id")
    adopted = any(user.type == _GROUP for user in stack.users_of(vpc)) or any(
        isinstance(identifier, str) and group.raw("vpcId") == identifier for group in groups
    )
    if not adopted:
        yield Violation("", "keeps the rules that AWS gives its default security group")
