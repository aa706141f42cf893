"""Locks of the engine on stacks: killed, damaged, of another twin, of another machine, and in use."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import environment_files, stack_locks
from cli.output import CommandError, lock_timeout
from twin import instances
from twin.instances import Instance, create


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    return create("one")


def lock(instance: Instance, pid: int, host: str = "") -> Path:
    """Write a lock as the engine does."""
    locks = instance.folder / "state" / ".pulumi" / "locks" / "organization"
    folder = locks / environment_files.PROJECT / "dev"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{pid}-{host or 'here'}.json"
    content = {
        "pid": pid,
        "username": "me",
        "hostname": host or socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    file.write_text(json.dumps(content))
    return file


@contextlib.contextmanager
def engine(twin: Instance) -> Iterator[int]:
    """Run a process that looks like the engine of a twin; yield its id."""
    program = twin.folder / "pulumi-of-test" / "pulumi"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to("/bin/sleep")
    variables = {**os.environ, "PULUMI_HOME": str(twin.folder / "pulumi")}
    with subprocess.Popen([str(program), "60"], env=variables) as process:
        try:
            deadline = time.monotonic() + 5
            while not stack_locks._is_engine(twin, process.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            yield process.pid
        finally:
            process.kill()


def test_only_the_lock_of_a_killed_engine_is_removed(instance: Instance) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as done:
        pass
    dead = lock(instance, done.pid)
    elsewhere = lock(instance, done.pid, "another-host")
    reused = lock(instance, os.getpid())
    stack_locks.release(instance, "dev")
    assert not dead.exists()
    assert not reused.exists(), "the pid belongs to another program now"
    assert elsewhere.exists(), "a process of another machine cannot be checked"
    with pytest.raises(CommandError, match=rf"of me on another-host: .*delete {elsewhere}"):
        stack_locks.refuse_locked(instance, "dev")


def test_running_engine_keeps_its_lock_and_is_named_with_the_way_out(instance: Instance) -> None:
    with engine(instance) as pid:
        file = lock(instance, pid)
        stack_locks.release(instance, "dev")
        assert file.exists()
        with pytest.raises(CommandError) as refusal:
            stack_locks.refuse_locked(instance, "dev")
    message = str(refusal.value)
    assert f"the stack dev is in use by process {pid} (`" in message
    assert "pulumi 60`), since 20" in message, "its command and when it began"
    assert f"`kill -INT {pid}`" in message
    stack_locks.release(instance, "dev")
    stack_locks.refuse_locked(instance, "dev")
    assert not file.exists(), "its engine has ended"


def test_lock_of_a_process_that_is_now_an_engine_of_another_twin_is_removed(instance: Instance) -> None:
    with engine(create("two")) as pid:
        file = lock(instance, pid)
        stack_locks.release(instance, "dev")
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"pid": "x", "hostname": ""}', "\x00\x00"])
def test_damaged_lock_blocks_only_while_an_engine_works_in_the_twin(instance: Instance, content: str) -> None:
    file = lock(instance, 1)
    file.write_text(content)
    with engine(instance) as pid:
        stack_locks.release(instance, "dev")
        assert file.exists(), "it may be that engine's"
        with pytest.raises(CommandError, match=f"in use by process {pid}"):
            stack_locks.refuse_locked(instance, "dev")
    stack_locks.release(instance, "dev")
    assert not file.exists()
    assert not stack_locks.is_locked(instance, "dev")


@pytest.mark.usefixtures("instance")
def test_lock_of_the_twin_that_another_command_has_is_reported_with_the_way_out() -> None:
    lock = instances.lock("one")
    with lock:
        message = lock_timeout(lock.lock_file)
    assert f"{lock.lock_file} is held by process {os.getpid()} (`" in message
    assert f"end it with `kill {os.getpid()}`" in message
