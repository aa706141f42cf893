"""A create that fails midway, with the real engine: it is shown, repaired, and destroyed without a rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end.plain import Plain

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def instance(home: Path) -> Iterator[Plain]:
    twin = Plain(home, "interrupted", checkpoints=True)
    yield twin
    twin.remove()


def network() -> None:
    """Declare a network that takes three calls, and a group whose second call revokes its egress rule."""
    vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
    aws.ec2.SecurityGroup("nodes", vpc_id=vpc.id, description="nothing in, nothing out")


def changes(result: automation.PreviewResult | automation.UpResult) -> dict[str, int]:
    """Return the changes of a result by operation, without `same`."""
    summary = (
        result.change_summary
        if isinstance(result, automation.PreviewResult)
        else result.summary.resource_changes or {}
    )
    return {
        str(getattr(op, "value", op)): n for op, n in summary.items() if getattr(op, "value", op) != "same"
    }


def failing(instance: Plain, operation: str) -> None:
    """Make the next call of an operation fail, and its retries."""
    words = ("--service", "ec2", "--operation", operation, "--code", "InvalidRequest", "--status", "400")
    instance.cli("twin", "fault", "fail", "--name", instance.environment, *words)


def test_a_create_that_fails_midway_is_shown_and_repaired_by_the_next_update(instance: Plain) -> None:
    stack = instance.stack("network", network)
    failing(instance, "ModifyVpcAttribute")
    with pytest.raises(automation.CommandError, match="ModifyVpcAttribute"):
        stack.up()
    preview = stack.preview()
    assert changes(preview) == {"update": 1, "create": 1}
    assert "enableDnsHostnames" in preview.stdout, "the difference is named"
    failing(instance, "RevokeSecurityGroupEgress")
    with pytest.raises(automation.CommandError, match="RevokeSecurityGroupEgress"):
        stack.up()
    ec2 = instance.aws("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    named = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert named["EnableDnsHostnames"]["Value"], "the second `up` made the call that the first had not made"
    assert changes(stack.preview()) == {"update": 1}, (
        "the missing call appears as an update, although no input changed"
    )
    stack.up()
    [group] = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc["VpcId"]]},
            {"Name": "description", "Values": ["nothing in, nothing out"]},
        ]
    )["SecurityGroups"]
    assert not group["IpPermissionsEgress"], "no egress rule is left"
    assert not changes(stack.preview(refresh=True))
    stack.destroy()
    assert instance.inventory() == {}


def test_a_create_that_fails_midway_is_destroyed(instance: Plain) -> None:
    stack = instance.stack("destroyed", network)
    failing(instance, "ModifyVpcAttribute")
    with pytest.raises(automation.CommandError):
        stack.up()
    stack.destroy()
    assert instance.inventory() == {}
