"""Detached processes: what is started is stopped, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from twin import processes
from twin.processes import Daemon, ProcessError

Make = Callable[[str], Daemon]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    daemons: list[Daemon] = []

    def one(name: str) -> Daemon:
        daemons.append(Daemon(tmp_path, name))
        return daemons[-1]

    yield one
    processes.stop(daemons, grace_seconds=0)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def run(daemon: Daemon, code: str) -> bool:
    return processes.start(daemon, python(code), env=dict(os.environ))


def until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_started_process_runs_is_no_child_of_ours_and_is_stopped(make: Make) -> None:
    daemon = make("sleeper")
    assert run(daemon, "import time; time.sleep(60)")
    process = daemon.process()
    assert process is not None
    assert process.pid not in {child.pid for child in psutil.Process().children(recursive=True)}
    assert not run(daemon, "raise SystemExit"), "one that runs is left alone"
    assert daemon.process() == process
    assert processes.stop([daemon]) == ["sleeper"]
    assert not daemon.alive
    assert not daemon.pid_file.exists()
    assert processes.stop([daemon]) == [], "stopping twice is no error"


def test_stop_ends_children_and_one_that_ignores_the_request(make: Make) -> None:
    daemon = make("stubborn")
    run(
        daemon,
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)",
    )
    assert until(lambda: daemon.log.read_text().strip().isdigit())
    child = psutil.Process(int(daemon.log.read_text()))
    processes.stop([daemon], grace_seconds=0.2)
    assert not daemon.alive
    assert until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_child_that_outlived_its_killed_parent_is_stopped_too(make: Make) -> None:
    daemon = make("parent")
    run(
        daemon,
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)",
    )
    assert until(lambda: daemon.log.read_text().strip().isdigit())
    child = psutil.Process(int(daemon.log.read_text()))
    parent = daemon.process()
    assert parent is not None
    parent.kill()
    assert until(lambda: not daemon.alive)
    processes.stop([daemon])
    assert until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_process_whose_pid_was_given_to_another_is_never_touched(make: Make) -> None:
    daemon = make("reused")
    with subprocess.Popen(python("import time; time.sleep(60)")) as bystander:
        try:
            daemon.pid_file.parent.mkdir(parents=True)
            daemon.pid_file.write_text(json.dumps({"pid": bystander.pid, "identity": "another boot:1"}))
            assert not daemon.alive, "the pid is in use, but not by what was started"
            processes.stop([daemon], grace_seconds=0)
            assert bystander.poll() is None, "a process of another user was ended"
        finally:
            bystander.kill()


def test_a_process_started_before_a_crash_wrote_its_pid_file_is_found_by_its_mark(make: Make) -> None:
    daemon = make("lost")
    run(daemon, "import time; time.sleep(60)")
    first = daemon.process()
    assert first is not None
    daemon.pid_file.unlink()
    run(daemon, "import time; time.sleep(60)")
    assert until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE), (
        "two of the same would fight for the port and the data"
    )
    assert daemon.alive


def test_a_daemon_started_by_another_daemon_outlives_it(make: Make, tmp_path: Path) -> None:
    inner, outer = make("inner"), make("outer")
    run(
        outer,
        "import sys; sys.path[:0] = "
        + repr([path for path in sys.path if path])
        + "\nimport os, time; from pathlib import Path; from twin import processes\n"
        + f"daemon = processes.Daemon(Path({str(tmp_path)!r}), 'inner')\n"
        + "processes.start(daemon, ['sleep', '60'], env=dict(os.environ)); time.sleep(60)",
    )
    assert until(lambda: inner.alive), processes.log_tail(outer)
    processes.stop([outer], grace_seconds=0.5)
    assert inner.alive, "the control plane must survive a restart of the controller that wiped it"


def test_waiting_for_a_process_that_died_fails_at_once_with_the_end_of_its_log(make: Make) -> None:
    daemon = make("broken")
    run(daemon, "print('line one'); raise SystemExit('no such certificate')")
    began = time.monotonic()
    with pytest.raises(ProcessError, match="ended before it was ready") as caught:
        processes.wait_ready(daemon, lambda: False, seconds=30)
    assert time.monotonic() - began < 5
    assert "no such certificate" in str(caught.value)
    assert str(daemon.log) in str(caught.value)


def test_waiting_has_a_deadline(make: Make) -> None:
    daemon = make("slow")
    run(daemon, "import time; time.sleep(60)")
    with pytest.raises(ProcessError, match="not ready after"):
        processes.wait_ready(daemon, lambda: False, seconds=0.2)


def test_a_command_that_does_not_exist_is_reported_with_its_log(make: Make) -> None:
    daemon = make("absent")
    processes.start(daemon, ["/no/such/program"], env=dict(os.environ))
    with pytest.raises(ProcessError, match="/no/such/program"):
        processes.wait_ready(daemon, lambda: False, seconds=5)


def test_a_damaged_pid_file_counts_as_not_running(make: Make) -> None:
    daemon = make("damaged")
    daemon.pid_file.parent.mkdir(parents=True)
    daemon.pid_file.write_text('{"pid": "x"')
    assert not daemon.alive
    assert run(daemon, "import time; time.sleep(60)")


def test_memory_is_told_for_what_runs_only(make: Make) -> None:
    daemon, idle = make("big"), make("idle")
    run(daemon, "import time; time.sleep(60)")
    assert until(lambda: processes.memory_bytes([daemon])["big"] > 1_000_000)
    assert set(processes.memory_bytes([daemon, idle])) == {"big"}


@pytest.mark.parametrize(
    ("stated", "counted"),
    [
        pytest.param({"rss": 70_000_000, "pss": 35_000_000}, 35_000_000, id="its part of what it shares"),
        pytest.param({"rss": 70_000_000}, 70_000_000, id="all, where the system states no part"),
    ],
)
def test_memory_that_processes_share_counts_once(
    make: Make, monkeypatch: pytest.MonkeyPatch, stated: dict[str, int], counted: int
) -> None:
    # Stated, not measured: some kernels and sandboxes report the shared part as all of it.
    daemon = make("parent")
    run(daemon, "import time; time.sleep(60)")
    monkeypatch.setattr(psutil.Process, "memory_full_info", lambda process: SimpleNamespace(**stated))
    monkeypatch.setattr(psutil.Process, "memory_info", lambda process: SimpleNamespace(rss=stated["rss"]))
    assert processes.memory_bytes([daemon]) == {"parent": counted}


def test_the_end_of_a_log_begins_with_the_cause_of_a_panic(make: Make) -> None:
    daemon = make("panicking")
    daemon.log.parent.mkdir(parents=True)
    stack = "".join(f"main.function{number}()\n" for number in range(40))
    daemon.log.write_text(f"starting\npanic: the log is damaged\n\ngoroutine 1 [running]:\n{stack}")
    lines = processes.log_tail(daemon).splitlines()
    assert lines[0] == "  | panic: the log is damaged"
    assert len(lines) == processes.TAIL_LINES + 1
    assert "main.function39()" in lines[-2]


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("", "exit status 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "killed by SIGTERM"),
    ],
)
def test_how_a_process_ended_is_known(make: Make, code: str, ending: str) -> None:
    daemon = make("ending")
    run(daemon, code)
    assert until(lambda: daemon.status is not None)
    assert daemon.ended
    assert daemon.ending == ending


def test_a_record_that_is_made_and_not_yet_written_is_waited_for(make: Make) -> None:
    daemon = make("written-late")
    daemon.record.parent.mkdir(parents=True, exist_ok=True)
    daemon.record.touch()
    writer = threading.Timer(0.2, daemon.record.write_text, ["137\n"])
    writer.start()
    assert processes.ending(daemon) == "killed by SIGKILL"
    writer.join()


def test_a_process_that_was_stopped_has_not_ended_by_itself(make: Make) -> None:
    daemon = make("asked")
    run(daemon, "import time; time.sleep(60)")
    assert not daemon.ended
    processes.stop([daemon])
    time.sleep(0.1)
    assert not daemon.ended
    assert not daemon.record.exists()


def test_a_new_start_forgets_how_the_one_before_ended(make: Make) -> None:
    daemon = make("again")
    run(daemon, "raise SystemExit(3)")
    assert until(daemon.record.exists)
    run(daemon, "import time; time.sleep(60)")
    assert not daemon.record.exists()
    assert not daemon.ended


def test_waiting_ends_with_the_cause_when_what_is_needed_ends(make: Make) -> None:
    needed, waiting = make("etcd"), make("api")
    run(needed, "import time; time.sleep(0.3); print('disk is full'); raise SystemExit(7)")
    run(waiting, "import time; time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(
        ProcessError, match=r"(?s)api cannot become ready: etcd ended \(exit status 7\).*disk is full"
    ):
        processes.wait_ready(waiting, lambda: False, seconds=30, needs=[needed])
    assert time.monotonic() - began < 5
