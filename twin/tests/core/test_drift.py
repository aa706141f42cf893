"""What a refresh and an import report of the inputs."""

from __future__ import annotations

from twin.tests.fake_cloud import CLUSTER, SUBNET, VPC
from twin.tests.provider_client import CIDR, Provided


def test_read_without_drift_answers_the_old_inputs(provided: Provided) -> None:
    wanted = {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}, "tags": {"a": "b"}}
    inputs, id, outputs = provided.create(CLUSTER, wanted)
    assert provided.client.read(CLUSTER, id, outputs, inputs) == (id, outputs, inputs)


def test_drift_shows_in_the_inputs_and_then_in_the_diff(provided: Provided) -> None:
    inputs, id, outputs = provided.create(VPC, {**CIDR, "tags": {"a": "b"}})
    provided.backend.put(id, VPC, {**inputs, "tags": {"a": "changed", "x": "y"}, "tagsAll": {}})
    _, state, now = provided.client.read(VPC, id, outputs, inputs)
    assert now["tags"] == {"a": "changed", "x": "y"}
    changes, _ = provided.client.diff(VPC, id, state, inputs, now)
    assert changes["tags.a"] == "UPDATE"
    assert changes["tags.x"] == "DELETE"


def test_drift_of_what_was_not_asked_for_shows_too(provided: Provided) -> None:
    inputs, id, outputs = provided.create()
    provided.backend.put(id, VPC, {**inputs, "enableDnsHostnames": True, "tagsAll": {}})
    outputs["enableDnsHostnames"] = False
    _, state, now = provided.client.read(VPC, id, outputs, inputs)
    assert now["enableDnsHostnames"] is True
    changes, _ = provided.client.diff(VPC, id, state, inputs, now)
    assert changes == {"enableDnsHostnames": "DELETE"}


def test_nested_drift_leaves_the_clouds_own_values_out(provided: Provided) -> None:
    wanted = {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"], "endpointPrivateAccess": True}}
    inputs, id, outputs = provided.create(CLUSTER, wanted)
    changed = {"subnetIds": ["a"], "endpointPrivateAccess": False}
    provided.backend.put(id, CLUSTER, {**inputs, "vpcConfig": changed, "tagsAll": {}})
    _, _, now = provided.client.read(CLUSTER, id, outputs, inputs)
    assert now["vpcConfig"] == changed, "vpcId and clusterSecurityGroupId are no inputs of the program"


def test_an_api_that_leaves_out_what_is_false_shows_no_drift(provided: Provided) -> None:
    inputs, id, outputs = provided.create(VPC, {**CIDR, "enableDnsHostnames": False})
    provided.backend.put(id, VPC, {k: v for k, v in inputs.items() if k != "enableDnsHostnames"})
    assert provided.client.read(VPC, id, outputs, inputs)[2] == inputs


def test_what_is_gone_reads_as_an_empty_id(provided: Provided) -> None:
    assert provided.client.read(VPC, "vpc-none")[0] == ""


def test_an_import_answers_inputs_made_from_the_outputs(provided: Provided) -> None:
    provided.backend.put("subnet-9", SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "tags": {}})
    id, outputs, inputs = provided.client.read(SUBNET, "subnet-9", name="imported")
    assert id == "subnet-9"
    assert outputs["availabilityZone"] == "us-west-2a"
    assert inputs == {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2a"}
