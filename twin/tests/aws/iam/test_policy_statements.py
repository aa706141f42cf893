"""IAM evaluation: Deny wins, conditions hold, nothing is allowed that is not."""

from __future__ import annotations

from typing import Any

import pytest

from twin.aws.iam.policy_statements import allows

ARN = "arn:aws:autoscaling:us-west-2:1:autoScalingGroup:x:autoScalingGroupName/a"
TAG = "aws:ResourceTag/k8s.io/cluster-autoscaler/demo"


def document(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    """One policy."""
    return [{"Version": "2012-10-17", "Statement": list(statements)}]


def allow(**more: Any) -> dict[str, Any]:
    """A statement that allows, changed."""
    return {"Effect": "Allow", "Action": "autoscaling:*", "Resource": "*", **more}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([allow()], True),
        ([allow(Action="AUTOSCALING:set*")], True),
        ([allow(Action="autoscaling:Describe*")], False),
        ([allow(), {"Effect": "Deny", "Action": "*", "Resource": "*"}], False),
        ([allow(Resource="arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/a")], True),
        ([allow(Resource="arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/b")], False),
        ([allow(Condition={"StringEquals": {TAG: "owned"}})], True),
        ([allow(Condition={"StringEquals": {TAG: "shared"}})], False),
        ([allow(Condition={"StringLike": {TAG: "own*"}})], True),
        ([allow(Condition={"StringEquals": {"aws:ResourceTag/none": "x"}})], False),
        ([allow(Condition={"StringEqualsIfExists": {"aws:ResourceTag/none": "x"}})], True),
        ([allow(Condition={"StringNotEquals": {"aws:ResourceTag/none": "x"}})], True),
        ([allow(Condition={"Null": {TAG: "true"}})], False),
        ([allow(Condition={"UnheardOf": {TAG: "owned"}})], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
    ],
)
def test_a_policy_allows_what_iam_would(statements: list[dict[str, Any]], expected: bool) -> None:
    context = {TAG: "owned"}
    assert allows(document(*statements), "autoscaling:SetDesiredCapacity", ARN, context) is expected
