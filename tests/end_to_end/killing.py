"""kill -9 of what has a part in an `up`, in the middle of it, and what is there afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import psutil

from tests.end_to_end.harness import Twin, eventually


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
    family = psutil.Process(running.pid).children(recursive=True)
    victims = [process for process in family if victim(process)]
    for process in victims:
        process.kill()
    assert victims, "there was nothing to kill"
    assert running.wait(90) != 0, f"an `up` whose processes die is no success:\n{twin.spawned()}"
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, "what the engine started does not outlive it"


def more(twin: Twin, count: int) -> Callable[[], bool]:
    """Whether so many resources were made since now."""
    wanted = made(twin) + count
    return lambda: made(twin) >= wanted


def kill_front(twin: Twin) -> None:
    """Kill the cloud's API. Not checked: a control plane that is being made counts as partly there."""
    told = twin.cli("twin", "status", "--name", twin.environment, "--json", check=False)
    [front] = [process for process in json.loads(told.stdout)["processes"] if process["name"] == "cloud"]
    psutil.Process(front["pid"]).kill()


def ids_of_stack(twin: Twin) -> dict[str, list[str]]:
    """The ids of the stack's resources in its cloud, by type."""
    state = json.loads(twin.pulumi("stack", "export", "--stack", twin.environment).stdout)
    found: dict[str, list[str]] = {}
    for resource in state["deployment"]["resources"]:
        if resource["type"].startswith(("aws:", "gcp:")):
            found.setdefault(resource["type"], []).append(resource["id"])
    return found
