"""What a role's trust policy lets a service do."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from twin.aws.iam import trust

ACCOUNT = {"aws:SourceAccount": "123456789012"}
EKS: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "eks.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
OWN = {"Condition": {"StringEquals": ACCOUNT}}
DENY_ALL = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}


def role(*statements: Any) -> Any:
    """moto's role with this trust policy."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return SimpleNamespace(arn="arn:aws:iam::123456789012:role/one", assume_role_policy_document=document)


@pytest.mark.parametrize(
    ("statements", "lets"),
    [
        ([EKS], True),
        ([], False),
        ([{**EKS, "Principal": {"Service": ["ec2.amazonaws.com", "eks.amazonaws.com"]}}], True),
        ([{**EKS, "Principal": {"Service": "ec2.amazonaws.com"}}], False),
        ([{**EKS, "Principal": {"AWS": "*"}}], False),
        ([{**EKS, "Action": "sts:*"}], True),
        ([{**EKS, "Action": "sts:TagSession"}], False),
        ([{**EKS, **OWN}], True),
        ([{**EKS, "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}], False),
        ([{**EKS, "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:eks:::cluster/x"}}}], False),
        ([EKS, DENY_ALL], False),
        ([DENY_ALL, EKS], False),
        ([EKS, {**DENY_ALL, "Principal": {"AWS": "*"}}], False),
        ([EKS, {**DENY_ALL, "Principal": {"Service": "eks.amazonaws.com"}}], False),
        ([EKS, {**DENY_ALL, "Principal": {"Service": "ec2.amazonaws.com"}}], True),
        ([EKS, {**DENY_ALL, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}], True),
        ([EKS, {**DENY_ALL, "Action": "sts:TagSession"}], True),
        ([EKS, {**DENY_ALL, "Condition": {"StringNotEquals": ACCOUNT}}], True),
        ([EKS, {**DENY_ALL, **OWN}], False),
        (
            [EKS, {"Effect": "Deny", "NotPrincipal": {"Service": "eks.amazonaws.com"}, "Action": "sts:*"}],
            True,
        ),
        (
            [EKS, {"Effect": "Deny", "NotPrincipal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:*"}],
            False,
        ),
    ],
)
def test_conditions_count_and_deny_wins(statements: list[Any], lets: bool) -> None:
    assert trust.lets(role(*statements), "eks.amazonaws.com", ACCOUNT) == lets


def test_every_action_must_be_allowed() -> None:
    both = (trust.ASSUME, trust.TAG)
    assert not trust.lets(role(EKS), "eks.amazonaws.com", {}, both)
    assert trust.lets(role(EKS, {**EKS, "Action": "sts:TagSession"}), "eks.amazonaws.com", {}, both)


def test_what_is_no_policy_allows_no_principal() -> None:
    broken = SimpleNamespace(arn="arn", assume_role_policy_document="{")
    assert not trust.lets(broken, "eks.amazonaws.com", {})


@pytest.mark.parametrize(
    ("statements", "lets"),
    [
        ([{**EKS, "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}], True),
        ([EKS, {**DENY_ALL, "Condition": {"StringNotEquals": ACCOUNT}}], True),
        ([EKS, DENY_ALL], False),
        ([{**EKS, "Principal": {"Service": "ec2.amazonaws.com"}}], False),
    ],
)
def test_without_a_request_conditions_are_open(statements: list[Any], lets: bool) -> None:
    assert trust.lets(role(*statements), "eks.amazonaws.com", None) == lets
