"""A twin whose processes end while a command works in it, with stand-ins for its processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twin import instances, lifecycle, processes, watch
from twin.instances import Instance
from twin.kubernetes import control_plane
from twin.processes import Daemon, ProcessError
from twin.watch import Watch


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.02)
    created = instances.create("one")

    def start(instance: Instance, _: object) -> None:
        for name in control_plane.PROCESSES:
            if Daemon(instance.folder, name).ended:
                run(instance, name, "sleep 60")

    monkeypatch.setattr(control_plane, "_start", start)
    monkeypatch.setattr(lifecycle, "_launch", lambda instance, name: run(instance, name, "sleep 60"))
    monkeypatch.setattr(lifecycle, "_wait", lambda *_: None)
    yield created
    processes.stop([Daemon(created.folder, name) for name in lifecycle.PROCESSES], grace_seconds=0)


def run(instance: Instance, name: str, script: str) -> Daemon:
    daemon = Daemon(instance.folder, name)
    processes.start(daemon, ["/bin/sh", "-c", script], env=dict(os.environ))
    return daemon


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_process_that_ends_just_before_its_command_is_restarted_and_reported(instance: Instance) -> None:
    daemon = run(instance, "cloud", "sleep 60")
    said: list[str] = []
    with Watch(instance, said.append):
        first = daemon.process()
        assert first is not None
        first.kill()
        first.wait(5)
    assert said == ["cloud of the twin ended (killed by SIGKILL) and was restarted"]
    assert daemon.alive, "the next command finds it"


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "controller", "cloud"])
def test_a_process_that_was_killed_is_restarted_and_reported(instance: Instance, name: str) -> None:
    daemon = run(instance, name, "sleep 60")
    said: list[str] = []
    with Watch(instance, said.append) as watching:
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
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart(instance: Instance, name: str) -> bool:
        run(instance, name, "echo disk is full; exit 7")
        return True

    monkeypatch.setattr(lifecycle, "restart", restart)
    run(instance, "etcd", "echo disk is full; exit 7")
    ended = threading.Event()
    with Watch(instance, lambda _: None) as watching:
        watching.on_failure = ended.set
        assert ended.wait(20)
    assert "etcd" in watching.failure
    assert "exit status 7" in watching.failure
    assert "disk is full" in watching.failure
    assert str(Daemon(instance.folder, "etcd").log) in watching.failure


def test_a_process_that_does_not_start_again_ends_the_command_at_once(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart(instance: Instance, name: str) -> bool:
        raise ProcessError("port 1234 cannot be had")

    monkeypatch.setattr(lifecycle, "restart", restart)
    run(instance, "kube-apiserver", "echo panic; exit 2")
    ended = threading.Event()
    with Watch(instance, lambda _: None) as watching:
        watching.on_failure = ended.set
        assert ended.wait(20)
    assert "kube-apiserver of the twin ended (exit status 2)" in watching.failure
    assert "panic" in watching.failure
    assert "port 1234 cannot be had" in watching.failure


@pytest.mark.parametrize("name", ["controller", "etcd"])
def test_a_process_that_is_being_stopped_stays_stopped(instance: Instance, name: str) -> None:
    daemon = run(instance, name, "sleep 60")
    said: list[str] = []
    lock = f"{instance.name}.control-plane" if name == "etcd" else instance.name
    with Watch(instance, said.append) as watching:
        # As `stop` does it: until its pid file is removed, the process looks as if it had ended by itself.
        with instances.lock(lock):
            process = daemon.process()
            assert process is not None
            process.kill()
            assert until(lambda: daemon.ended)
            time.sleep(0.3)
            daemon.pid_file.unlink()
        time.sleep(0.5)
    assert not daemon.alive
    assert (said, watching.failure) == ([], "")


def test_a_restart_leaves_what_was_stopped_or_started_meanwhile(instance: Instance) -> None:
    assert control_plane.restart(instance, "etcd") is False, "it never ran"
    run(instance, "etcd", "sleep 60")
    assert control_plane.restart(instance, "etcd") is False, "it runs"
