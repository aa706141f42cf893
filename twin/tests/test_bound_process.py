"""Programs that end with the process that starts them."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from twin import bound_process
from twin.tests.waiting import eventually

STARTER = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:])
print(child.pid, flush=True)
time.sleep(60)
"""


def _sleeps(pid: int) -> bool:
    try:
        return psutil.Process(pid).name() == "sleep"
    except psutil.NoSuchProcess:
        return False


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no signal for the death of a parent")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_program_ends_when_its_starter_is_killed(number: signal.Signals) -> None:
    line = bound_process.command(number, ["/bin/sleep", "60"])
    with subprocess.Popen([sys.executable, "-c", STARTER, *line], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        eventually("the program runs", lambda: _sleeps(pid))
        starter.kill()
    eventually("it has ended", lambda: not _runs(pid))


def test_program_gets_its_arguments_and_its_exit_code_is_passed_on() -> None:
    line = bound_process.command(signal.SIGTERM, ["/bin/sh", "-c", 'echo "$1"; exit 7', "sh", "a b"])
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "a b\n")
