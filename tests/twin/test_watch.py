"""A twin whose processes end while a command works in it, with stand-ins for its processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twin import lifecycle, processes, watch
from twin import world as worlds
from twin.kubernetes import control_plane
from twin.processes import Daemon, ProcessError
from twin.watch import Watch
from twin.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.02)
    made = worlds.create("one")

    def start(world: World, _: object) -> None:
        for name in control_plane.PROCESSES:
            if Daemon(world.folder, name).ended:
                run(world, name, "sleep 60")

    monkeypatch.setattr(control_plane, "_start", start)
    monkeypatch.setattr(lifecycle, "_launch", lambda world, name: run(world, name, "sleep 60"))
    monkeypatch.setattr(lifecycle, "_wait", lambda *_: None)
    yield made
    processes.stop([Daemon(made.folder, name) for name in lifecycle.PROCESSES], grace_seconds=0)


def run(world: World, name: str, script: str) -> Daemon:
    daemon = Daemon(world.folder, name)
    processes.start(daemon, ["/bin/sh", "-c", script], env=dict(os.environ))
    return daemon


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_process_that_ends_just_before_its_command_is_restarted_and_reported(world: World) -> None:
    daemon = run(world, "cloud", "sleep 60")
    said: list[str] = []
    with Watch(world, said.append):
        first = daemon.process()
        assert first is not None
        first.kill()
        first.wait(5)
    assert said == ["cloud of the twin ended (killed by SIGKILL) and was restarted"]
    assert daemon.alive, "the next command finds it"


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "controller", "cloud"])
def test_a_process_that_was_killed_is_restarted_and_reported(world: World, name: str) -> None:
    daemon = run(world, name, "sleep 60")
    said: list[str] = []
    with Watch(world, said.append) as watching:
        first = daemon.process()
        assert first is not None
        first.kill()
        assert until(lambda: bool(said))
    second = daemon.process()
    assert second is not None
    assert second.pid != first.pid
    assert said == [f"{name} of the twin ended (killed by SIGKILL) and was restarted"]
    assert watching.failure == ""


def test_a_process_that_ends_again_and_again_ends_the_command_with_the_cause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart(world: World, name: str) -> bool:
        run(world, name, "echo disk is full; exit 7")
        return True

    monkeypatch.setattr(lifecycle, "restart", restart)
    run(world, "etcd", "echo disk is full; exit 7")
    ended = threading.Event()
    with Watch(world, lambda _: None) as watching:
        watching.on_failure = ended.set
        assert ended.wait(20)
    assert "etcd" in watching.failure
    assert "exit status 7" in watching.failure
    assert "disk is full" in watching.failure
    assert str(Daemon(world.folder, "etcd").log) in watching.failure


def test_a_process_that_does_not_start_again_ends_the_command_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart(world: World, name: str) -> bool:
        raise ProcessError("port 1234 cannot be had")

    monkeypatch.setattr(lifecycle, "restart", restart)
    run(world, "kube-apiserver", "echo panic; exit 2")
    ended = threading.Event()
    with Watch(world, lambda _: None) as watching:
        watching.on_failure = ended.set
        assert ended.wait(20)
    assert "kube-apiserver of the twin ended (exit status 2)" in watching.failure
    assert "panic" in watching.failure
    assert "port 1234 cannot be had" in watching.failure


@pytest.mark.parametrize("name", ["controller", "etcd"])
def test_a_process_that_is_being_stopped_stays_stopped(world: World, name: str) -> None:
    daemon = run(world, name, "sleep 60")
    said: list[str] = []
    own = f"{world.name}.control-plane" if name == "etcd" else world.name
    with Watch(world, said.append) as watching:
        # As `stop` does it: until its pid file is removed, the process looks as if it had ended by itself.
        with worlds.lock(own):
            process = daemon.process()
            assert process is not None
            process.kill()
            assert until(lambda: daemon.ended)
            time.sleep(0.3)
            daemon.pid_file.unlink()
        time.sleep(0.5)
    assert not daemon.alive
    assert (said, watching.failure) == ([], "")


def test_a_restart_leaves_what_was_stopped_or_started_meanwhile(world: World) -> None:
    assert control_plane.restart(world, "etcd") is False, "it never ran"
    run(world, "etcd", "sleep 60")
    assert control_plane.restart(world, "etcd") is False, "it runs"
