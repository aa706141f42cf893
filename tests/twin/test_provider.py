"""The provider over gRPC, on a cloud of three types; no engine."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from tests.twin.fake_cloud import BUCKET, CLUSTER, IDENTITY, SUBNET, VPC, Backend, FakeCloud, Vpc
from tests.twin.provider_client import Client, urn
from twin.core.serving import start
from twin.engine_values import marshal, unmarshal
from twin.provider import Provider
from twin.resource import CANCELLED, UNKNOWN, Cancelled, Context, Props
from twin.store import Store

QUEUE = "aws:sqs/queue:Queue"
CIDR = {"cidrBlock": "10.0.0.0/16"}


@dataclasses.dataclass
class World:
    backend: Backend
    cloud: FakeCloud
    store: Store
    client: Client


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    CANCELLED.clear()
    backend = Backend(tmp_path / "cloud.db")
    cloud, store = FakeCloud(backend), Store(tmp_path / "store.db")
    server, port = start(Provider(cloud, store))
    client = Client(port)
    client.configure(region="us-west-2")
    yield World(backend, cloud, store, client)
    client.close()
    server.stop(None)
    CANCELLED.clear()


def made(world: World, token: str = VPC, inputs: Props | None = None) -> tuple[Props, str, Props]:
    checked, failures = world.client.check(token, inputs if inputs is not None else CIDR)
    assert not failures
    id, outputs = world.client.create(token, checked)
    return checked, id, outputs


# ---- the provider itself


def test_the_handshake_promises_secrets_and_configurable_names(world: World) -> None:
    answer = world.client.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=""))
    assert answer.accept_secrets
    assert answer.supports_autonaming_configuration
    assert not answer.accept_outputs, "inputs come as plain values"


def test_nested_configuration_is_read_from_its_json(world: World) -> None:
    world.client.configure(region="eu-west-1", defaultTags='{"tags": {"owner": "me"}}')
    _, outputs = world.client.create(VPC, {**CIDR, "tags": {"a": "b"}})
    assert outputs["tagsAll"] == {"owner": "me", "a": "b"}
    assert ":eu-west-1:" in outputs["arn"]


def test_a_misspelt_configuration_key_is_refused(world: World) -> None:
    request = provider_pb2.CheckRequest(
        urn="urn:pulumi:dev::proj::pulumi:providers:aws::p",
        news=marshal({"regoin": "us-west-2", "defaultTags": '{"tag": {}}', "version": "7.0.0"}),
    )
    found = {f.property: f.reason for f in world.client.stub.CheckConfig(request).failures}
    assert "did you mean 'region'" in found["regoin"]
    assert "did you mean 'tags'" in found["defaultTags.tag"], "nested JSON is checked too"
    assert "version" not in found, "the engine's own key is not the cloud's"


def test_the_clouds_own_rule_refuses_a_configuration(world: World) -> None:
    request = provider_pb2.CheckRequest(news=marshal({"region": "mars-1"}))
    assert [f.property for f in world.client.stub.CheckConfig(request).failures] == ["region"]


def diff_config(world: World, old: Props, new: Props) -> Any:
    return world.client.stub.DiffConfig(
        provider_pb2.DiffRequest(olds=marshal(old), old_inputs=marshal(old), news=marshal(new))
    )


def test_another_region_replaces_the_provider(world: World) -> None:
    answer = diff_config(world, {"region": "us-west-2"}, {"region": "eu-west-1"})
    assert list(answer.replaces) == ["region"]


def test_other_default_tags_only_update_the_provider(world: World) -> None:
    answer = diff_config(world, {"region": "a"}, {"region": "a", "defaultTags": '{"tags":{"a":"b"}}'})
    assert list(answer.diffs) == ["defaultTags"]
    assert not answer.replaces


def test_json_that_says_the_same_is_no_change_of_configuration(world: World) -> None:
    answer = diff_config(
        world,
        {"defaultTags": '{"tags":{"a":"b","c":"d"}}'},
        {"defaultTags": '{"tags": {"c": "d", "a": "b"}}'},
    )
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_unknown_region_is_tolerated_in_a_preview(world: World) -> None:
    answer = diff_config(world, {"region": "us-west-2"}, {"region": UNKNOWN})
    assert list(answer.diffs) == ["region"]
    assert not answer.replaces, "it may turn out to be the same"
    world.client.configure(region=UNKNOWN)


def test_a_wrong_account_is_an_error_of_configuration(world: World) -> None:
    with pytest.raises(grpc.RpcError) as error:
        world.client.configure(allowedAccountIds='["999999999999"]')
    assert "allowedAccountIds" in str(error.value.details())


# ---- Check


def test_a_misspelt_key_is_refused_with_its_path(world: World) -> None:
    _, failures = world.client.check(VPC, {"cidrBlok": "10.0.0.0/16"})
    assert "did you mean 'cidrBlock'" in failures["cidrBlok"]


def test_the_tables_rule_follows_the_types(world: World) -> None:
    _, failures = world.client.check(VPC, {"cidrBlock": "10.0.0.0"})
    assert "is no CIDR block" in failures["cidrBlock"]


def test_the_tables_rule_does_not_meet_a_value_of_the_wrong_type(world: World) -> None:
    _, failures = world.client.check(VPC, {"cidrBlock": 5})
    assert "expected a string" in failures["cidrBlock"]


def test_unknown_values_pass_the_check(world: World) -> None:
    inputs, failures = world.client.check(VPC, {"cidrBlock": UNKNOWN, "tags": {"a": UNKNOWN}})
    assert not failures
    assert inputs["cidrBlock"] is UNKNOWN


def test_defaults_are_filled_in(world: World) -> None:
    inputs, _ = world.client.check(VPC, CIDR)
    assert inputs["enableDnsSupport"] is True
    assert inputs["__defaults"] == ["enableDnsSupport"]


def test_a_default_never_overrides_the_program(world: World) -> None:
    inputs, _ = world.client.check(VPC, {**CIDR, "enableDnsSupport": False})
    assert inputs["enableDnsSupport"] is False


def test_secret_inputs_stay_secret(world: World) -> None:
    request = provider_pb2.CheckRequest(
        urn=urn(VPC), news=marshal({"tags": {"a": "b"}}, [("tags", "a")]), olds=marshal({})
    )
    assert unmarshal(world.client.stub.Check(request).inputs).secrets == {("tags", "a")}


def test_a_token_that_the_sdk_does_not_have_is_refused_with_the_nearest(world: World) -> None:
    _, failures = world.client.check("aws:ec2/vcp:Vcp", {})
    assert "aws:ec2/vpc:Vpc" in failures[""]


# ---- tokens without an entry


def test_a_token_without_entry_is_previewed_by_the_sdks_types(world: World) -> None:
    inputs, failures = world.client.check(QUEUE, {"delaySeconds": 5})
    assert not failures
    _, outputs = world.client.create(QUEUE, inputs, preview=True)
    assert outputs["delaySeconds"] == 5
    assert outputs["arn"] is UNKNOWN


def test_a_token_without_entry_is_still_checked(world: World) -> None:
    _, failures = world.client.check(QUEUE, {"delaySecond": 5})
    assert "delaySecond" in failures


def test_a_token_without_entry_cannot_be_made_and_the_error_names_the_file(world: World) -> None:
    with pytest.raises(grpc.RpcError, match=r"aws:sqs/queue:Queue.*tests/twin/fake_cloud.py"):
        world.client.create(QUEUE, {})


def test_a_function_without_entry_is_unknown_in_a_preview_and_an_error_in_an_update(world: World) -> None:
    token = "aws:ec2/getVpc:getVpc"
    result, _ = world.client.invoke(token, {}, preview=True)
    assert result["cidrBlock"] is UNKNOWN
    with pytest.raises(grpc.RpcError, match=r"aws:ec2/getVpc:getVpc.*tests/twin/fake_cloud.py"):
        world.client.invoke(token, {})


def test_a_function_answers_with_every_property_of_its_result(world: World) -> None:
    result, _ = world.client.invoke(IDENTITY, {})
    assert result == {"accountId": "123456789012", "userId": "A", "arn": None, "id": None}


def test_a_functions_arguments_are_checked(world: World) -> None:
    _, failures = world.client.invoke("aws:ec2/getVpc:getVpc", {"cidrBlok": "x"})
    assert "cidrBlok" in failures


# ---- Create


def test_create_answers_every_output_of_the_type(world: World) -> None:
    _, id, outputs = made(world)
    assert id in world.backend.things(VPC)
    assert outputs["mainRouteTableId"] is None, "a dependent's input must not vanish"
    assert outputs["arn"].endswith(id)
    assert "__defaults" not in outputs


def test_a_preview_of_create_knows_inputs_and_nothing_of_the_clouds(world: World) -> None:
    _, outputs = world.client.create(VPC, {**CIDR, "tags": {"a": "b"}}, preview=True)
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["tagsAll"] == {"a": "b"}, "policies read tagsAll in a preview"
    assert outputs["arn"] is UNKNOWN
    assert not world.backend.things(), "a preview makes nothing"


def test_a_computed_input_is_unknown_only_where_it_is_not_given(world: World) -> None:
    inputs = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}
    _, outputs = world.client.create(SUBNET, inputs, preview=True)
    assert outputs["availabilityZone"] is UNKNOWN
    _, outputs = world.client.create(SUBNET, {**inputs, "availabilityZone": "us-west-2b"}, preview=True)
    assert outputs["availabilityZone"] == "us-west-2b"


def test_secret_outputs_are_marked(world: World) -> None:
    request = provider_pb2.CreateRequest(
        urn=urn(BUCKET), properties=marshal({"bucket": "b", "tags": {"a": "b"}}, [("tags", "a")])
    )
    secrets = unmarshal(world.client.stub.Create(request).properties).secrets
    assert ("websiteEndpoint",) in secrets, "the type says so"
    assert ("tags",) in secrets, "its input is secret"


def test_the_clouds_refusal_carries_its_words_and_the_path(world: World) -> None:
    with pytest.raises(grpc.RpcError) as error:
        world.client.create(VPC, {**CIDR, "tags": {"fault": "refuse"}})
    assert error.value.details() == "tags.fault: Refused: the cloud refuses it"
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION, "nothing is pending"
    assert not world.store.live(urn(VPC)), "and nothing is left to adopt"


def test_a_half_made_resource_is_kept_by_the_engine(world: World) -> None:
    with pytest.raises(grpc.RpcError) as error:
        world.client.create(VPC, {**CIDR, "tags": {"fault": "half"}})
    trailing: dict[str, bytes] = dict(error.value.trailing_metadata())  # type: ignore[arg-type]
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert detail.id in world.backend.things(VPC)
    assert unmarshal(detail.properties).props["arn"].endswith(detail.id)
    assert "never became ready" in detail.reasons[0]


def test_a_defect_of_a_table_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vpc, "create", lambda *_: 1 / 0)
    with pytest.raises(grpc.RpcError, match="ZeroDivisionError"):
        world.client.create(VPC, CIDR)


# ---- adoption


def interrupted(world: World, monkeypatch: pytest.MonkeyPatch, inputs: Props) -> None:
    """A Create whose call was executed and whose provider died before it knew."""
    genuine = Vpc.create

    def dies(self: Vpc, context: Context, given: Props) -> tuple[str, Props]:
        genuine(self, context, given)
        raise Cancelled("the provider dies here")

    with monkeypatch.context() as patch:
        patch.setattr(Vpc, "create", dies)
        with pytest.raises(grpc.RpcError):
            world.client.create(VPC, inputs)


def test_an_interrupted_create_is_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(world, monkeypatch, CIDR)
    left = set(world.backend.things(VPC))
    id, _ = world.client.create(VPC, CIDR)
    assert {id} == left == set(world.backend.things(VPC))


def test_an_interrupted_create_is_adopted_and_brought_to_the_new_inputs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(world, monkeypatch, CIDR)
    id, outputs = world.client.create(VPC, {**CIDR, "tags": {"new": "yes"}})
    assert list(world.backend.things(VPC)) == [id]
    assert outputs["tags"] == {"new": "yes"}
    assert world.backend.things(VPC)[id]["tags"] == {"new": "yes"}


def test_an_interrupted_create_that_cannot_be_changed_is_deleted_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(world, monkeypatch, CIDR)
    left = set(world.backend.things(VPC))
    id, _ = world.client.create(VPC, {"cidrBlock": "10.9.0.0/16"})
    assert set(world.backend.things(VPC)) == {id}
    assert id not in left


def test_an_answer_that_never_reached_the_engine_is_adopted(world: World) -> None:
    first, _ = world.client.create(VPC, CIDR)
    second, _ = world.client.create(VPC, CIDR)
    assert first == second
    assert len(world.backend.things(VPC)) == 1


def test_a_resource_that_the_engine_knows_is_never_adopted(world: World) -> None:
    inputs, id, outputs = made(world)
    new = {**inputs, "cidrBlock": "10.9.0.0/16"}
    world.client.diff(VPC, id, outputs, new, inputs)
    other, _ = world.client.create(VPC, new)
    assert other != id, "a replacement is created before the old one is deleted"
    assert len(world.backend.things(VPC)) == 2


def test_what_is_gone_meanwhile_is_made_anew(world: World) -> None:
    id, _ = world.client.create(VPC, CIDR)
    world.backend.drop(id)
    other, _ = world.client.create(VPC, CIDR)
    assert other != id
    assert list(world.backend.things(VPC)) == [other]


def test_a_deleted_resource_is_not_adopted(world: World) -> None:
    id, outputs = world.client.create(VPC, CIDR)
    world.client.delete(VPC, id, outputs)
    assert not world.store.live(urn(VPC))
    other, _ = world.client.create(VPC, CIDR)
    assert other != id


def test_check_keeps_the_name_of_what_will_be_adopted(world: World) -> None:
    first, _ = world.client.check(BUCKET, {}, randomSeed=b"one")
    id, _ = world.client.create(BUCKET, first)
    second, _ = world.client.check(BUCKET, {}, randomSeed=b"two")
    assert second["bucket"] == first["bucket"]
    assert world.client.create(BUCKET, second)[0] == id


# ---- Diff


def test_outputs_cause_no_difference(world: World) -> None:
    inputs, id, outputs = made(world, CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}})
    found, answer = world.client.diff(CLUSTER, id, outputs, inputs, inputs)
    assert not found
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_immutable_path_is_a_replacement_with_its_path(world: World) -> None:
    inputs, id, outputs = made(world, CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a", "b"]}})
    new = {**inputs, "vpcConfig": {"subnetIds": ["a", "c"]}}
    found, answer = world.client.diff(CLUSTER, id, outputs, new, inputs)
    assert found == {"vpcConfig.subnetIds[1]": "UPDATE_REPLACE"}
    assert list(answer.replaces) == ["vpcConfig"]


def test_a_mutable_path_beside_an_immutable_one_is_an_update(world: World) -> None:
    inputs, id, outputs = made(world, CLUSTER, {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}})
    new = {**inputs, "vpcConfig": {"subnetIds": ["a"], "endpointPrivateAccess": True}}
    found, answer = world.client.diff(CLUSTER, id, outputs, new, inputs)
    assert found == {"vpcConfig.endpointPrivateAccess": "ADD"}
    assert not answer.replaces


def test_kinds_tell_what_comes_and_goes(world: World) -> None:
    inputs, id, outputs = made(world, VPC, {**CIDR, "tags": {"a": "1", "b.c": "2"}})
    found, _ = world.client.diff(VPC, id, outputs, {**inputs, "tags": {"b.c": "3", "d": "4"}}, inputs)
    found.pop("tagsAll")
    assert found == {"tags.a": "DELETE", 'tags["b.c"]': "UPDATE", "tags.d": "ADD"}


def test_an_unknown_value_is_a_change_and_at_an_immutable_path_a_replacement(world: World) -> None:
    inputs, id, outputs = made(world, SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    found, _ = world.client.diff(SUBNET, id, outputs, {**inputs, "vpcId": UNKNOWN}, inputs)
    assert found == {"vpcId": "UPDATE_REPLACE"}
    found, _ = world.client.diff(SUBNET, id, outputs, {**inputs, "mapPublicIpOnLaunch": UNKNOWN}, inputs)
    assert found == {"mapPublicIpOnLaunch": "ADD"}


def test_what_the_type_calls_the_same_is_no_change(world: World) -> None:
    inputs, id, outputs = made(world, BUCKET, {"bucket": "b", "policy": '{"a": 1, "b": 2}'})
    found, _ = world.client.diff(BUCKET, id, outputs, {**inputs, "policy": '{"b":2,"a":1}'}, inputs)
    assert not found


def test_asking_for_what_the_cloud_has_anyway_is_no_change(world: World) -> None:
    inputs, id, outputs = made(world, SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    found, _ = world.client.diff(SUBNET, id, outputs, {**inputs, "availabilityZone": "us-west-2a"}, inputs)
    assert not found
    found, _ = world.client.diff(SUBNET, id, outputs, {**inputs, "availabilityZone": "us-west-2b"}, inputs)
    assert found == {"availabilityZone": "ADD_REPLACE"}


def test_no_longer_asking_for_what_the_cloud_chooses_is_no_change(world: World) -> None:
    asked = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"}
    inputs, id, outputs = made(world, SUBNET, asked)
    new = {key: value for key, value in inputs.items() if key != "availabilityZone"}
    found, _ = world.client.diff(SUBNET, id, outputs, new, inputs)
    assert not found


def test_asking_for_nothing_where_nothing_is_is_no_change(world: World) -> None:
    inputs, id, outputs = made(world)
    more = {**inputs, "enableDnsHostnames": False, "tags": {}}
    found, _ = world.client.diff(VPC, id, outputs, more, inputs)
    assert not found
    found, _ = world.client.diff(VPC, id, outputs, inputs, more)
    assert not found
    found, _ = world.client.diff(VPC, id, outputs, {**inputs, "enableDnsSupport": False}, inputs)
    assert found == {"enableDnsSupport": "UPDATE"}, "false where true was asked is a change"


def test_ignored_changes_do_not_show(world: World) -> None:
    inputs, id, outputs = made(world, VPC, {**CIDR, "tags": {"a": "1"}})
    new = {**inputs, "tags": {"a": "2"}}
    found, _ = world.client.diff(VPC, id, outputs, new, inputs, ignore=("tags", "tagsAll"))
    assert not found
    found, _ = world.client.diff(VPC, id, outputs, new, inputs, ignore=("tags.a", "tagsAll"))
    assert not found


def test_new_default_tags_show_at_tags_all(world: World) -> None:
    inputs, id, outputs = made(world)
    world.client.configure(region="us-west-2", defaultTags='{"tags":{"owner":"me"}}')
    found, answer = world.client.diff(VPC, id, outputs, inputs, inputs)
    assert found == {"tagsAll": "UPDATE"}
    assert not answer.detailedDiff["tagsAll"].inputDiff


def test_a_name_of_the_programs_own_is_deleted_before_it_is_replaced(world: World) -> None:
    named = {"name": "prod", "roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}}
    inputs, id, outputs = made(world, CLUSTER, named)
    _, answer = world.client.diff(CLUSTER, id, outputs, {**inputs, "roleArn": "s"}, inputs)
    assert answer.deleteBeforeReplace, "two clusters cannot have one name"
    del named["name"]
    inputs, _ = world.client.check(CLUSTER, named)
    _, answer = world.client.diff(CLUSTER, id, outputs, {**inputs, "roleArn": "s"}, inputs)
    assert not answer.deleteBeforeReplace, "an autonamed one gets a new name"


# ---- Read


def test_read_without_drift_answers_the_old_inputs(world: World) -> None:
    asked = {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"]}, "tags": {"a": "b"}}
    inputs, id, outputs = made(world, CLUSTER, asked)
    assert world.client.read(CLUSTER, id, outputs, inputs) == (id, outputs, inputs)


def test_drift_shows_in_the_inputs_and_then_in_the_diff(world: World) -> None:
    inputs, id, outputs = made(world, VPC, {**CIDR, "tags": {"a": "b"}})
    world.backend.put(id, VPC, {**inputs, "tags": {"a": "changed", "x": "y"}, "tagsAll": {}})
    _, state, now = world.client.read(VPC, id, outputs, inputs)
    assert now["tags"] == {"a": "changed", "x": "y"}
    found, _ = world.client.diff(VPC, id, state, inputs, now)
    assert found["tags.a"] == "UPDATE"
    assert found["tags.x"] == "DELETE"


def test_drift_of_what_was_not_asked_for_shows_too(world: World) -> None:
    inputs, id, outputs = made(world)
    world.backend.put(id, VPC, {**inputs, "enableDnsHostnames": True, "tagsAll": {}})
    outputs["enableDnsHostnames"] = False
    _, state, now = world.client.read(VPC, id, outputs, inputs)
    assert now["enableDnsHostnames"] is True
    found, _ = world.client.diff(VPC, id, state, inputs, now)
    assert found == {"enableDnsHostnames": "DELETE"}


def test_nested_drift_leaves_the_clouds_own_values_out(world: World) -> None:
    asked = {"roleArn": "r", "vpcConfig": {"subnetIds": ["a"], "endpointPrivateAccess": True}}
    inputs, id, outputs = made(world, CLUSTER, asked)
    changed = {"subnetIds": ["a"], "endpointPrivateAccess": False}
    world.backend.put(id, CLUSTER, {**inputs, "vpcConfig": changed, "tagsAll": {}})
    _, _, now = world.client.read(CLUSTER, id, outputs, inputs)
    assert now["vpcConfig"] == changed, "vpcId and clusterSecurityGroupId are no inputs of the program"


def test_an_api_that_leaves_out_what_is_false_shows_no_drift(world: World) -> None:
    inputs, id, outputs = made(world, VPC, {**CIDR, "enableDnsHostnames": False})
    world.backend.put(id, VPC, {k: v for k, v in inputs.items() if k != "enableDnsHostnames"})
    assert world.client.read(VPC, id, outputs, inputs)[2] == inputs


def test_what_is_gone_reads_as_an_empty_id(world: World) -> None:
    assert world.client.read(VPC, "vpc-none")[0] == ""


def test_an_import_answers_inputs_made_from_the_outputs(world: World) -> None:
    world.backend.put("subnet-9", SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "tags": {}})
    id, outputs, inputs = world.client.read(SUBNET, "subnet-9", name="imported")
    assert id == "subnet-9"
    assert outputs["availabilityZone"] == "us-west-2a"
    assert inputs == {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2a"}


# ---- Update, Delete, the end


def test_an_update_changes_in_place_and_answers_everything(world: World) -> None:
    inputs, id, outputs = made(world)
    answer = world.client.update(VPC, id, outputs, {**inputs, "tags": {"a": "b"}}, inputs)
    assert answer["tags"] == {"a": "b"}
    assert answer["mainRouteTableId"] is None
    assert world.backend.things(VPC)[id]["tags"] == {"a": "b"}


def test_a_preview_of_update_keeps_what_stays_and_hides_what_may_change(world: World) -> None:
    inputs, id, outputs = made(world, VPC, {**CIDR, "tags": {"a": "b"}})
    new = {key: value for key, value in inputs.items() if key != "tags"}
    answer = world.client.update(VPC, id, outputs, new, inputs, preview=True)
    assert answer["arn"] == outputs["arn"]
    assert answer["dhcpOptionsId"] is UNKNOWN, "volatile"
    assert "tags" not in answer
    assert world.backend.things(VPC)[id]["tags"] == {"a": "b"}, "a preview changes nothing"


def test_deleting_twice_is_no_error(world: World) -> None:
    _, id, outputs = made(world)
    world.client.delete(VPC, id, outputs)
    world.client.delete(VPC, id, outputs)
    assert not world.backend.things()


def test_cancel_wakes_what_waits(world: World) -> None:
    world.client.stub.Cancel(empty_pb2.Empty())
    assert CANCELLED.is_set()


def test_forty_creates_at_once_make_forty(world: World) -> None:
    requests = [
        world.client.stub.Create.future(
            provider_pb2.CreateRequest(urn=urn(VPC, f"v{i}"), properties=marshal(CIDR))
        )
        for i in range(40)
    ]
    ids = {request.result(timeout=30).id for request in requests}
    assert len(ids) == 40
    assert set(world.backend.things(VPC)) == ids


def test_a_provider_process_ends_with_its_engine(tmp_path: Path) -> None:
    command = f"{sys.executable} -m tests.twin.fake_cloud & echo $!; wait"
    environment = {**os.environ, "FAKE_CLOUD": str(tmp_path / "cloud.db")}
    engine = subprocess.Popen(
        ["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert engine.stdout
    provider = int(engine.stdout.readline())
    assert int(engine.stdout.readline()) > 0, "the port comes first"
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{provider}").exists():
        if Path(f"/proc/{provider}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{provider}").exists(), "no provider outlives its engine"
