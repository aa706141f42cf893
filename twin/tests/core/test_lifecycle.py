"""What an interrupted run left is adopted; what the engine knows is not."""

from __future__ import annotations

import grpc
import pytest

from twin.provider_interface import Cancelled, Context, Props
from twin.tests.fake_cloud import BUCKET, VPC, Vpc
from twin.tests.provider_client import CIDR, Provided, urn


def interrupted(provided: Provided, monkeypatch: pytest.MonkeyPatch, inputs: Props) -> None:
    """A Create whose call was executed and whose provider died before it knew."""
    genuine = Vpc.create

    def dies(self: Vpc, context: Context, inputs: Props) -> tuple[str, Props]:
        genuine(self, context, inputs)
        raise Cancelled("the provider dies here")

    with monkeypatch.context() as patch:
        patch.setattr(Vpc, "create", dies)
        with pytest.raises(grpc.RpcError):
            provided.client.create(VPC, inputs)


def test_an_interrupted_create_is_adopted(provided: Provided, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(provided, monkeypatch, CIDR)
    left = set(provided.backend.things(VPC))
    id, _ = provided.client.create(VPC, CIDR)
    assert {id} == left == set(provided.backend.things(VPC))


def test_an_interrupted_create_is_adopted_and_brought_to_the_new_inputs(
    provided: Provided, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(provided, monkeypatch, CIDR)
    id, outputs = provided.client.create(VPC, {**CIDR, "tags": {"new": "yes"}})
    assert list(provided.backend.things(VPC)) == [id]
    assert outputs["tags"] == {"new": "yes"}
    assert provided.backend.things(VPC)[id]["tags"] == {"new": "yes"}


def test_an_interrupted_create_that_cannot_be_changed_is_deleted_first(
    provided: Provided, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(provided, monkeypatch, CIDR)
    left = set(provided.backend.things(VPC))
    id, _ = provided.client.create(VPC, {"cidrBlock": "10.9.0.0/16"})
    assert set(provided.backend.things(VPC)) == {id}
    assert id not in left


def test_an_answer_that_never_reached_the_engine_is_adopted(provided: Provided) -> None:
    first, _ = provided.client.create(VPC, CIDR)
    second, _ = provided.client.create(VPC, CIDR)
    assert first == second
    assert len(provided.backend.things(VPC)) == 1


def test_a_resource_that_the_engine_knows_is_never_adopted(provided: Provided) -> None:
    inputs, id, outputs = provided.create()
    new = {**inputs, "cidrBlock": "10.9.0.0/16"}
    provided.client.diff(VPC, id, outputs, new, inputs)
    other, _ = provided.client.create(VPC, new)
    assert other != id, "a replacement is created before the old one is deleted"
    assert len(provided.backend.things(VPC)) == 2


def test_what_is_gone_meanwhile_is_made_anew(provided: Provided) -> None:
    id, _ = provided.client.create(VPC, CIDR)
    provided.backend.drop(id)
    other, _ = provided.client.create(VPC, CIDR)
    assert other != id
    assert list(provided.backend.things(VPC)) == [other]


def test_a_deleted_resource_is_not_adopted(provided: Provided) -> None:
    id, outputs = provided.client.create(VPC, CIDR)
    provided.client.delete(VPC, id, outputs)
    assert not provided.store.live(urn(VPC))
    other, _ = provided.client.create(VPC, CIDR)
    assert other != id


def test_check_keeps_the_name_of_what_will_be_adopted(provided: Provided) -> None:
    first, _ = provided.client.check(BUCKET, {}, randomSeed=b"one")
    id, _ = provided.client.create(BUCKET, first)
    second, _ = provided.client.check(BUCKET, {}, randomSeed=b"two")
    assert second["bucket"] == first["bucket"]
    assert provided.client.create(BUCKET, second)[0] == id
