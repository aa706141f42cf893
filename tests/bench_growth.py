"""How time and memory grow with the number of resources: `make bench-growth`.

An environment with more and more lakehouse tables, in a separate twin for each size: a first
preview, `up`, a preview without changes and `destroy`, with the CPU seconds and peak memory of each process.
Nothing passes or fails here. Goals: a preview at four times the size takes at most 2.5 times as long;
program, providers and APIs spend CPU in proportion to the size; the program needs at most 1 GiB. What an `up`
takes beyond that is the engine's, which saves the whole state after each step: `--skip-checkpoints` measures
without it, so that 16 times the size takes minutes and not hours.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from cli import engine, engine_settings
from stacks import shared_files
from tests.bench_processes import Sampler, Usage
from tests.end_to_end.harness import ROOT, Twin
from tests.inventories.rendering import registered
from twin import environment

SHARED: Final = shared_files.FOLDER / "bench-growth.yaml"
INVENTORIES: Final = ROOT / "tests" / "inventories" / "environments"
RESOURCES_OF_A_TABLE: Final = 7
"""What one more table of the lakehouse adds to an environment, about."""
SIZES: Final = (1, 4, 16)
COMMANDS: Final = (
    ("first preview", ("preview",)),
    ("up", ("up", "--yes", "--skip-preview")),
    ("no-change preview", ("preview", "--expect-no-changes")),
    ("destroy", ("destroy", "--yes", "--skip-preview")),
)


@dataclass(frozen=True)
class Measured:
    """One command at one size."""

    size: int
    resources: int
    command: str
    seconds: float
    processes: dict[str, Usage]

    @property
    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(usage.cpu_seconds for usage in self.processes.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_growth", description=__doc__)
    parser.add_argument("--environment", default="aws-dev", help="which environment file (default: aws-dev)")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=SIZES,
        help="how many times the environment's resources (default: 1 4 16)",
    )
    parser.add_argument("--previews-only", action="store_true", help="the first preview of each size only")
    parser.add_argument(
        "--skip-checkpoints", action="store_true", help="save the state at the end of `up` and `destroy` only"
    )
    parser.add_argument("--json", action="store_true", help="for a program")
    options = parser.parse_args(arguments)
    note = Console(stderr=True, highlight=False)
    commands = COMMANDS[:1] if options.previews_only else COMMANDS
    variables = {engine_settings.SKIP_CHECKPOINTS: "true"} if options.skip_checkpoints else {}
    results: list[Measured] = []
    for size in sorted(set(options.sizes)):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            os.environ["AIPLATFORM_HOME"] = folder
            results += measure(
                options.environment,
                Path(folder),
                size,
                commands,
                variables,
                lambda text: note.print(f"  {text}"),
            )
    if options.json:
        sys.stdout.write(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    else:
        console = Console(highlight=False)
        console.print(summary(results))
        for command, _ in commands:
            console.print(by_process(results, command))


def measure(
    stack: str,
    folder: Path,
    size: int,
    commands: Sequence[tuple[str, Sequence[str]]],
    variables: Mapping[str, str],
    progress: Callable[[str], None],
) -> list[Measured]:
    """Run the commands at a size. folder: the home of the twin instance. variables: more for the engine."""
    base = len(registered((INVENTORIES / f"{stack}.yaml").read_text())) + 1
    progress(f"{size}x: starting the twin")
    # Until `up` has made them the number is the one that was aimed at.
    resources = base * size
    results: list[Measured] = []
    tables = base * (size - 1) // RESOURCES_OF_A_TABLE
    with Twin(stack, folder).started() as twin, enlarged(twin, folder, tables) as file:
        for name, words in commands:
            progress(f"{size}x: {name}")
            where = ("--stack", twin.environment, "--config-file", str(file))
            seconds, processes = ran(twin, words, where, variables)
            if name == "up":
                resources = count(twin)
            results.append(Measured(size, resources, name, seconds, processes))
    return results


def count(twin: Twin) -> int:
    """How many resources the stack's state has."""
    exported = twin.pulumi("stack", "export", "--stack", twin.environment).stdout
    return len(json.loads(exported)["deployment"].get("resources", []))


@contextlib.contextmanager
def enlarged(twin: Twin, folder: Path, tables: int) -> Iterator[Path]:
    """Write the environment file with as many more tables, which are in a shared file until the block ends.

    A file's own configuration is limited to 128 KiB (stacks/loading.py).
    """
    document = YAML(typ="safe").load(engine.ensure_stack(twin.instance, twin.environment))
    document["config"].setdefault("ai-platform:shared", {}).setdefault("files", []).append(SHARED.stem)
    lakehouse = {"tables": [table(number) for number in range(tables)]}
    file = folder / f"Pulumi.{twin.environment}.yaml"
    with file.open("w") as stream:
        YAML().dump(document, stream)
    SHARED.write_text(json.dumps({"shared": {"ai-platform:lakehouse": lakehouse}}))
    try:
        yield file
    finally:
        SHARED.unlink()


def table(number: int) -> dict[str, Any]:
    """Return a table as a team declares it, with a pii column.

    All names are of one length: credentials for a table could open one whose name continues its name.
    """
    return {
        "zone": "curated",
        "name": f"growth_{number:04}",
        "owner": "growth@acme.example",
        "columns": [
            {"name": "id", "type": "long", "required": True},
            {"name": "day", "type": "date"},
            {"name": "amount", "type": "decimal(10,2)"},
            {"name": "email", "type": "string", "classification": "pii"},
        ],
        "partitions": [{"column": "day", "transform": "identity"}],
    }


def ran(
    twin: Twin, words: Sequence[str], where: Sequence[str], extra: Mapping[str, str]
) -> tuple[float, dict[str, Usage]]:
    """Run a Pulumi command in the twin: seconds, and usage by kind of process.

    where: the options that name the stack. extra: more variables. Raises CalledProcessError where it fails.
    """
    instance = twin.instance
    command = [environment.engine(instance), *words, "--non-interactive", "--suppress-progress", *where]
    variables = environment.complete(instance) | engine_settings.variables(words) | dict(extra)
    marks = {name: variables[name] for name in ("AIPLATFORM_TWIN", "AIPLATFORM_HOME")}
    with Sampler(marks, instance.folder).running() as usage:
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
        raise subprocess.CalledProcessError(done.returncode, command)
    return seconds, usage


def summary(results: Sequence[Measured]) -> Table:
    """Seconds of each command by size, and how much they grow."""
    drawn = Table(title="seconds by size", title_justify="left")
    drawn.add_column("command")
    sizes = sorted({result.size for result in results})
    for size in sizes:
        count = next(result.resources for result in results if result.size == size)
        drawn.add_column(f"{size}x ({count})", justify="right")
    for before, after in itertools.pairwise(sizes):
        drawn.add_column(f"{after}x / {before}x", justify="right")
    for command in dict.fromkeys(result.command for result in results):
        seconds = {result.size: result.seconds for result in results if result.command == command}
        row = [f"{seconds[size]:.1f}" for size in sizes]
        row += [f"{seconds[after] / seconds[before]:.1f}" for before, after in itertools.pairwise(sizes)]
        drawn.add_row(command, *row)
    return drawn


def by_process(results: Sequence[Measured], command: str) -> Table:
    """CPU seconds and peak MiB of each kind of process by size."""
    chosen = [result for result in results if result.command == command]
    drawn = Table(title=f"{command}: CPU seconds and peak memory in MiB", title_justify="left")
    drawn.add_column("process")
    for result in chosen:
        drawn.add_column(f"{result.size}x, s", justify="right")
        drawn.add_column("MiB", justify="right")
    kinds = sorted({kind for result in chosen for kind in result.processes})
    for kind in kinds:
        row: list[str] = []
        for result in chosen:
            usage = result.processes.get(kind, Usage())
            row += [f"{usage.cpu_seconds:.1f}", f"{usage.peak_bytes / 2**20:.0f}"]
        drawn.add_row(kind, *row)
    return drawn


if __name__ == "__main__":
    main()
