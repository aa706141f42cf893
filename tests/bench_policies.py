"""The cost of the policy pack: previews with and without it, and its start. Part of `make bench`."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from pulumi.runtime.proto import language_pb2
from rich.table import Table

from cli import engine
from tests.end_to_end.harness import ROOT, Twin
from tests.inventories.rendering import registered
from twin import environment
from twin.toolchain.interpreter import Interpreter
from twin.toolchain.plugin_run import plugin_command

PACK: Final = ROOT / "policies"
INVENTORIES: Final = ROOT / "tests" / "inventories" / "environments"
ADDED: Final = 0.15
"""The limit of what the pack adds to a preview, as a fraction."""
START_SECONDS: Final = 2.0
"""The limit of the time from the start of the pack to its port."""


@dataclass(frozen=True)
class Spent:
    """The time of a command."""

    seconds: float
    cpu_seconds: float
    """Of all its processes. On a busy machine it is more reliable than the wall clock."""


@dataclass(frozen=True)
class Compared:
    """Previews of a whole environment, alternately with and without the pack."""

    environment: str
    resources: int
    without: Sequence[Spent]
    with_pack: Sequence[Spent]
    """With the pack, each right after or right before the entry of the same index in `without`."""

    def added(self, what: Callable[[Spent], float]) -> float:
        """Return what the pack adds to a preview (0.1 is a tenth): the median of the pairs."""
        pairs = zip(self.without, self.with_pack, strict=True)
        return statistics.median(what(with_pack) / what(without) - 1 for without, with_pack in pairs)

    @property
    def holds(self) -> bool:
        """Whether the pack is within its limit, by the wall clock, which is what a user waits for."""
        return self.added(_seconds) <= ADDED

    def document(self) -> dict[str, Any]:
        """Return the measurements for programs."""
        return {
            "environment": self.environment,
            "resources": self.resources,
            "pairs": len(self.without),
            "without": asdict(_median(self.without)),
            "with": asdict(_median(self.with_pack)),
            "added": round(self.added(_seconds), 3),
            "added_cpu": round(self.added(_cpu), 3),
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Policies:
    """All measurements of the pack."""

    previews: Sequence[Compared]
    start: Spent
    """From its start to its port, the shortest time."""
    first_start: Spent
    """The same before Python has compiled the pack, Pulumi and the standard library."""

    @property
    def starts_in_time(self) -> bool:
        """Whether it is within its limit on a machine that has never started it."""
        return self.first_start.seconds <= START_SECONDS

    def document(self) -> dict[str, Any]:
        """Return the measurements for programs."""
        return {
            "added_limit": ADDED,
            "previews": [preview.document() for preview in self.previews],
            "start_limit_seconds": START_SECONDS,
            "start": asdict(self.start),
            "first_start": asdict(self.first_start),
            "starts_in_time": self.starts_in_time,
        }

    def table(self) -> Table:
        """Return the measurements for people."""
        table = Table(title="previews with the policy pack", title_justify="left", caption_justify="left")
        table.add_column("stack", no_wrap=True)
        for head in ("resources", "without, s", "with, s", "adds", "adds CPU", f"limit {ADDED:.0%}"):
            table.add_column(head, justify="right")
        for preview in self.previews:
            table.add_row(
                preview.environment,
                str(preview.resources),
                f"{_median(preview.without).seconds:.1f}",
                f"{_median(preview.with_pack).seconds:.1f}",
                f"{preview.added(_seconds):+.0%}",
                f"{preview.added(_cpu):+.0%}",
                _state(preview.holds),
            )
        table.caption = (
            f"The pack starts in {self.start.seconds:.1f} s ({self.start.cpu_seconds:.1f} s of CPU);\n"
            f"with nothing compiled yet in {self.first_start.seconds:.1f} s "
            f"({self.first_start.cpu_seconds:.1f} s of CPU), limit {START_SECONDS:.0f} s: "
            f"{_state(self.starts_in_time)}"
        )
        return table


def largest() -> str:
    """Return the environment with the most resources."""
    return max(INVENTORIES.glob("*.yaml"), key=_resources).stem


def measure(stack: str, folder: Path, pairs: int, say: Callable[[str], None]) -> Policies:
    """Measure an environment and the largest one. folder: the home of twins; pairs: previews of each."""
    say("starts of the policy pack")
    start, first_start = starts(pairs)
    previews: list[Compared] = []
    for name in dict.fromkeys((stack, largest())):
        say(f"{name}: starting the twin")
        with Twin(name, folder).started() as twin:
            previews.append(compare(twin, pairs, say))
    return Policies(previews, start, first_start)


def compare(twin: Twin, pairs: int, say: Callable[[str], None]) -> Compared:
    """Measure previews in an empty twin."""
    instance, name = twin.instance, twin.environment
    command = [
        *(environment.engine(instance), "preview", "--non-interactive", "--stack", name),
        *("--config-file", str(engine.ensure_stack(instance, name))),
    ]
    with_policies = [*command, "--policy-pack", str(PACK)]
    variables = environment.complete(instance)
    spent: dict[bool, list[Spent]] = {False: [], True: []}
    for number in range(pairs):
        say(f"{name}: pair {number + 1} of previews with and without the policy pack")
        # The order alternates, so that a machine that slows down favors neither.
        for with_pack in (bool(number % 2), not number % 2):
            spent[with_pack].append(ran(with_policies if with_pack else command, variables))
    resources = _resources(INVENTORIES / f"{name}.yaml") + 1
    return Compared(name, resources, spent[False], spent[True])


def ran(command: Sequence[str], variables: Mapping[str, str]) -> Spent:
    """Run a command and return its time. Raises CalledProcessError where it fails."""
    before, began = _cpu_of_children(), time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    return Spent(time.perf_counter() - began, _cpu_of_children() - before)


def starts(times: int) -> tuple[Spent, Spent]:
    """Measure starts of the pack with all of it compiled by Python, and with nothing compiled."""
    with tempfile.TemporaryDirectory(prefix="bench-compiled-") as folder:
        compiled = Path(folder) / "compiled"
        _start(compiled)
        again = [_start(compiled) for _ in range(times)]
        first = [_start(Path(folder) / str(number)) for number in range(times)]
    return min(again, key=_seconds), min(first, key=_seconds)


def _start(compiled: Path) -> Spent:
    """Measure one start by the twin's Python host. compiled: the folder of Python's compiled files."""
    request = language_pb2.RunPluginRequest(
        kind="analyzer",
        args=["127.0.0.1:1"],
        info=language_pb2.ProgramInfo(program_directory=str(PACK)),
    )
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    with subprocess.Popen(
        plugin_command(request, Interpreter(Path(sys.executable), None)),
        cwd=PACK,
        env={**variables, "PYTHONPYCACHEPREFIX": str(compiled)},
        stdout=subprocess.PIPE,
    ) as pack:
        assert pack.stdout is not None, "it is a pipe"
        line = pack.stdout.readline()
        seconds = time.perf_counter() - began
        used = psutil.Process(pack.pid).cpu_times()
        pack.terminate()
    if not line.strip().isdigit():
        raise RuntimeError(f"the pack did not start: it wrote {line!r} where its port was expected")
    return Spent(seconds, used.user + used.system)


def _cpu_of_children() -> float:
    """Return the CPU time of the child processes that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resources(inventory: Path) -> int:
    return len(registered(inventory.read_text()))


def _median(spent: Sequence[Spent]) -> Spent:
    return Spent(statistics.median(map(_seconds, spent)), statistics.median(map(_cpu, spent)))


def _seconds(spent: Spent) -> float:
    return spent.seconds


def _cpu(spent: Spent) -> float:
    return spent.cpu_seconds


def _state(holds: bool) -> str:
    return "met" if holds else "exceeded"
