"""Detached processes that outlive the command which starts them, and are stopped surely.

A process is known by a pid file that holds its pid and what else identifies it, so that a pid
which the system gave to another process meanwhile is never touched. Each also carries a mark in its
environment (`AIPLATFORM_TWIN_PROCESS`, the pid file's path), inherited by its children: one that was
started by a command killed before it wrote the pid file, and children that outlived their parent, are
found by it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

MARK: Final = "AIPLATFORM_TWIN_PROCESS"
TAIL_LINES: Final = 15
CAUSE: Final = re.compile(r'^panic: |^fatal error: |"level":"(panic|fatal)"')
LOG_LIMIT_BYTES: Final = 8 * 1024 * 1024
POLL_SECONDS: Final = 0.05
# A shell's status of a program that a signal ended is this and the signal's number.
_SIGNALLED: Final = 128
# So long may it take until how a process ended is written down.
_RECORD_SECONDS: Final = 1.0
# The program becomes a child of init, not of the command that starts it: it leaves no zombie behind in a
# long-lived starter, and is not taken for one of the starter's children when that one is stopped.
# A shell stays with it only to record how it ended. It carries the daemon's mark, so `stop` ends it too.
_DETACH: Final = (
    'log=$1; record=$2; shift 2; rm -f "$record"; { "$@" >>"$log" 2>&1 </dev/null & echo $!; '
    'exec >/dev/null 2>&1 </dev/null; wait $!; echo $? >"$record"; } &'
)


class ProcessError(Exception):
    """A process that could not be started or did not become ready; the message shows the end of its log."""


@dataclass(frozen=True)
class Daemon:
    """A named process of a folder, with `<folder>/run/<name>.pid` and `<folder>/logs/<name>.log`."""

    folder: Path
    name: str

    @property
    def pid_file(self) -> Path:
        """Pid and identity, as JSON."""
        return self.folder / "run" / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        """What it prints, appended over restarts; the one before is kept as `.log.1` from 8 MiB on."""
        return self.folder / "logs" / f"{self.name}.log"

    def process(self) -> psutil.Process | None:
        """The running process, or None. A pid that now belongs to another process counts as None."""
        known = self._known()
        try:
            pid, identity = int(known["pid"]), str(known["identity"])
        except (ValueError, KeyError, TypeError):
            return None
        process = _running(pid)
        return process if process is not None and _identity(pid) == identity else None

    @property
    def ended(self) -> bool:
        """Whether it ended by itself or was killed, and was not stopped."""
        return self.pid_file.exists() and not self.alive

    @property
    def ending(self) -> str:
        """How it ended: `exit status 1`, `killed by SIGKILL`, or `exit status unknown` without a record."""
        status = self.status
        if status is None:
            return "exit status unknown"
        if status <= _SIGNALLED:
            return f"exit status {status}"
        try:
            return f"killed by {signal.Signals(status - _SIGNALLED).name}"
        except ValueError:
            return f"exit status {status}"

    @property
    def record(self) -> Path:
        """Where its exit status is written when it ends; absent while it runs, and where it was stopped."""
        return self.folder / "run" / f"{self.name}.ended"

    @property
    def status(self) -> int | None:
        """Its exit status on record, or None: the shell makes the file a moment before it writes to it."""
        try:
            return int(self.record.read_text())
        except (OSError, ValueError):
            return None

    @property
    def command(self) -> list[str]:
        """The command line that it was started with; empty where that is not known."""
        command = self._known().get("command")
        return [str(word) for word in command] if isinstance(command, list) else []

    @property
    def program(self) -> str | None:
        """The program that it was started with, or None where that is not known."""
        return next(iter(self.command), None)

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self.pid_file.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    @property
    def alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        return self.process() is not None


def start(daemon: Daemon, command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None) -> bool:
    """Start it unless it runs; True where it was started now.

    env: the whole environment. cwd: default the daemon's folder. Raises ProcessError when it cannot run at
    all; that it runs does not mean that it is ready: see `wait_ready`. Callers hold a lock
    when two of them may start the same one.
    """
    if daemon.alive:
        return False
    kill_strays([daemon])
    daemon.pid_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    daemon.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _rotate(daemon.log)
    done = subprocess.run(
        ["/bin/sh", "-c", _DETACH, "sh", str(daemon.log), str(daemon.record), *command],
        env={**env, MARK: str(daemon.pid_file)},
        cwd=cwd or daemon.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode or not done.stdout.strip().isdigit():
        raise ProcessError(f"{daemon.name} cannot be started: {done.stderr.strip() or 'the shell failed'}")
    pid = int(done.stdout)
    draft = daemon.pid_file.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "identity": _identity(pid), "command": list(command)}) + "\n")
    draft.replace(daemon.pid_file)
    return True


def wait_ready(
    daemon: Daemon,
    ready: Callable[[], bool],
    *,
    seconds: float,
    needs: Iterable[Daemon] = (),
    given_up: threading.Event | None = None,
) -> None:
    """Wait until `ready` answers True; ProcessError when the process ends first or the time is over.

    needs: processes without which it cannot become ready; the wait ends when one of them has ended.
    given_up: set by who no longer wants it to be ready; the wait ends then.
    """
    needs = list(needs)
    deadline = time.monotonic() + seconds
    while not ready():
        if given_up is not None and given_up.is_set():
            raise ProcessError(f"{daemon.name} was not waited for, as something else had failed.")
        if not daemon.alive:
            # It may have become ready and stopped, or never have started: either way it is not there.
            raise ProcessError(
                f"{daemon.name} ended before it was ready ({ending(daemon)}).\n{log_tail(daemon)}"
            )
        for other in needs:
            if not other.alive:
                reason = f"{other.name} ended ({ending(other)}).\n{log_tail(other)}"
                raise ProcessError(f"{daemon.name} cannot become ready: {reason}")
        if time.monotonic() > deadline:
            raise ProcessError(f"{daemon.name} was not ready after {seconds:.0f} s.\n{log_tail(daemon)}")
        time.sleep(POLL_SECONDS)


def stop(daemons: Iterable[Daemon], *, grace_seconds: float = 5.0) -> list[str]:
    """End these processes and their children, together: asked first, killed after the grace period.

    Returns the names of those that ran, when none of them runs any more. No other process is touched.
    Raises ProcessError with those that do not end, as a process in an uninterruptible call.
    """
    daemons = list(daemons)
    ran = [daemon.name for daemon in daemons if daemon.alive]
    # More than one round only when a process has made another while it was being stopped.
    for _ in range(5):
        family = _family(daemons)
        if not family:
            break
        _end(family, grace_seconds)
    else:
        _refuse_survivors(_family(daemons))
    for daemon in daemons:
        daemon.pid_file.unlink(missing_ok=True)
        daemon.record.unlink(missing_ok=True)
    return ran


def _refuse_survivors(family: Sequence[psutil.Process]) -> None:
    left: list[str] = []
    for process in family:
        with contextlib.suppress(psutil.Error):
            left.append(f"pid {process.pid} ({process.name()}, {process.status()})")
    if left:
        raise ProcessError(f"these processes were killed and do not end: {', '.join(left)}")


def kill_strays(daemons: Iterable[Daemon]) -> None:
    """Kill what carries the mark of these daemons but is not in their pid files: leftovers of a crash."""
    by_mark = {str(daemon.pid_file): daemon for daemon in daemons}
    strays = [process for process, mark in _marked() if mark in by_mark and not by_mark[mark].alive]
    _end(strays, 0)


def ending(daemon: Daemon) -> str:
    """How a process that ended just now has ended, when that is on record: `exit status 1`."""
    deadline = time.monotonic() + _RECORD_SECONDS
    while daemon.status is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return daemon.ending


def log_tail(daemon: Daemon) -> str:
    """The last lines of the log and where it is, for an error message."""
    try:
        with daemon.log.open("rb") as file:
            file.seek(max(0, daemon.log.stat().st_size - 16_384))
            every = file.read().decode(errors="replace").splitlines()
    except OSError:
        every = []
    lines = every[-TAIL_LINES:]
    # Go prints what went wrong above the stacks of all its threads.
    cause = next((line for line in reversed(every) if CAUSE.search(line)), None)
    if cause is not None and cause not in lines:
        lines = [cause, *lines[1:]]
    printed = "\n".join(f"  | {line[:400]}" for line in lines) or "  | (it printed nothing)"
    return f"{printed}\nThe whole log: {daemon.log}"


def memory_bytes(daemons: Iterable[Daemon]) -> dict[str, int]:
    """Return what each daemon that runs adds to the memory in use, in bytes.

    Processes of one binary share its pages, and each gets its part of them, where the system states that
    (Linux); elsewhere all of its resident memory counts.
    """
    sizes: dict[str, int] = {}
    for daemon in daemons:
        process = daemon.process()
        if process is not None:
            with contextlib.suppress(psutil.Error):
                sizes[daemon.name] = process.memory_info().rss
                sizes[daemon.name] = getattr(process.memory_full_info(), "pss", sizes[daemon.name])
    return sizes


def _family(daemons: Sequence[Daemon]) -> list[psutil.Process]:
    """The daemons' processes, their descendants, and whatever else carries their mark."""
    family: dict[int, psutil.Process] = {}
    for daemon in daemons:
        process = daemon.process()
        if process is None:
            continue
        family[process.pid] = process
        with contextlib.suppress(psutil.Error):
            family.update({child.pid: child for child in process.children(recursive=True)})
    marks = {str(daemon.pid_file) for daemon in daemons}
    marked = list(_marked())
    family.update({process.pid: process for process, mark in marked if mark in marks})
    # A daemon that was started by another one is not part of it: it carries its own mark.
    others = {process.pid for process, mark in marked if mark not in marks}
    return [process for pid, process in family.items() if pid not in others and pid != os.getpid()]


def _marked() -> Iterable[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK)
        except (psutil.Error, OSError):
            continue  # another user's, or just gone
        if mark is not None:
            yield process, mark


def _end(processes: Sequence[psutil.Process], grace_seconds: float) -> None:
    if grace_seconds > 0:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        processes = _wait_gone(processes, grace_seconds)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait_gone(processes, 5)


def _wait_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run when the time is over. psutil's own wait takes a zombie for alive."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if _still_runs(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if _still_runs(process)]
    return left


def _still_runs(process: psutil.Process) -> bool:
    try:
        if not process.is_running():
            return False
        return process.status() != psutil.STATUS_ZOMBIE or _threads(process.pid) > 1
    except psutil.Error:
        return False


def _threads(pid: int) -> int:
    """How many threads there are still. The first of a killed process can be a zombie while others have
    not ended: until they have, its port is taken and its files are locked."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - gone within the call, as often as not
    except OSError:
        return 0


def _running(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
    except (psutil.Error, ValueError):
        return None
    return process if _still_runs(process) else None


def _identity(pid: int) -> str:
    """What distinguishes this process from another one with the same pid, in whatever boot of the machine."""
    with contextlib.suppress(OSError, IndexError):
        # Field 22, counted behind the command's name (which may hold spaces): start time in ticks since
        # boot. Unlike psutil's create_time it does not move when the clock is set.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{ticks}"
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return "gone"


def _rotate(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
