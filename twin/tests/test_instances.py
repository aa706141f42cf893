"""Instances: made once, kept apart, refused when damaged."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from twin import instances
from twin.instances import PORT_RANGE, PORTS, Instance, InstanceError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))


def test_an_instance_is_the_same_when_it_is_asked_for_again() -> None:
    assert instances.create("one", account="111122223333") == instances.create("one", account="111122223333")
    assert instances.load("one") == instances.create("one", account="111122223333")


def test_instances_side_by_side_share_no_port() -> None:
    first, second = instances.create("first"), instances.create("second")
    ports = [*first.ports.values(), *second.ports.values()]
    assert len(set(ports)) == 2 * len(PORTS)
    assert all(PORT_RANGE[0] <= port < PORT_RANGE[1] for port in ports), (
        "a port that the system gives to outgoing connections may be taken when a stopped twin starts"
    )


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(instances, "PORT_RANGE", (port, port + 40))
        assert port not in instances.create("one").ports.values()


def test_two_commands_that_make_the_same_instance_at_once_get_the_same() -> None:
    created: list[Instance] = []
    threads = [threading.Thread(target=lambda: created.append(instances.create("one"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 4
    assert all(instance == created[0] for instance in created), (
        "one of them would start processes on other ports"
    )


@pytest.mark.parametrize("name", ["", "a", "Big", "1st", "under_score", "../up", "x" * 41, "end-"])
def test_a_name_that_is_no_folder_and_host_name_is_refused(name: str) -> None:
    with pytest.raises(InstanceError, match="lower-case letters"):
        instances.create(name)


def test_another_account_is_refused_since_resources_would_change_owner() -> None:
    instances.create("one", account="111122223333")
    with pytest.raises(InstanceError, match=r"111122223333.*444455556666.*reset --name one"):
        instances.create("one", account="444455556666")


def test_a_damaged_instance_says_how_to_make_it_anew_and_hides_no_other() -> None:
    instances.create("good")
    (instances.create("bad").folder / "instance.json").write_text("{")
    with pytest.raises(InstanceError, match="reset --name bad"):
        instances.load("bad")
    assert [instance.name for instance in instances.every()] == ["good"]


def test_an_instance_of_an_earlier_version_keeps_its_state() -> None:
    former = "world.json"  # codespell:ignore world
    before = instances.create("one", account="111122223333")
    (before.folder / "instance.json").rename(before.folder / former)
    assert instances.every() == [before]
    (before.folder / "instance.json").rename(before.folder / former)
    assert instances.create("one", account="111122223333") == before
    assert not (before.folder / former).exists()
