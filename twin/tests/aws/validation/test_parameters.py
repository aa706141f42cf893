"""Parameters held against botocore's models."""

from __future__ import annotations

import pytest

from twin.aws.validation.parameters import violations
from twin.provider_interface import UNKNOWN


def test_a_missing_parameter_is_reported() -> None:
    assert ("VpcId", "Member must not be null") in violations("ec2", "CreateSubnet", {})


@pytest.mark.parametrize(
    ("service", "operation", "params", "path", "word"),
    [
        (
            "ec2",
            "RunInstances",
            {"InstanceType": "p9.big", "MinCount": 1, "MaxCount": 1},
            "InstanceType",
            "enum",
        ),
        ("eks", "CreateAddon", {"clusterName": "-", "addonName": "a"}, "clusterName", "pattern"),
        ("iam", "CreateRole", {"RoleName": "x" * 65, "AssumeRolePolicyDocument": "{}"}, "RoleName", "length"),
        (
            "kms",
            "EnableKeyRotation",
            {"KeyId": "k", "RotationPeriodInDays": 3},
            "RotationPeriodInDays",
            "value",
        ),
        ("ec2", "CreateVpc", {"CidrBlock": 3}, "CidrBlock", "must be a string"),
        ("ec2", "CreateVpc", {"Cidr": "x"}, "Cidr", "unknown parameter"),
    ],
)
def test_what_the_model_says_is_held(
    service: str, operation: str, params: dict[str, object], path: str, word: str
) -> None:
    errors = dict(violations(service, operation, params))
    assert word in errors[path]


def test_unknown_passes_anywhere() -> None:
    params = {
        "VpcId": UNKNOWN,
        "TagSpecifications": [{"ResourceType": UNKNOWN, "Tags": [{"Key": "a", "Value": UNKNOWN}]}],
    }
    assert violations("ec2", "CreateSubnet", params) == []
