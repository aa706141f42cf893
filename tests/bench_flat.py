"""What the platform costs beyond the engine and the waits: `make bench-flat`.

An environment is deployed on the twin and recorded: its resources with inputs, outputs, parents and
dependencies, and how long the cloud took for each. A flat program then registers the same resources on the
bare engine, with a provider that only waits. What the first takes beyond the second is spent by the program,
the providers and the twin's servers. Goals: `up` takes at most 1.25 times as long, a preview without changes
at most 1.5 times. Nothing passes or fails here.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.bench_growth import enlarged, ran
from tests.bench_processes import Usage
from tests.end_to_end.harness import ROOT, Twin

SECRET: Final = "4dabf18193072939515e22adb298388d"
"""The key by which a state marks a secret."""
WAITED: Final = re.compile(r"waited (?P<seconds>[\d.]+) s to (?P<action>create|delete) (?P<urn>urn:\S+)")
"""A line of a provider's log (twin/core/backoff.py)."""
POLL_SECONDS: Final = 0.02
GOALS: Final = {"up": 1.25, "no-change preview": 1.5}
COMMANDS: Final = (
    ("up", ("up", "--yes", "--skip-preview")),
    ("no-change preview", ("preview", "--expect-no-changes")),
    ("destroy", ("destroy", "--yes", "--skip-preview")),
)

PROGRAM: Final = """
import gc

gc.freeze()
gc.disable()

import json
from pathlib import Path

import pulumi

registered = {}
for resource in json.loads(Path("resources.json").read_text()):
    options = pulumi.ResourceOptions(
        parent=registered.get(resource["parent"]),
        depends_on=[registered[urn] for urn in resource["dependencies"] if urn in registered],
    )
    if resource["custom"]:
        declared = pulumi.CustomResource(resource["type"], resource["name"], resource["inputs"], options)
    else:
        declared = pulumi.ComponentResource(resource["type"], resource["name"], None, options)
    registered[resource["urn"]] = declared
"""


@dataclass(frozen=True)
class Compared:
    """One command in both programs."""

    command: str
    ours: float
    """Seconds on the twin."""
    flat: float
    """Seconds of the flat program."""
    processes: dict[str, Usage]
    """What our processes used."""
    flat_processes: dict[str, Usage]

    @property
    def ratio(self) -> float:
        """How many times the flat program's seconds."""
        return self.ours / self.flat


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_flat", description=__doc__)
    parser.add_argument("--environment", default="aws-dev", help="which environment file (default: aws-dev)")
    parser.add_argument(
        "--repeat", type=int, default=2, help="previews of each; the best counts (default: 2)"
    )
    parser.add_argument("--tables", type=int, default=0, help="more tables in the lakehouse (default: 0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    note = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["AIPLATFORM_HOME"] = folder
        results = measure(
            options.environment,
            Path(folder),
            options.tables,
            options.repeat,
            lambda text: note.print(f"  {text}"),
        )
    if options.json:
        sys.stdout.write(json.dumps([asdict(result) for result in results], indent=2) + "\n")
        return
    console = Console(highlight=False)
    console.print(ratios(results))
    for result in results:
        console.print(by_process(result))


def measure(
    stack: str, folder: Path, tables: int, repeat: int, progress: Callable[[str], None]
) -> list[Compared]:
    """Run the commands of both programs in a twin instance.

    folder: its home. tables: how many tables the lakehouse has beyond those of the file.
    """
    progress("starting the twin")
    with Twin(stack, folder).started() as twin, enlarged(twin, folder, tables) as file:
        ours_where = ("--stack", stack, "--config-file", str(file))
        events = folder / "events.json"
        ours: dict[str, tuple[float, dict[str, Usage]]] = {}
        theirs: dict[str, tuple[float, dict[str, Usage]]] = {}

        def best(where: Sequence[str], command: str, words: Sequence[str], extra: Mapping[str, str]) -> Any:
            times = repeat if command.endswith("preview") else 1
            return min((ran(twin, words, where, extra) for _ in range(times)), key=lambda done: done[0])

        progress("up")
        with durations(events) as kubernetes:
            words = (*COMMANDS[0][1], "--event-log", str(events))
            # The flag of the event log is one of the engine's debug commands.
            ours["up"] = ran(twin, words, ours_where, {"PULUMI_DEBUG_COMMANDS": "true"})
        state = json.loads(twin.pulumi("stack", "export", "--stack", stack).stdout)
        for command, words in COMMANDS[1:]:
            progress(command)
            ours[command] = best(ours_where, command, words, {})
        resources = recorded(state["deployment"]["resources"], waits(twin), kubernetes)
        flat = flat_project(folder / "flat", resources)
        twin.pulumi("stack", "init", "flat", "--cwd", str(flat))
        for command, words in COMMANDS:
            progress(f"{command} of the flat program")
            with provider(flat / "resources.json") as port:
                variables = {"PULUMI_DEBUG_PROVIDERS": f"flat:{port}"}
                theirs[command] = best(("--stack", "flat", "--cwd", str(flat)), command, words, variables)
    return [
        Compared(command, ours[command][0], theirs[command][0], ours[command][1], theirs[command][1])
        for command, _ in COMMANDS
    ]


@contextlib.contextmanager
def durations(events: Path) -> Iterator[dict[str, float]]:
    """By URN: seconds between the start and the end of a step, complete at the end of the block.

    events: the engine's event log, read while it is written, since its own times are whole seconds.
    """
    started: dict[str, float] = {}
    took: dict[str, float] = {}
    stop = threading.Event()

    def follow() -> None:
        while not events.exists():
            if stop.wait(POLL_SECONDS):
                return
        with events.open() as stream:
            line = ""
            while True:
                line += stream.readline()
                if line.endswith("\n"):
                    event, line = json.loads(line), ""
                    if metadata := event.get("resourcePreEvent", {}).get("metadata"):
                        started[metadata["urn"]] = time.monotonic()
                    if metadata := event.get("resOutputsEvent", {}).get("metadata"):
                        took[metadata["urn"]] = time.monotonic() - started[metadata["urn"]]
                elif stop.wait(POLL_SECONDS):
                    return

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def waits(twin: Twin) -> dict[str, dict[str, float]]:
    """By URN and action: how many seconds the cloud took, from the providers' logs."""
    seconds: dict[str, dict[str, float]] = {}
    for log in twin.instance.logs.glob("provider-*.log"):
        for match in WAITED.finditer(log.read_text()):
            actions = seconds.setdefault(match["urn"], {})
            actions[match["action"]] = actions.get(match["action"], 0.0) + float(match["seconds"])
    return seconds


def recorded(
    resources: Sequence[Mapping[str, Any]],
    waited: Mapping[str, Mapping[str, float]],
    steps: Mapping[str, float],
) -> list[dict[str, Any]]:
    """The resources as the flat program registers them, in the order of the state.

    A provider of Kubernetes logs no waits: it is upstream's own, and takes as long as its step did.
    """
    recording: list[dict[str, Any]] = []
    for resource in resources:
        kind = resource["type"]
        if kind.startswith("pulumi:"):
            continue
        ours = kind.partition(":")[0] in ("aws", "gcp")
        create = (
            waited.get(resource["urn"], {}).get("create", 0.0) if ours else steps.get(resource["urn"], 0.0)
        )
        recording.append(
            {
                "urn": resource["urn"],
                "type": "flat:index:" + re.sub(r"\W+", "_", kind),
                "name": resource["urn"].rpartition("::")[2],
                "parent": resource.get("parent", ""),
                "dependencies": resource.get("dependencies", []),
                "custom": resource["custom"],
                "inputs": plain(resource.get("inputs", {})),
                "outputs": plain(resource.get("outputs", {})),
                "create": create if resource["custom"] else 0.0,
                "delete": waited.get(resource["urn"], {}).get("delete", 0.0),
            }
        )
    return recording


def plain(value: Any) -> Any:
    """The value without the marks of secrets, which only the engine may write."""
    if isinstance(value, dict):
        if SECRET in value:
            return "secret"
        return {key: plain(entry) for key, entry in value.items() if not key.startswith("__")}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def flat_project(folder: Path, resources: Sequence[Mapping[str, Any]]) -> Path:
    """Write a Pulumi project that registers the resources."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: flat\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "resources.json").write_text(json.dumps(resources))
    return folder


@contextlib.contextmanager
def provider(resources: Path) -> Iterator[int]:
    """Run the flat program's provider: its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench_flat_provider", str(resources)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def ratios(results: Sequence[Compared]) -> Table:
    """Seconds of both programs, their ratio and its goal."""
    table = Table(title="our program on the twin, and a flat one with the same resources and waits")
    for head in ("command", "ours, s", "flat, s", "ratio", "goal"):
        table.add_column(head, justify="left" if head == "command" else "right")
    for result in results:
        goal = GOALS.get(result.command)
        table.add_row(
            result.command,
            f"{result.ours:.1f}",
            f"{result.flat:.1f}",
            f"{result.ratio:.2f}",
            f"{goal:.2f}" if goal else "",
        )
    return table


def by_process(result: Compared) -> Table:
    """CPU seconds of each kind of process in both programs."""
    table = Table(title=f"{result.command}: CPU seconds", title_justify="left")
    for head in ("process", "ours", "flat"):
        table.add_column(head, justify="left" if head == "process" else "right")
    for kind in sorted({*result.processes, *result.flat_processes}):
        ours, flat = result.processes.get(kind, Usage()), result.flat_processes.get(kind, Usage())
        table.add_row(kind, f"{ours.cpu_seconds:.1f}", f"{flat.cpu_seconds:.1f}")
    return table


if __name__ == "__main__":
    main()
