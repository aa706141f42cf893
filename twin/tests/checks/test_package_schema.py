"""The schema that hosts of languages without an SDK bind programs by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.checks import package_schema
from twin.checks.package_schema import PackageSchema, schema_text
from twin.checks.sdk import sdk

REFERENCE = "#/types/"


@pytest.fixture(scope="module")
def google() -> dict[str, Any]:
    """The whole schema of one package: some seconds of CPU."""
    return PackageSchema(sdk("pulumi_gcp")).document()


@pytest.fixture
def aws() -> PackageSchema:
    return PackageSchema(sdk("pulumi_aws"))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str) and reference.startswith(REFERENCE):
            yield reference.removeprefix(REFERENCE)
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_whole_schema_has_every_resource_type_and_every_type_that_is_referred_to(
    google: dict[str, Any],
) -> None:
    package = sdk("pulumi_gcp")
    assert google["name"] == "gcp"
    assert google["version"] == package.version
    assert set(google["resources"]) == set(package.tokens)
    assert "gcp:organizations/getProject:getProject" in google["functions"]
    referred = set(references(google))
    assert referred == set(google["types"]), "a host refuses a schema with a type that is not there"
    accelerator = google["types"]["gcp:compute/InstanceGuestAccelerator:InstanceGuestAccelerator"]
    assert accelerator["properties"]["count"] == {"type": "integer"}


def test_what_is_required_of_a_program_is_not_what_an_answer_always_has(aws: PackageSchema) -> None:
    subnet = aws.resource("aws:ec2/subnet:Subnet")
    assert subnet is not None
    assert subnet["requiredInputs"] == ["vpcId"]
    assert {"arn", "vpcId"} <= set(subnet["required"])
    assert "arn" not in subnet["inputProperties"]
    assert "arn" in subnet["stateInputs"]["properties"], "`get` takes what only the cloud fills in, too"


def test_a_nested_type_is_one_for_inputs_and_outputs_as_published(aws: PackageSchema) -> None:
    cluster = aws.resource("aws:eks/cluster:Cluster")
    assert cluster is not None
    reference = {"$ref": "#/types/aws:eks/ClusterVpcConfig:ClusterVpcConfig"}
    assert cluster["inputProperties"]["vpcConfig"] == cluster["properties"]["vpcConfig"] == reference
    network = aws._types()["aws:eks/ClusterVpcConfig:ClusterVpcConfig"]
    assert network["required"] == ["subnetIds"]
    assert "clusterSecurityGroupId" in network["properties"]


def test_secrets_and_former_tokens_are_those_of_the_registration(aws: PackageSchema) -> None:
    parameter = aws.resource("aws:ssm/parameter:Parameter")
    assert parameter is not None
    assert parameter["inputProperties"]["value"] == {"type": "string", "secret": True}
    assert "secret" not in parameter["properties"]["arn"]
    bucket = aws.resource("aws:s3/bucket:Bucket")
    assert bucket is not None
    assert bucket["aliases"] == [{"type": "aws:s3/bucketV2:BucketV2"}]


def test_a_function_has_its_arguments_and_its_result(aws: PackageSchema) -> None:
    function = aws.function("aws:ec2/getVpc:getVpc")
    assert function is not None
    filters = function["inputs"]["properties"]["filters"]
    assert filters == {"type": "array", "items": {"$ref": "#/types/aws:ec2/getVpcFilter:getVpcFilter"}}
    assert "required" in function["inputs"]
    assert function["inputs"]["required"] == []
    assert "cidrBlock" in function["outputs"]["required"]


def test_a_module_that_is_a_word_of_python_has_its_name_in_tokens(aws: PackageSchema) -> None:
    aws.resource("aws:lambda/function:Function")
    assert "aws:lambda/FunctionEnvironment:FunctionEnvironment" in aws._types()


def test_the_schema_is_made_once_for_a_version_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents: list[str] = []

    def document(self: PackageSchema) -> dict[str, Any]:
        documents.append(self.name)
        return {"name": self.name}

    monkeypatch.setattr(PackageSchema, "document", document)
    cache = tmp_path / "schemas"
    first = schema_text("pulumi_aws", cache)
    assert json.loads(first) == {"name": "aws"}
    assert schema_text("pulumi_aws", cache) == first
    assert documents == ["aws"], "the second call reads the file"
    monkeypatch.setattr(package_schema, "_digest", lambda: "other")
    schema_text("pulumi_aws", cache)
    assert documents == ["aws", "aws"], "other code writes another schema"
    assert len(list(cache.iterdir())) == 1, "what no code reads any more is removed"


def test_a_cache_that_cannot_be_written_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PackageSchema, "document", lambda self: {"name": self.name})
    (tmp_path / "file").touch()
    assert json.loads(schema_text("pulumi_gcp", tmp_path / "file" / "schemas")) == {"name": "gcp"}
