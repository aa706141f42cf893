"""The types read from an SDK's source are those that the SDK itself states when it is imported."""

from __future__ import annotations

import importlib
import sys

import pytest
from pulumi import _types

from twin.checks.sdk import Sdk, sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, Scalar

AWS = sdk("pulumi_aws")


@pytest.mark.parametrize(
    ("token", "module", "resource", "arguments"),
    [
        ("aws:eks/cluster:Cluster", "eks.cluster", "Cluster", "ClusterArgs"),
        ("aws:kms/key:Key", "kms.key", "Key", "KeyArgs"),
        (
            "aws:s3/bucketVersioning:BucketVersioning",
            "s3.bucket_versioning",
            "BucketVersioning",
            "BucketVersioningInitArgs",
        ),
    ],
)
def test_names_agree_with_the_imported_class(token: str, module: str, resource: str, arguments: str) -> None:
    # The package first, by something in it: the SDK loads it lazily, and a module of it that is imported
    # before it leaves it empty for every other test of this process.
    package = importlib.import_module(f"pulumi_aws.{module.partition('.')[0]}")
    assert getattr(package, resource)
    imported = sys.modules[f"pulumi_aws.{module}"]
    schema = AWS.resource(token)
    assert schema
    outputs = _types.resource_py_to_pulumi_names(getattr(imported, resource)).values()
    assert set(schema.outputs) == set(outputs) - {"id", "urn"}
    inputs = _types.input_type_py_to_pulumi_names(getattr(imported, arguments)).values()
    assert set(schema.inputs) == set(inputs)


def test_a_required_argument_is_one() -> None:
    schema = AWS.resource("aws:eks/cluster:Cluster")
    assert schema
    assert schema.inputs["roleArn"].required
    assert not schema.inputs["name"].required


def test_nested_classes_are_found_in_their_folder() -> None:
    schema = AWS.resource("aws:eks/cluster:Cluster")
    assert schema
    nested = schema.inputs["vpcConfig"].type
    assert isinstance(nested, ObjectOf)
    assert AWS.properties(nested)["subnetIds"].type == ListOf(Scalar("string"))


def test_enums_count_as_their_scalars() -> None:
    schema = AWS.resource("aws:ec2/instance:Instance")
    assert schema
    assert schema.inputs["instanceType"].type == Scalar("string")


def test_an_acronym_finds_its_file() -> None:
    assert AWS.resource("aws:glue/mLTransform:MLTransform")


def test_a_keyword_finds_its_folder() -> None:
    assert AWS.resource("aws:lambda/function:Function")


def test_a_function_tells_its_arguments_and_its_result() -> None:
    function = AWS.function("aws:ec2/getVpc:getVpc")
    assert function
    assert function.arguments["tags"].type == MapOf(Scalar("string"))
    assert "mainRouteTableId" in function.result


def test_what_is_not_there_is_none() -> None:
    assert AWS.resource("aws:ec2/nothing:Nothing") is None
    assert AWS.function("aws:ec2/getNothing:getNothing") is None
    assert AWS.resource("nonsense") is None


def test_the_providers_configuration_is_known() -> None:
    assert AWS.provider["allowedAccountIds"].type == ListOf(Scalar("string"))


def test_an_sdk_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="pulumi_mars"):
        Sdk("pulumi_mars")
