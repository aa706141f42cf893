"""What a killed engine's pending creates made is deleted before a destroy, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twin.core.pending_creates import undo
from twin.provider_interface import CloudError, Context, Props
from twin.store import Store
from twin.tests.fake_cloud import SUBNET, VPC, Backend, FakeCloud, FakeContext, FakeType, Subnet

CIDR = {"cidrBlock": "10.0.0.0/16"}


def urn(token: str, name: str = "main") -> str:
    return f"urn:pulumi:dev::proj::{token}::{name}"


def state(
    *pending: str, known: tuple[tuple[str, str], ...] = (), options: Props | None = None
) -> dict[str, Any]:
    """A state with these creates under way and these resources. options: of the creates."""
    others = [{"urn": urn(token), "type": token, "id": id} for token, id in known]
    resource = {"custom": True, **(options or {})}
    operations = [
        {"type": "creating", "resource": {"urn": urn(token), "type": token, **resource}} for token in pending
    ]
    return {"resources": others, "pending_operations": operations}


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(tmp_path / "cloud.db")


@pytest.fixture
def store() -> Store:
    return Store(None)


def begun(store: Store, backend: Backend, token: str = VPC, inputs: Props = CIDR) -> str:
    """A create whose result the engine did not get: the id of what it made."""
    intent = store.begin(urn(token), token, inputs)
    return backend.make(intent, token, FakeCloud(backend).resource(token).prefix, inputs)  # type: ignore[union-attr]


def test_what_was_made_and_not_answered_is_deleted(store: Store, backend: Backend) -> None:
    id = begun(store, backend)
    outcome = undo(FakeCloud(backend), store, "dev", state(VPC))
    assert outcome.deleted == [f"{VPC} {id}"]
    assert not backend.things()
    assert not store.every(), "the next `up` has nothing to adopt"
    assert not undo(FakeCloud(backend), store, "dev", state(VPC)).deleted, "it is done"


def test_what_was_answered_and_not_noted_is_deleted(store: Store, backend: Backend) -> None:
    intent = store.begin(urn(VPC), VPC, CIDR)
    id = backend.make(intent, VPC, "vpc", CIDR)
    store.created(intent, id, CIDR, CIDR)
    assert undo(FakeCloud(backend), store, "dev", state(VPC)).deleted == [f"{VPC} {id}"]
    assert not backend.things()


def test_what_the_state_knows_is_the_engines(store: Store, backend: Backend) -> None:
    intent = store.begin(urn(VPC), VPC, CIDR)
    id = backend.make(intent, VPC, "vpc", CIDR)
    store.created(intent, id, CIDR, CIDR)
    outcome = undo(FakeCloud(backend), store, "dev", state(VPC, known=((VPC, id),)))
    assert not outcome.deleted, "a later `up` adopted it, and the note of its create was left"
    assert backend.things()


@pytest.mark.parametrize("option", ["retainOnDelete", "protect"])
def test_what_the_program_keeps_stays(store: Store, backend: Backend, option: str) -> None:
    begun(store, backend)
    assert not undo(FakeCloud(backend), store, "dev", state(VPC, options={option: True})).deleted
    assert backend.things()


def test_what_the_engine_forgot_with_its_provider_is_deleted(store: Store, backend: Backend) -> None:
    id = begun(store, backend)
    assert undo(FakeCloud(backend), store, "dev", state()).deleted == [f"{VPC} {id}"], "its note is gone too"


def test_another_stacks_creates_stay(store: Store, backend: Backend) -> None:
    begun(store, backend)
    assert not undo(FakeCloud(backend), store, "other", state()).deleted
    assert backend.things()


@pytest.mark.parametrize("ended", ["in order", "killed"])
def test_what_the_engine_dropped_from_its_state_stays(store: Store, backend: Backend, ended: str) -> None:
    intent = store.begin(urn(VPC), VPC, CIDR)
    id = backend.make(intent, VPC, "vpc", CIDR)
    store.created(intent, id, CIDR, CIDR)
    if ended == "in order":
        store.answered()
    undo(FakeCloud(backend), store, "dev", state(known=((VPC, id),)))
    assert not undo(FakeCloud(backend), store, "dev", state()).deleted, "retained by the destroy before"
    assert backend.things()


def test_a_create_is_completed_by_the_provider_that_was_asked(store: Store, backend: Backend) -> None:
    intent = store.begin(urn(VPC), VPC, CIDR, {"region": "eu-west-1"})
    backend.make(intent, VPC, "vpc", CIDR)
    regions: list[str] = []

    class Noted(FakeCloud):
        def configure(self, config: Props) -> FakeContext:
            regions.append(config["region"])
            return super().configure(config)

    assert undo(Noted(backend), store, "dev", state()).deleted
    assert regions == ["eu-west-1"]


def test_what_others_need_goes_after_them(
    store: Store, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(store, backend, SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    begun(store, backend)
    plain = FakeType.delete

    def delete(self: FakeType, context: Context, id: str, outputs: Props) -> None:
        if self.token == VPC and backend.things(SUBNET):
            raise CloudError("it has dependencies", code="DependencyViolation")
        plain(self, context, id, outputs)

    monkeypatch.setattr(FakeType, "delete", delete)
    outcome = undo(FakeCloud(backend), store, "dev", state(VPC, SUBNET))
    assert len(outcome.deleted) == 2
    assert not outcome.failed
    assert not backend.things()


def test_what_cannot_be_deleted_is_reported(
    store: Store, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begun(store, backend, SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})

    def refuse(*_: Any) -> None:
        raise CloudError("it is in use", code="InUse")

    monkeypatch.setattr(Subnet, "delete", refuse)
    outcome = undo(FakeCloud(backend), store, "dev", state(SUBNET))
    assert not outcome.deleted
    assert outcome.failed == {f"{SUBNET} main": "it is in use"}
    monkeypatch.undo()
    assert undo(FakeCloud(backend), store, "dev", state(SUBNET)).deleted == [f"{SUBNET} {id}"], "later"
