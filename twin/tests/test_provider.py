"""The provider over gRPC, on a cloud of four types; no engine. Parts of it are tested in twin/tests/core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from twin.core.serving import start
from twin.property_values import marshal, unmarshal
from twin.provider import Provider
from twin.provider_interface import CANCELLED, UNKNOWN, Props
from twin.store import Store
from twin.tests.fake_cloud import BUCKET, IDENTITY, SUBNET, VPC, Backend, FakeCloud, Vpc
from twin.tests.provider_client import CIDR, Client, Provided, urn

QUEUE = "aws:sqs/queue:Queue"


def test_the_handshake_promises_secrets_and_configurable_names(provided: Provided) -> None:
    answer = provided.client.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=""))
    assert answer.accept_secrets
    assert answer.supports_autonaming_configuration
    assert not answer.accept_outputs, "inputs come as plain values"


def test_nested_configuration_is_read_from_its_json(provided: Provided) -> None:
    provided.client.configure(region="eu-west-1", defaultTags='{"tags": {"owner": "me"}}')
    _, outputs = provided.client.create(VPC, {**CIDR, "tags": {"a": "b"}})
    assert outputs["tagsAll"] == {"owner": "me", "a": "b"}
    assert ":eu-west-1:" in outputs["arn"]


def test_a_misspelt_configuration_key_is_refused(provided: Provided) -> None:
    request = provider_pb2.CheckRequest(
        urn="urn:pulumi:dev::proj::pulumi:providers:aws::p",
        news=marshal({"regoin": "us-west-2", "defaultTags": '{"tag": {}}', "version": "7.0.0"}),
    )
    reasons = {f.property: f.reason for f in provided.client.stub.CheckConfig(request).failures}
    assert "did you mean 'region'" in reasons["regoin"]
    assert "did you mean 'tags'" in reasons["defaultTags.tag"], "nested JSON is checked too"
    assert "version" not in reasons, "the engine's own key is not the cloud's"


def test_the_clouds_own_rule_refuses_a_configuration(provided: Provided) -> None:
    request = provider_pb2.CheckRequest(news=marshal({"region": "mars-1"}))
    assert [f.property for f in provided.client.stub.CheckConfig(request).failures] == ["region"]


def diff_config(provided: Provided, old: Props, new: Props) -> Any:
    return provided.client.stub.DiffConfig(
        provider_pb2.DiffRequest(olds=marshal(old), old_inputs=marshal(old), news=marshal(new))
    )


def test_another_region_replaces_the_provider(provided: Provided) -> None:
    answer = diff_config(provided, {"region": "us-west-2"}, {"region": "eu-west-1"})
    assert list(answer.replaces) == ["region"]


def test_other_default_tags_only_update_the_provider(provided: Provided) -> None:
    answer = diff_config(provided, {"region": "a"}, {"region": "a", "defaultTags": '{"tags":{"a":"b"}}'})
    assert list(answer.diffs) == ["defaultTags"]
    assert not answer.replaces


def test_json_that_says_the_same_is_no_change_of_configuration(provided: Provided) -> None:
    answer = diff_config(
        provided,
        {"defaultTags": '{"tags":{"a":"b","c":"d"}}'},
        {"defaultTags": '{"tags": {"c": "d", "a": "b"}}'},
    )
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_unknown_region_is_tolerated_in_a_preview(provided: Provided) -> None:
    answer = diff_config(provided, {"region": "us-west-2"}, {"region": UNKNOWN})
    assert list(answer.diffs) == ["region"]
    assert not answer.replaces, "it may turn out to be the same"
    provided.client.configure(region=UNKNOWN)


def test_a_wrong_account_is_an_error_of_configuration(provided: Provided) -> None:
    with pytest.raises(grpc.RpcError) as error:
        provided.client.configure(allowedAccountIds='["999999999999"]')
    assert "allowedAccountIds" in str(error.value.details())


def test_a_misspelt_key_is_refused_with_its_path(provided: Provided) -> None:
    _, failures = provided.client.check(VPC, {"cidrBlok": "10.0.0.0/16"})
    assert "did you mean 'cidrBlock'" in failures["cidrBlok"]


def test_the_tables_rule_follows_the_types(provided: Provided) -> None:
    _, failures = provided.client.check(VPC, {"cidrBlock": "10.0.0.0"})
    assert "is no CIDR block" in failures["cidrBlock"]


def test_the_tables_rule_does_not_meet_a_value_of_the_wrong_type(provided: Provided) -> None:
    _, failures = provided.client.check(VPC, {"cidrBlock": 5})
    assert "expected a string" in failures["cidrBlock"]


def test_unknown_values_pass_the_check(provided: Provided) -> None:
    inputs, failures = provided.client.check(VPC, {"cidrBlock": UNKNOWN, "tags": {"a": UNKNOWN}})
    assert not failures
    assert inputs["cidrBlock"] is UNKNOWN


def test_defaults_are_filled_in(provided: Provided) -> None:
    inputs, _ = provided.client.check(VPC, CIDR)
    assert inputs["enableDnsSupport"] is True
    assert inputs["__defaults"] == ["enableDnsSupport"]


def test_a_default_never_overrides_the_program(provided: Provided) -> None:
    inputs, _ = provided.client.check(VPC, {**CIDR, "enableDnsSupport": False})
    assert inputs["enableDnsSupport"] is False


def test_secret_inputs_stay_secret(provided: Provided) -> None:
    request = provider_pb2.CheckRequest(
        urn=urn(VPC), news=marshal({"tags": {"a": "b"}}, [("tags", "a")]), olds=marshal({})
    )
    assert unmarshal(provided.client.stub.Check(request).inputs).secrets == {("tags", "a")}


def test_a_token_that_the_sdk_does_not_have_is_refused_with_the_nearest(provided: Provided) -> None:
    _, failures = provided.client.check("aws:ec2/vcp:Vcp", {})
    assert "aws:ec2/vpc:Vpc" in failures[""]


def test_a_token_without_entry_is_previewed_by_the_sdks_types(provided: Provided) -> None:
    inputs, failures = provided.client.check(QUEUE, {"delaySeconds": 5})
    assert not failures
    _, outputs = provided.client.create(QUEUE, inputs, preview=True)
    assert outputs["delaySeconds"] == 5
    assert outputs["arn"] is UNKNOWN


def test_a_token_without_entry_is_still_checked(provided: Provided) -> None:
    _, failures = provided.client.check(QUEUE, {"delaySecond": 5})
    assert "delaySecond" in failures


def test_a_token_without_entry_cannot_be_made_and_the_error_names_the_file(provided: Provided) -> None:
    with pytest.raises(grpc.RpcError, match=r"aws:sqs/queue:Queue.*twin/tests/fake_cloud.py"):
        provided.client.create(QUEUE, {})


def test_a_function_without_entry_is_unknown_in_a_preview_and_an_error_in_an_update(
    provided: Provided,
) -> None:
    token = "aws:ec2/getVpc:getVpc"
    result, _ = provided.client.invoke(token, {}, preview=True)
    assert result["cidrBlock"] is UNKNOWN
    with pytest.raises(grpc.RpcError, match=r"aws:ec2/getVpc:getVpc.*twin/tests/fake_cloud.py"):
        provided.client.invoke(token, {})


def test_a_function_answers_with_every_property_of_its_result(provided: Provided) -> None:
    result, _ = provided.client.invoke(IDENTITY, {})
    assert result == {"accountId": "123456789012", "userId": "A", "arn": None, "id": None}


def test_a_functions_arguments_are_checked(provided: Provided) -> None:
    _, failures = provided.client.invoke("aws:ec2/getVpc:getVpc", {"cidrBlok": "x"})
    assert "cidrBlok" in failures


def test_create_answers_every_output_of_the_type(provided: Provided) -> None:
    _, id, outputs = provided.create()
    assert id in provided.backend.things(VPC)
    assert outputs["mainRouteTableId"] is None, "a dependent's input must not vanish"
    assert outputs["arn"].endswith(id)
    assert "__defaults" not in outputs


def test_a_preview_of_create_knows_inputs_and_nothing_of_the_clouds(provided: Provided) -> None:
    _, outputs = provided.client.create(VPC, {**CIDR, "tags": {"a": "b"}}, preview=True)
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["tagsAll"] == {"a": "b"}, "policies read tagsAll in a preview"
    assert outputs["arn"] is UNKNOWN
    assert not provided.backend.things(), "a preview makes nothing"


def test_a_computed_input_is_unknown_only_where_it_is_not_given(provided: Provided) -> None:
    inputs = {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}
    _, outputs = provided.client.create(SUBNET, inputs, preview=True)
    assert outputs["availabilityZone"] is UNKNOWN
    _, outputs = provided.client.create(SUBNET, {**inputs, "availabilityZone": "us-west-2b"}, preview=True)
    assert outputs["availabilityZone"] == "us-west-2b"


def test_secret_outputs_are_marked(provided: Provided) -> None:
    request = provider_pb2.CreateRequest(
        urn=urn(BUCKET), properties=marshal({"bucket": "b", "tags": {"a": "b"}}, [("tags", "a")])
    )
    secrets = unmarshal(provided.client.stub.Create(request).properties).secrets
    assert ("websiteEndpoint",) in secrets, "the type says so"
    assert ("tags",) in secrets, "its input is secret"


def test_the_clouds_refusal_carries_its_words_and_the_path(provided: Provided) -> None:
    with pytest.raises(grpc.RpcError) as error:
        provided.client.create(VPC, {**CIDR, "tags": {"failure": "refuse"}})
    assert error.value.details() == "tags.failure: Refused: the cloud refuses it"
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION, "nothing is pending"
    assert not provided.store.live(urn(VPC)), "and nothing is left to adopt"


def left_by(error: Any) -> Any:
    """What an answer says is there, though it failed."""
    trailing: dict[str, bytes] = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail


def half_made(provided: Provided) -> Any:
    with pytest.raises(grpc.RpcError) as error:
        provided.client.create(VPC, {**CIDR, "tags": {"failure": "half"}})
    return left_by(error.value)


def test_a_half_made_resource_is_kept_by_the_engine(provided: Provided) -> None:
    left = half_made(provided)
    assert left.id in provided.backend.things(VPC)
    assert unmarshal(left.properties).props["arn"].endswith(left.id)
    assert "never became ready" in left.reasons[0]
    assert left.refresh_before_update, "what is there is not what was asked for"


def test_a_half_made_resource_is_answered_as_the_cloud_has_it(
    provided: Provided, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Vpc.read

    def read(self: Vpc, *arguments: Any) -> Props | None:
        outputs = plain(self, *arguments)
        return {**outputs, "enableDnsSupport": False} if outputs else None

    monkeypatch.setattr(Vpc, "read", read)
    assert unmarshal(half_made(provided).properties).props["enableDnsSupport"] is False


def test_a_half_made_resource_fails_each_read_until_an_update_has_finished_it(
    provided: Provided, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: list[str] = []
    monkeypatch.setattr(Vpc, "finish", lambda _, __, id, ___: finished.append(id))
    left = half_made(provided)
    state, inputs = unmarshal(left.properties).props, unmarshal(left.inputs).props
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as error:
            provided.client.read(VPC, left.id, state, inputs)
        again = left_by(error.value)
        assert again.id == left.id
        assert again.refresh_before_update
        assert "never became ready" in again.reasons[0]
    provided.client.update(VPC, left.id, state, {**inputs, "tags": {}}, inputs)
    assert finished == [left.id]
    provided.client.update(VPC, left.id, state, inputs, inputs)
    assert finished == [left.id], "once"
    assert provided.client.read(VPC, left.id, state, inputs)[0] == left.id


def test_a_resource_that_failed_after_its_last_call_is_read_as_it_is(provided: Provided) -> None:
    with pytest.raises(grpc.RpcError) as error:
        provided.client.create(VPC, {**CIDR, "tags": {"failure": "failed"}})
    left = left_by(error.value)
    state, inputs = unmarshal(left.properties).props, unmarshal(left.inputs).props
    assert provided.client.read(VPC, left.id, state, inputs)[0] == left.id, (
        "nothing is left to finish: an update would only be refused"
    )


def test_an_import_of_a_half_made_resource_succeeds(provided: Provided) -> None:
    left = half_made(provided)
    assert provided.client.read(VPC, left.id)[0] == left.id


def test_a_defect_of_a_table_says_so(provided: Provided, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vpc, "create", lambda *_: 1 / 0)
    with pytest.raises(grpc.RpcError, match="ZeroDivisionError"):
        provided.client.create(VPC, CIDR)


def test_an_update_changes_in_place_and_answers_everything(provided: Provided) -> None:
    inputs, id, outputs = provided.create()
    answer = provided.client.update(VPC, id, outputs, {**inputs, "tags": {"a": "b"}}, inputs)
    assert answer["tags"] == {"a": "b"}
    assert answer["mainRouteTableId"] is None
    assert provided.backend.things(VPC)[id]["tags"] == {"a": "b"}


def test_a_preview_of_update_keeps_what_stays_and_hides_what_may_change(provided: Provided) -> None:
    inputs, id, outputs = provided.create(VPC, {**CIDR, "tags": {"a": "b"}})
    new = {key: value for key, value in inputs.items() if key != "tags"}
    answer = provided.client.update(VPC, id, outputs, new, inputs, preview=True)
    assert answer["arn"] == outputs["arn"]
    assert answer["dhcpOptionsId"] is UNKNOWN, "volatile"
    assert "tags" not in answer
    assert provided.backend.things(VPC)[id]["tags"] == {"a": "b"}, "a preview changes nothing"


def test_deleting_twice_is_no_error(provided: Provided) -> None:
    _, id, outputs = provided.create()
    provided.client.delete(VPC, id, outputs)
    provided.client.delete(VPC, id, outputs)
    assert not provided.backend.things()


def test_cancel_wakes_what_waits(provided: Provided) -> None:
    provided.client.stub.Cancel(empty_pb2.Empty())
    assert CANCELLED.is_set()


def test_forty_creates_at_once_make_forty(provided: Provided) -> None:
    requests = [
        provided.client.stub.Create.future(
            provider_pb2.CreateRequest(urn=urn(VPC, f"v{i}"), properties=marshal(CIDR))
        )
        for i in range(40)
    ]
    ids = {request.result(timeout=30).id for request in requests}
    assert len(ids) == 40
    assert set(provided.backend.things(VPC)) == ids


def test_a_provider_process_ends_with_its_engine(tmp_path: Path) -> None:
    command = f"{sys.executable} -m twin.tests.fake_cloud & echo $!; wait"
    environment = {**os.environ, "FAKE_CLOUD": str(tmp_path / "cloud.db")}
    engine = subprocess.Popen(
        ["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert engine.stdout
    provider = int(engine.stdout.readline())
    assert int(engine.stdout.readline()) > 0, "the port comes first"
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    orphan = psutil.Process(provider)
    gone, _ = psutil.wait_procs([orphan], timeout=10)
    assert gone, "no provider outlives its engine"


def test_a_provider_of_a_cloud_that_the_twin_does_not_hold_refuses_to_be_configured(tmp_path: Path) -> None:
    cloud = FakeCloud(Backend(tmp_path / "cloud.db"))
    server, port = start(Provider(cloud, Store(tmp_path / "store.db"), elsewhere="this twin is of another"))
    client = Client(port)
    with pytest.raises(grpc.RpcError, match="this twin is of another"):
        client.configure(region="us-west-2")
    client.close()
    server.stop(None)
