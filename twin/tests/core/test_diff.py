"""Differences, as the engine sees them."""

from __future__ import annotations

from pulumi.runtime.proto import provider_pb2

from twin.provider_interface import UNKNOWN
from twin.tests.fake_cloud import BUCKET, CLUSTER, SUBNET, VPC
from twin.tests.provider_client import CIDR, Provided


def test_outputs_cause_no_difference(provided: Provided) -> None:
    inputs, id, outputs = provided.create(CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}})
    changes, answer = provided.client.diff(CLUSTER, id, outputs, inputs, inputs)
    assert not changes
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_immutable_path_is_a_replacement_with_its_path(provided: Provided) -> None:
    inputs, id, outputs = provided.create(CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a", "b"]}})
    new = {**inputs, "vpcConfig": {"subnetIds": ["a", "c"]}}
    changes, answer = provided.client.diff(CLUSTER, id, outputs, new, inputs)
    assert changes == {"vpcConfig.subnetIds[1]": "UPDATE_REPLACE"}
    assert list(answer.replaces) == ["vpcConfig"]


def test_a_mutable_path_beside_an_immutable_one_is_an_update(provided: Provided) -> None:
    inputs, id, outputs = provided.create(CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}})
    new = {**inputs, "vpcConfig": {"subnetIds": ["a"], "endpointPrivateAccess": True}}
    changes, answer = provided.client.diff(CLUSTER, id, outputs, new, inputs)
    assert changes == {"vpcConfig.endpointPrivateAccess": "ADD"}
    assert not answer.replaces


def test_kinds_tell_what_comes_and_goes(provided: Provided) -> None:
    inputs, id, outputs = provided.create(VPC, {**CIDR, "tags": {"a": "1", "b.c": "2"}})
    changes, _ = provided.client.diff(VPC, id, outputs, {**inputs, "tags": {"b.c": "3", "d": "4"}}, inputs)
    changes.pop("tagsAll")
    assert changes == {"tags.a": "DELETE", 'tags["b.c"]': "UPDATE", "tags.d": "ADD"}


def test_an_unknown_value_is_a_change_and_at_an_immutable_path_a_replacement(provided: Provided) -> None:
    inputs, id, outputs = provided.create(SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    changes, _ = provided.client.diff(SUBNET, id, outputs, {**inputs, "vpcId": UNKNOWN}, inputs)
    assert changes == {"vpcId": "UPDATE_REPLACE"}
    changes, _ = provided.client.diff(SUBNET, id, outputs, {**inputs, "mapPublicIpOnLaunch": UNKNOWN}, inputs)
    assert changes == {"mapPublicIpOnLaunch": "ADD"}


def test_what_the_type_calls_the_same_is_no_change(provided: Provided) -> None:
    inputs, id, outputs = provided.create(BUCKET, {"bucket": "b", "policy": '{"a": 1, "b": 2}'})
    changes, _ = provided.client.diff(BUCKET, id, outputs, {**inputs, "policy": '{"b":2,"a":1}'}, inputs)
    assert not changes


def test_asking_for_what_the_cloud_has_anyway_is_no_change(provided: Provided) -> None:
    inputs, id, outputs = provided.create(SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    changes, _ = provided.client.diff(
        SUBNET, id, outputs, {**inputs, "availabilityZone": "us-west-2a"}, inputs
    )
    assert not changes
    changes, _ = provided.client.diff(
        SUBNET, id, outputs, {**inputs, "availabilityZone": "us-west-2b"}, inputs
    )
    assert changes == {"availabilityZone": "ADD_REPLACE"}


def test_no_longer_asking_for_what_the_cloud_chooses_is_no_change(provided: Provided) -> None:
    wanted = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"}
    inputs, id, outputs = provided.create(SUBNET, wanted)
    new = {key: value for key, value in inputs.items() if key != "availabilityZone"}
    changes, _ = provided.client.diff(SUBNET, id, outputs, new, inputs)
    assert not changes


def test_asking_for_nothing_where_nothing_is_is_no_change(provided: Provided) -> None:
    inputs, id, outputs = provided.create()
    more = {**inputs, "enableDnsHostnames": False, "tags": {}}
    changes, _ = provided.client.diff(VPC, id, outputs, more, inputs)
    assert not changes
    changes, _ = provided.client.diff(VPC, id, outputs, inputs, more)
    assert not changes
    changes, _ = provided.client.diff(VPC, id, outputs, {**inputs, "enableDnsSupport": False}, inputs)
    assert changes == {"enableDnsSupport": "UPDATE"}, "false where true was asked is a change"


def test_ignored_changes_do_not_show(provided: Provided) -> None:
    inputs, id, outputs = provided.create(VPC, {**CIDR, "tags": {"a": "1"}})
    new = {**inputs, "tags": {"a": "2"}}
    changes, _ = provided.client.diff(VPC, id, outputs, new, inputs, ignore=("tags", "tagsAll"))
    assert not changes
    changes, _ = provided.client.diff(VPC, id, outputs, new, inputs, ignore=("tags.a", "tagsAll"))
    assert not changes


def test_new_default_tags_show_at_tags_all(provided: Provided) -> None:
    inputs, id, outputs = provided.create()
    provided.client.configure(region="us-west-2", defaultTags='{"tags":{"owner":"me"}}')
    changes, answer = provided.client.diff(VPC, id, outputs, inputs, inputs)
    assert changes == {"tagsAll": "UPDATE"}
    assert not answer.detailedDiff["tagsAll"].inputDiff


def test_a_name_of_the_programs_own_is_deleted_before_it_is_replaced(provided: Provided) -> None:
    named = {"name": "prod", "roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}}
    inputs, id, outputs = provided.create(CLUSTER, named)
    _, answer = provided.client.diff(CLUSTER, id, outputs, {**inputs, "roleArn": "s"}, inputs)
    assert answer.deleteBeforeReplace, "two clusters cannot have one name"
    del named["name"]
    inputs, _ = provided.client.check(CLUSTER, named)
    _, answer = provided.client.diff(CLUSTER, id, outputs, {**inputs, "roleArn": "s"}, inputs)
    assert not answer.deleteBeforeReplace, "an autonamed one gets a new name"
