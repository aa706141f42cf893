"""Kill an `up` at a random moment, destroy, and report what is left: `python -m tests.kill_campaign aws gcp`.

Each seed chooses the moment (in created resources) and the victims (the engine, the cloud's provider, or all
processes), so that a seed that leaves resources can be repeated: `--seed 7`. The environment is reduced to
network, cluster and pools. Exits with 1 when a seed left resources.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from cli import environment_files
from tests.end_to_end.harness import Twin
from tests.end_to_end.killing import created_resources, is_engine, is_provider

KEPT = ("environment", "network", "cluster", "node_pools", "gpu_pools", "workload_identities")
"""Topics of the environment file that stay."""
VICTIMS: dict[str, Callable[[psutil.Process], bool]] = {
    "engine": is_engine,
    "provider": is_provider,
    "all": lambda _: True,
}
LONGEST = 600.0


@dataclass(frozen=True)
class Result:
    """What one seed gave. destroys: how many were needed until one succeeded; 0 where none did."""

    cloud: str
    seed: int
    victim: str
    after: int
    reached: int
    destroys: int
    left: dict[str, Any]
    undone: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether the first destroy left nothing."""
        return self.destroys == 1 and not self.left


def config(twin: Twin) -> Path:
    """The environment's file without the topics that are not kept."""
    document = YAML(typ="safe").load(environment_files.stack_file(twin.instance, twin.environment))
    document["config"] = {
        key: value
        for key, value in document["config"].items()
        if not key.startswith("ai-platform:") or key.partition(":")[2] in KEPT
    }
    file = twin.home / f"Pulumi.{twin.environment}.yaml"
    with file.open("w") as stream:
        YAML().dump(document, stream)
    return file


def run(twin: Twin, seed: int, whole: int) -> Result:
    """One seed. whole: how many resources an `up` makes in the cloud."""
    dice = random.Random(f"{twin.environment}-{seed}")
    victim, after, late = dice.choice(sorted(VICTIMS)), dice.randrange(1, whole), dice.uniform(0, 0.5)
    began, before = time.monotonic(), created_resources(twin)
    running = spawn(twin)
    while (
        running.poll() is None
        and created_resources(twin) < before + after
        and time.monotonic() - began < LONGEST
    ):
        time.sleep(0.05)
    time.sleep(late)
    reached = created_resources(twin) - before
    kill(running.pid, VICTIMS[victim])
    running.wait(120)
    destroys, undone, left = 0, 0, {}
    for attempt in (1, 2):
        done = twin.cli("destroy", twin.environment, check=False)
        undone += done.stderr.count("which an interrupted `up` made")
        if done.returncode == 0:
            destroys = attempt
            break
        said = f"{done.stdout[-3000:]}{done.stderr[-1500:]}"
        sys.stderr.write(f"{twin.environment} {seed}: destroy {attempt}\n{said}\n")
    left = twin.inventory()
    seconds = time.monotonic() - began
    return Result(twin.environment, seed, victim, after, reached, destroys, left, undone, round(seconds, 1))


def spawn(twin: Twin) -> Any:
    """Begin an `up` of the cut environment."""
    options = ("--yes", "--skip-preview", "--stack", twin.environment, "--config-file", str(config(twin)))
    return twin.spawn("twin", "run", "--name", twin.environment, "--", "pulumi", "up", *options)


def kill(pid: int, victim: Callable[[psutil.Process], bool]) -> None:
    """kill -9 those of the process and its family that are meant."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if victim(member):
                    member.kill()


def campaign(cloud: str, seeds: list[int], home: Path) -> list[Result]:
    """All seeds of one cloud, in one twin; it is begun again where a seed left something."""
    twin = Twin(f"{cloud}-dev", home)
    results: list[Result] = []
    try:
        twin.cli("twin", "start", "--name", twin.environment)
        whole = counted(twin)
        for seed in seeds:
            results.append(run(twin, seed, whole))
            print(json.dumps(results[-1].__dict__), flush=True)  # noqa: T201
            if not results[-1].clean:
                twin.remove()
                twin.cli("twin", "start", "--name", twin.environment)
    finally:
        twin.remove()
    return results


def counted(twin: Twin) -> int:
    """How many resources an `up` that nothing interrupts makes in the cloud."""
    running, before = spawn(twin), created_resources(twin)
    code = running.wait(LONGEST)
    assert code == 0, twin.spawned()
    whole = created_resources(twin) - before
    twin.cli("destroy", twin.environment)
    assert twin.inventory() == {}
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clouds", nargs="*", default=["aws", "gcp"])
    parser.add_argument("--seeds", type=int, default=20, help="how many, from 1")
    parser.add_argument("--seed", type=int, help="this one alone")
    options = parser.parse_args()
    seeds = [options.seed] if options.seed else list(range(1, options.seeds + 1))
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIPLATFORM_HOME"] = home
        for cloud in options.clouds:
            results += campaign(cloud, seeds, Path(home))
    for cloud in options.clouds:
        mine = [result for result in results if result.cloud.startswith(cloud)]
        clean = sum(result.clean for result in mine)
        print(f"{cloud}: {clean} of {len(mine)} left nothing at the first destroy")  # noqa: T201
    sys.exit(0 if all(result.clean for result in results) else 1)


if __name__ == "__main__":
    main()
