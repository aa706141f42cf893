"""Worlds: made once, kept apart, refused when damaged."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from twin import world as worlds
from twin.world import PORT_RANGE, PORTS, World, WorldError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))


def test_a_world_is_the_same_when_it_is_asked_for_again() -> None:
    assert worlds.create("one", account="111122223333") == worlds.create("one", account="111122223333")
    assert worlds.load("one") == worlds.create("one", account="111122223333")


def test_worlds_side_by_side_share_no_port() -> None:
    first, second = worlds.create("first"), worlds.create("second")
    ports = [*first.ports.values(), *second.ports.values()]
    assert len(set(ports)) == 2 * len(PORTS)
    assert all(PORT_RANGE[0] <= port < PORT_RANGE[1] for port in ports), (
        "a port that the system gives to outgoing connections may be taken when a stopped twin starts"
    )


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(worlds, "PORT_RANGE", (port, port + 40))
        assert port not in worlds.create("one").ports.values()


def test_two_commands_that_make_the_same_world_at_once_get_the_same() -> None:
    made: list[World] = []
    threads = [threading.Thread(target=lambda: made.append(worlds.create("one"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert all(world == made[0] for world in made), "one of them would start processes on other ports"


@pytest.mark.parametrize("name", ["", "a", "Big", "1st", "under_score", "../up", "x" * 41, "end-"])
def test_a_name_that_is_no_folder_and_host_name_is_refused(name: str) -> None:
    with pytest.raises(WorldError, match="lower-case letters"):
        worlds.create(name)


def test_another_account_is_refused_since_resources_would_change_owner() -> None:
    worlds.create("one", account="111122223333")
    with pytest.raises(WorldError, match=r"111122223333.*444455556666.*reset --name one"):
        worlds.create("one", account="444455556666")


def test_a_damaged_world_says_how_to_make_it_anew_and_hides_no_other() -> None:
    worlds.create("good")
    (worlds.create("bad").folder / "world.json").write_text("{")
    with pytest.raises(WorldError, match="reset --name bad"):
        worlds.load("bad")
    assert [world.name for world in worlds.every()] == ["good"]
