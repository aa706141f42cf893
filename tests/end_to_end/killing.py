"""kill -9 of what has a part in an `up`, in the middle of it, and what is there afterwards."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Sequence

import psutil

from tests.end_to_end.harness import Twin, eventually
from twin.processes import Daemon


def made(twin: Twin) -> int:
    """How many resources the provider has made, in all runs."""
    try:
        with sqlite3.connect(f"file:{twin.world.store}?mode=ro", uri=True) as store:
            query = "SELECT count(*) FROM resources WHERE state = 'created'"
            return store.execute(query).fetchone()[0]
    except (sqlite3.OperationalError, AssertionError):  # there is no world yet, or no store in it
        return 0


def is_engine(process: psutil.Process) -> bool:
    """The engine."""
    return process.name() == "pulumi"


def is_program(process: psutil.Process) -> bool:
    """The program in stacks/."""
    words = " ".join(process.cmdline())
    return "pulumi-language-python-exec" in words and "language_host" not in words


def is_provider(process: psutil.Process) -> bool:
    """The cloud's provider."""
    return any(word in ("twin.aws.provider", "twin.gcp.provider") for word in process.cmdline())


def kill_midway(twin: Twin, reached: Callable[[], bool], victim: Callable[[psutil.Process], bool]) -> None:
    """Begin an `up`, kill some of its processes when it has come so far, see it fail and leave nothing."""
    running = twin.spawn("up", twin.environment)
    eventually("the `up` has come so far", lambda: running.poll() is not None or reached())
    assert running.poll() is None, f"it ended before it was killed:\n{twin.spawned()}"
    assert end(running, victim) != 0, f"an `up` whose processes die is no success:\n{twin.spawned()}"


def end(
    running: subprocess.Popen[str],
    victim: Callable[[psutil.Process], bool] = lambda _: True,
    *,
    may_have_ended: bool = False,
) -> int:
    """Kill some of what a command has started (by default all of it), see it end and leave nothing.

    may_have_ended: whether it may have failed by itself, so that nothing of it is left to kill.
    """
    if may_have_ended and running.poll() is not None:
        return running.returncode
    family = psutil.Process(running.pid).children(recursive=True)
    victims = [process for process in family if victim(process)]
    for process in victims:
        process.kill()
    assert victims or may_have_ended, "there was nothing to kill"
    code = running.wait(90)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, "what the engine started does not outlive it"
    return code


def more(twin: Twin, count: int) -> Callable[[], bool]:
    """Whether so many resources were made since now."""
    wanted = made(twin) + count
    return lambda: made(twin) >= wanted


def kill_process(twin: Twin, name: str) -> None:
    """Kill one of the twin's own processes, by its name in `twin status`."""
    process = Daemon(twin.world.folder, name).process()
    assert process is not None, f"{name} does not run"
    process.kill()


def kill_restarted(twin: Twin, names: Sequence[str]) -> None:
    """Kill some of the twin's own processes during `spawn`'s command, each when the one before is back."""
    for name in names:
        kill_process(twin, name)
        told = f"{name} of the twin ended (killed by SIGKILL) and was restarted"
        eventually(told, lambda told=told: told in twin.spawned(), 60)


def ids_of_stack(twin: Twin) -> dict[str, list[str]]:
    """The ids of the stack's resources in its cloud, by type."""
    state = json.loads(twin.pulumi("stack", "export", "--stack", twin.environment).stdout)
    found: dict[str, list[str]] = {}
    for resource in state["deployment"]["resources"]:
        if resource["type"].startswith(("aws:", "gcp:")):
            found.setdefault(resource["type"], []).append(resource["id"])
    return found
