"""Values against the SDK's types."""

from __future__ import annotations

from typing import Any

import pytest

from twin.checks.check import check
from twin.checks.sdk import sdk
from twin.property_values import Asset
from twin.provider_interface import UNKNOWN

AWS = sdk("pulumi_aws")
CLUSTER = "aws:eks/cluster:Cluster"
GOOD: dict[str, Any] = {"roleArn": "arn", "vpcConfig": {"subnetIds": ["a", "b"]}}


def reasons(token: str, values: dict[str, Any]) -> dict[str, str]:
    schema = AWS.resource(token)
    assert schema
    return {failure.path: failure.reason for failure in check(AWS, token, schema.inputs, values)}


def test_what_is_right_passes() -> None:
    assert not reasons(CLUSTER, {**GOOD, "tags": {"a.b/c": "d"}})


def test_a_misspelt_key_is_found_at_any_depth_with_a_suggestion() -> None:
    by_path = reasons(CLUSTER, {**GOOD, "vpcConfig": {"subnetIds": ["a"], "endpointPrivatAccess": True}})
    assert list(by_path) == ["vpcConfig.endpointPrivatAccess"]
    assert "'endpointPrivateAccess'" in by_path["vpcConfig.endpointPrivatAccess"]


def test_an_error_for_a_snake_case_key_names_the_key_on_the_wire() -> None:
    assert "'roleArn'" in reasons(CLUSTER, {**GOOD, "role_arn": "x"} | {"roleArn": None})["role_arn"]


def test_an_error_for_a_key_unlike_any_other_lists_the_known_ones() -> None:
    assert "it knows: accessConfig" in reasons(CLUSTER, {**GOOD, "zzz": 1})["zzz"]


def test_a_missing_argument_is_named_where_it_belongs() -> None:
    by_path = reasons(CLUSTER, {"roleArn": "x", "vpcConfig": {}})
    assert "missing" in by_path["vpcConfig.subnetIds"]
    assert "a list" in by_path["vpcConfig.subnetIds"]


def test_a_misspelt_required_key_is_reported_once() -> None:
    assert list(reasons(CLUSTER, {"roleArm": "x", "vpcConfig": GOOD["vpcConfig"]})) == ["roleArm"]


@pytest.mark.parametrize(
    ("values", "path", "words"),
    [
        ({"roleArn": 5}, "roleArn", "expected a string, got the number 5"),
        (
            {"deletionProtection": "true"},
            "deletionProtection",
            'expected true or false, got the string "true"',
        ),
        (
            {"vpcConfig": [GOOD["vpcConfig"]]},
            "vpcConfig",
            "expected an object (ClusterVpcConfig), got a list of 1",
        ),
        ({"vpcConfig": {"subnetIds": "a"}}, "vpcConfig.subnetIds", "expected a list, each item a string"),
        ({"vpcConfig": {"subnetIds": ["a", 1]}}, "vpcConfig.subnetIds[1]", "expected a string"),
        ({"enabledClusterLogTypes": {"a": "b"}}, "enabledClusterLogTypes", "got an object with a"),
        ({"tags": {"a.b": True}}, 'tags["a.b"]', "expected a string, got true"),
        ({"tags": ["a"]}, "tags", "expected a map"),
    ],
)
def test_a_wrong_type_is_named_with_what_it_got(values: dict[str, Any], path: str, words: str) -> None:
    by_path = reasons(CLUSTER, {**GOOD, **values})
    assert list(by_path) == [path]
    assert words in by_path[path]


def test_a_fraction_is_no_whole_number() -> None:
    by_path = reasons("aws:sqs/queue:Queue", {"delaySeconds": 1.5})
    assert "a whole number" in by_path["delaySeconds"]
    assert reasons("aws:sqs/queue:Queue", {"delaySeconds": True}), "nor is a truth value"


@pytest.mark.parametrize(
    "values",
    [
        {"roleArn": UNKNOWN, "vpcConfig": UNKNOWN},
        {"roleArn": "x", "vpcConfig": {"subnetIds": UNKNOWN}},
        {"roleArn": "x", "vpcConfig": {"subnetIds": [UNKNOWN, "a"]}, "tags": {"a": UNKNOWN}},
    ],
)
def test_unknown_passes_wherever_it_stands(values: dict[str, Any]) -> None:
    assert not reasons(CLUSTER, values)


def test_an_asset_is_wanted_where_the_sdk_says_so() -> None:
    token = "aws:s3/bucketObjectv2:BucketObjectv2"
    assert not reasons(token, {"bucket": "b", "source": Asset(text="x")})
    assert "an asset" in reasons(token, {"bucket": "b", "source": "x"})["source"]
    assert "got an asset" in reasons(token, {"bucket": Asset(text="x")})["bucket"]


def test_a_union_of_a_document_and_its_text_takes_both() -> None:
    token = "aws:iam/policy:Policy"
    assert not reasons(token, {"policy": "{}"})
    assert reasons(token, {"policy": 5})
