"""kill -9 of processes of an `up` while it runs, and what exists afterwards."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Sequence

import psutil

from tests.end_to_end.harness import Twin
from twin.processes import Daemon
from twin.tests.waiting import eventually


def created_resources(twin: Twin) -> int:
    """Return how many resources the provider has created, in all runs."""
    try:
        with sqlite3.connect(f"file:{twin.instance.store}?mode=ro", uri=True) as store:
            query = "SELECT count(*) FROM resources WHERE state = 'created'"
            return store.execute(query).fetchone()[0]
    except (sqlite3.OperationalError, AssertionError):  # the twin or its store does not exist yet
        return 0


def is_engine(process: psutil.Process) -> bool:
    """Return whether a process is the engine."""
    return process.name() == "pulumi"


def is_program(process: psutil.Process) -> bool:
    """Return whether a process is the program in stacks/."""
    words = " ".join(process.cmdline())
    return "pulumi-language-python-exec" in words and "language_host" not in words


def is_provider(process: psutil.Process) -> bool:
    """Return whether a process is the cloud's provider."""
    return any(word in ("twin.aws.provider", "twin.gcp.provider") for word in process.cmdline())


def kill_midway(
    twin: Twin,
    reached: Callable[[], bool],
    victim: Callable[[psutil.Process], bool],
    seconds: float = 180,
) -> None:
    """Start an `up`, kill some of its processes when `reached` is true, and assert that it fails.

    seconds: within which it is.
    """
    running = twin.spawn("up", twin.environment)
    eventually("the `up` has progressed", lambda: running.poll() is not None or reached(), seconds)
    assert running.poll() is None, f"it ended before it was killed:\n{twin.spawned()}"
    assert end(running, victim) != 0, f"an `up` whose processes are killed must fail:\n{twin.spawned()}"


def end(
    running: subprocess.Popen[str],
    victim: Callable[[psutil.Process], bool] = lambda _: True,
    *,
    may_have_ended: bool = False,
) -> int:
    """Kill some processes of a command (by default all), assert that all end, and return its exit code.

    may_have_ended: whether it may have failed by itself, so that no process is left to kill.
    """
    if may_have_ended and running.poll() is not None:
        return running.returncode
    family = psutil.Process(running.pid).children(recursive=True)
    victims = [process for process in family if victim(process)]
    for process in victims:
        process.kill()
    assert victims or may_have_ended, "no process to kill"
    code = running.wait(90)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, "processes of the engine end with it"
    return code


def more(twin: Twin, count: int) -> Callable[[], bool]:
    """Return a condition: this many resources were created since this call."""
    wanted = created_resources(twin) + count
    return lambda: created_resources(twin) >= wanted


def kill_process(twin: Twin, name: str) -> None:
    """Kill a process of the twin, by its name in `twin status`."""
    process = Daemon(twin.instance.folder, name).process()
    assert process is not None, f"{name} is not running"
    process.kill()


def kill_restarted(twin: Twin, names: Sequence[str]) -> None:
    """Kill processes of the twin during the command of `spawn`, each after the one before was restarted."""
    for name in names:
        kill_process(twin, name)
        message = f"{name} of the twin ended (killed by SIGKILL) and was restarted"
        eventually(message, lambda message=message: message in twin.spawned(), 60)


def ids_of_stack(twin: Twin) -> dict[str, list[str]]:
    """Return the ids of the stack's resources in its cloud, by type."""
    state = json.loads(twin.pulumi("stack", "export", "--stack", twin.environment).stdout)
    ids: dict[str, list[str]] = {}
    for resource in state["deployment"]["resources"]:
        if resource["type"].startswith(("aws:", "gcp:")):
            ids.setdefault(resource["type"], []).append(resource["id"])
    return ids
