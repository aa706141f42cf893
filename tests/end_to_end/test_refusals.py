"""Errors that only the cloud can report, reported by the twin in AWS's words, through the real engine.

Each error names the resource and the invalid property, and the resource is not created.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end.plain import Base, Plain, trust

pytestmark = pytest.mark.end_to_end


def node_group(base: Base, **arguments: Any) -> None:
    """Declare a node group that is valid but for one argument."""
    good: dict[str, Any] = {
        "cluster_name": base.cluster,
        "node_role_arn": base.node_role_arn,
        "subnet_ids": base.subnet_ids,
        "scaling_config": {"min_size": 0, "desired_size": 0, "max_size": 1},
    }
    aws.eks.NodeGroup("bad", **{**good, **arguments})


def policy(action: str) -> str:
    """Return an IAM policy that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def rule(base: Base) -> None:
    """Declare a rule whose first port is above its last."""
    group = aws.ec2.DefaultSecurityGroup("found", vpc_id=base.vpc_id)
    aws.vpc.SecurityGroupIngressRule(
        "bad",
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=443,
        to_port=80,
        cidr_ipv4="10.0.0.0/16",
    )


PREVIEWED: dict[str, tuple[Callable[[Base], Any], str, str]] = {
    "an AMI type that does not exist": (
        lambda base: node_group(base, ami_type="AL2023_x86_64_NVIDA"),
        "amiType",
        "AL2023_x86_64_NVIDA",
    ),
    "a policy that is no JSON": (lambda _: aws.iam.Policy("bad", policy='{"Version": '), "policy", "JSON"),
    "a rule with from above to": (rule, "fromPort", "443-80"),
    "a misspelt key in a nested dictionary": (
        lambda _: aws.ec2.LaunchTemplate("bad", metadata_options={"http_tokns": "required"}),  # pyright: ignore
        "metadataOptions",
        "httpTokens",
    ),
}
"""Errors before anything is created: the program, the property, a word of the reason."""

UPDATED: dict[str, tuple[Callable[[Base], Any], str, str]] = {
    "an instance type that does not exist": (
        lambda base: node_group(base, instance_types=["g4dn.xlrge"]),
        "instanceTypes",
        "g4dn.xlrge",
    ),
    "a policy that names an unknown service": (
        lambda _: aws.iam.Policy("bad", policy=policy("ecs2:RunTask")),
        "policy",
        "ecs2",
    ),
    "a subnet outside of its network": (
        lambda base: aws.ec2.Subnet("bad", vpc_id=base.vpc_id, cidr_block="192.168.0.0/24"),
        "cidrBlock",
        "InvalidSubnet.Range",
    ),
    "a name that is taken": (
        lambda base: aws.iam.Role(
            "bad", name=base.cluster_role, assume_role_policy=trust("eks.amazonaws.com")
        ),
        "name",
        "EntityAlreadyExists",
    ),
    "a reference to what is not there": (
        lambda _: aws.ec2.Subnet("bad", vpc_id="vpc-0123456789abcdef0", cidr_block="10.0.9.0/24"),
        "vpcId",
        "InvalidVpcID.NotFound",
    ),
}
"""Errors that depend on the cloud's state."""


@pytest.mark.parametrize("case", PREVIEWED)
def test_invalid_argument_fails_the_preview(plain: Plain, base: Base, case: str) -> None:
    program, path, word = PREVIEWED[case]
    with pytest.raises(automation.CommandError) as refused:
        plain.stack("refusals", lambda: program(base)).preview()
    report = str(refused.value).partition("Diagnostics:")[2]
    assert "(bad)" in report, "the resource"
    assert path in report, "the property"
    assert word in report, "what it got, or what would be right"


@pytest.mark.parametrize("case", UPDATED)
def test_invalid_request_fails_the_update_and_creates_nothing(plain: Plain, base: Base, case: str) -> None:
    program, path, word = UPDATED[case]
    before = plain.inventory()
    with pytest.raises(automation.CommandError) as refused:
        plain.stack("refusals", lambda: program(base)).up()
    report = str(refused.value).partition("Diagnostics:")[2]
    assert "(bad)" in report, "the resource"
    assert path in report, "the property"
    assert word in report, "the cloud's error"
    assert plain.inventory() == before


def test_a_type_without_an_entry_gets_a_warning_in_a_preview_and_an_error_in_an_update(plain: Plain) -> None:
    def group() -> None:
        aws.workspaces.IpGroup("offices")

    stack = plain.stack("refusals", group)
    token = "aws:workspaces/ipGroup:IpGroup"
    assert f"the twin has no entry for {token}" in stack.preview().stdout
    with pytest.raises(automation.CommandError, match=rf"{token}.*twin/aws/services/workspaces/resources"):
        stack.up()


def test_environment_file_with_errors_reports_all_of_them_and_changes_nothing(plain: Plain) -> None:
    change = {
        "network/cidrr": "10.0.0.0/16",
        "cluster/api_access": {"mode": "cidrs", "cidrs": ["0.0.0.0/0"]},
        "environment/profile": "production",
        "gpu_pools/t4/max": 0,
    }
    before = plain.inventory()
    done = plain.changed("up", "--yes", "--skip-preview", change=change, check=False, stack="aws-dev")
    assert done.returncode != 0
    report = done.stdout + done.stderr
    assert "errors; nothing was changed" in report
    for line in (
        r": network\.cidrr: unknown key; did you mean 'cidr'\?",
        r": cluster\.api_access\.cidrs: got \['0\.0\.0\.0/0'\], which cover 0\.0\.0\.0/0; expected",
        r": environment\.profile: got 'production'; expected 'dev', 'staging' or 'prod'",
        r": gpu_pools\.t4\.max: got 0",
    ):
        assert re.search(rf"environments/Pulumi\.aws-dev\.yaml:\d+{line}", report), (
            "file, line, key, the value and the expected one"
        )
    assert plain.inventory() == before


def test_unknown_accelerator_is_refused_before_anything_is_created(plain: Plain) -> None:
    before = plain.inventory()
    change = {"gpu_pools/t4/accelerator": "h10"}
    done = plain.changed("up", "--yes", "--skip-preview", change=change, check=False, stack="aws-dev")
    assert done.returncode != 0
    assert ": gpu_pools.t4.accelerator: " in done.stdout + done.stderr
    assert "did you mean 'h100'" in done.stdout + done.stderr
    assert plain.inventory() == before
