"""Locks between processes that state who has them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import Timeout

from twin import instances, locks

HOLDER = """
import sys, time
from twin import instances
with instances.lock("one"):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))


def test_lock_that_is_held_names_process_command_and_time_and_is_free_after_a_kill() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        with pytest.raises(Timeout) as refusal:
            instances.lock("one", seconds=0.1).acquire()
        owner = locks.owner(refusal.value.lock_file)
        holder.send_signal(signal.SIGKILL)
    assert f"process {holder.pid} (`{sys.executable} -c" in owner
    assert f"since {time.strftime('%Y-%m-%d')}" in owner
    with instances.lock("one", seconds=5):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 0, "since": 0}'])
def test_damaged_note_of_the_owner_is_no_error(content: str) -> None:
    lock = instances.lock("one")
    with lock:
        Path(f"{lock.lock_file}.owner").write_text(content)
        assert locks.owner(lock.lock_file) == ""


def test_process_that_started_after_the_note_is_another_one() -> None:
    assert locks.process(os.getpid(), time.time()).startswith(f"process {os.getpid()} (`")
    assert locks.process(os.getpid(), 1.0) == "", "the id was given to another process"
