"""What the twin costs: `make bench` (`python -m tests.bench`).

In one run on one machine: an environment's preview and up on the twin, against the bare engine with as many
resources that nothing is behind; the program's own share of it; and what the policy pack adds to a preview,
of this environment and of the largest. Seconds say little of another machine, ratios do. Nothing passes or
fails here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests import bench_policies
from tests.end_to_end.harness import ROOT, Twin

# Registers what a bare engine is asked for: components alone, so that no provider has a part in it.
BARE = """
import gc

gc.freeze()
gc.disable()

import pulumi

for number in range({count}):
    pulumi.ComponentResource("bench:index:Bare", f"bare-{{number}}")
"""

# The program as the engine runs it, registering with a monitor that does nothing: what is left is its own.
OWN = """
import json, sys, time

began = time.perf_counter()
from stacks import program
from stacks.loading import load_file

imported = time.perf_counter()
from pathlib import Path

from tests.components.recording import record

settings = load_file(Path("environments") / f"Pulumi.{sys.argv[1]}.yaml")
started = time.perf_counter()
recording = record(lambda: program.build(settings))
done = time.perf_counter()
print(json.dumps({
    "import_seconds": imported - began,
    "register_seconds": done - started,
    "resources": len(recording.resources) + 1,
}))
"""


@dataclass(frozen=True)
class Program:
    """The program without an engine."""

    import_seconds: float
    register_seconds: float
    """From the first registration to the last."""
    resources: int
    """What it registers, with the stack itself."""


@dataclass(frozen=True)
class Operation:
    """One command on both, in seconds."""

    name: str
    twin_seconds: float
    bare_seconds: float

    @property
    def ratio(self) -> float:
        """How many times the bare engine's."""
        return self.twin_seconds / self.bare_seconds


@dataclass(frozen=True)
class Result:
    """A whole run."""

    environment: str
    program: Program
    operations: list[Operation]

    @property
    def share(self) -> float:
        """The program's part of a preview."""
        preview = self.operations[0].twin_seconds
        return (self.program.import_seconds + self.program.register_seconds) / preview

    def document(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "environment": self.environment,
            "program": {**asdict(self.program), "share_of_preview": round(self.share, 3)},
            "operations": [
                {**asdict(operation), "ratio": round(operation.ratio, 2)} for operation in self.operations
            ],
        }

    def table(self) -> Table:
        """Return the result as a table."""
        count = self.program.resources
        drawn = Table(
            title=f"{self.environment} on the twin, {count} resources",
            title_justify="left",
            caption_justify="left",
        )
        drawn.add_column("operation")
        for head in ("twin, s", "bare engine, s", "ratio"):
            drawn.add_column(head, justify="right")
        for operation in self.operations:
            drawn.add_row(
                operation.name,
                f"{operation.twin_seconds:.1f}",
                f"{operation.bare_seconds:.1f}",
                f"{operation.ratio:.1f}",
            )
        drawn.caption = (
            f"Of a preview {self.share:.0%} is the program's own:\n"
            f"{self.program.import_seconds:.1f} s to import, "
            f"{self.program.register_seconds:.1f} s to register"
        )
        return drawn


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--environment", default="aws-dev", help="which environment file (default: aws-dev)")
    parser.add_argument(
        "--repeat", type=int, default=2, help="previews of each; the best counts (default: 2)"
    )
    parser.add_argument(
        "--pairs", type=int, default=5, help="previews with and without the policy pack (default: 5)"
    )
    parser.add_argument(
        "--policies", action="store_true", help="the policy pack alone, without what the twin costs"
    )
    parser.add_argument("--json", action="store_true", help="for a program")
    options = parser.parse_args()
    note = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["AIPLATFORM_HOME"] = folder
        home, say = Path(folder), lambda text: note.print(f"  {text}")
        policies = bench_policies.measure(options.environment, home, options.pairs, say)
        result = None if options.policies else measure(options.environment, home, options.repeat, say)
    if options.json:
        document = {**(result.document() if result else {}), "policies": policies.document()}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        for report in filter(None, (result, policies)):
            Console(highlight=False).print(report.table())


def measure(stack: str, folder: Path, repeat: int, say: Callable[[str], None]) -> Result:
    """One run on a twin of an environment. folder: the home of twins."""
    say("the program alone")
    program = alone(stack)
    say("starting the twin")
    with Twin(stack, folder).started() as twin:
        return Result(stack, program, operations(twin, folder, program, repeat, say))


def operations(
    twin: Twin, folder: Path, program: Program, repeat: int, say: Callable[[str], None]
) -> list[Operation]:
    """Every command on both, in a twin that has nothing up."""
    stack = twin.environment
    bare = bare_project(folder / "bare", program.resources - 1)
    twin.pulumi("stack", "init", "bare", "--cwd", str(bare))
    ours, theirs = ("--stack", stack), ("--stack", "bare", "--cwd", str(bare))
    measured: list[Operation] = []

    def both(name: str, times: int, *command: str) -> None:
        say(name)
        best = [
            min(timed(lambda where=where: twin.pulumi(*command, *where)) for _ in range(times))
            for where in (ours, theirs)
        ]
        measured.append(Operation(name, *best))

    both("preview of everything", repeat, "preview")
    both("up", 1, "up", "--yes", "--skip-preview")
    both("preview of nothing", repeat, "preview")
    both("refresh", 1, "refresh", "--yes", "--skip-preview")
    both("destroy", 1, "destroy", "--yes", "--skip-preview")
    return measured


def alone(stack: str) -> Program:
    """Return the time of the program alone, in a separate interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", OWN, stack], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return Program(**json.loads(done.stdout.splitlines()[-1]))


def bare_project(folder: Path, count: int) -> Path:
    """A Pulumi project of so many resources that nothing is behind."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: bare\nruntime: python\n")
    (folder / "__main__.py").write_text(textwrap.dedent(BARE.format(count=count)))
    return folder


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
