"""A create that the cloud refuses midway, under the real engine: shown, repaired, and nothing left of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end.plain import Plain

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[Plain]:
    twin = Plain(home, "interrupted")
    yield twin
    twin.remove()


def network() -> None:
    """A network that takes three calls, and a group whose second call takes the way out away."""
    vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
    aws.ec2.SecurityGroup("nodes", vpc_id=vpc.id, description="nothing in, nothing out")


def changes(result: automation.PreviewResult | automation.UpResult) -> dict[str, int]:
    """What was or would be changed."""
    summary = (
        result.change_summary
        if isinstance(result, automation.PreviewResult)
        else result.summary.resource_changes or {}
    )
    return {
        str(getattr(op, "value", op)): n for op, n in summary.items() if getattr(op, "value", op) != "same"
    }


def failing(world: Plain, operation: str) -> None:
    """Let the next call of this operation fail, and every try of it again."""
    words = ("--service", "ec2", "--operation", operation, "--code", "InvalidRequest", "--status", "400")
    world.cli("twin", "fault", "fail", "--name", world.environment, *words)


def test_a_create_that_fails_midway_is_shown_and_repaired_by_the_next_update(world: Plain) -> None:
    stack = world.stack("network", network)
    failing(world, "ModifyVpcAttribute")
    with pytest.raises(automation.CommandError, match="ModifyVpcAttribute"):
        stack.up()
    shown = stack.preview()
    assert changes(shown) == {"update": 1, "create": 1}
    assert "enableDnsHostnames" in shown.stdout, "what differs is named"
    failing(world, "RevokeSecurityGroupEgress")
    with pytest.raises(automation.CommandError, match="RevokeSecurityGroupEgress"):
        stack.up()
    ec2 = world.aws("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    named = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert named["EnableDnsHostnames"]["Value"], "the second `up` brought what the first did not come to"
    assert changes(stack.preview()) == {"update": 1}, "no input of the group says what is left"
    stack.up()
    [group] = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc["VpcId"]]},
            {"Name": "description", "Values": ["nothing in, nothing out"]},
        ]
    )["SecurityGroups"]
    assert not group["IpPermissionsEgress"], "no way out is left open"
    assert not changes(stack.preview(refresh=True))
    stack.destroy()
    assert world.inventory() == {}


def test_a_create_that_fails_midway_is_destroyed(world: Plain) -> None:
    stack = world.stack("destroyed", network)
    failing(world, "ModifyVpcAttribute")
    with pytest.raises(automation.CommandError):
        stack.up()
    stack.destroy()
    assert world.inventory() == {}
