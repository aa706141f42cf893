"""What the policy pack costs: a preview with and without it in turn, and its start. Part of `make bench`."""

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
"""How much of a preview the pack may add."""
START_SECONDS: Final = 2.0
"""How long the pack may take from its start to the port on which it serves."""


@dataclass(frozen=True)
class Spent:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    """Of all its processes. Where others keep the machine busy it says more than the clock."""


@dataclass(frozen=True)
class Compared:
    """Previews of everything that an environment has, with and without the pack in turn."""

    environment: str
    resources: int
    without: Sequence[Spent]
    judged: Sequence[Spent]
    """With the pack, each right after or right before its fellow in `without`."""

    def added(self, what: Callable[[Spent], float]) -> float:
        """How much of a preview the pack adds (0.1 is a tenth): the median of the pairs."""
        pairs = zip(self.without, self.judged, strict=True)
        return statistics.median(what(judged) / what(without) - 1 for without, judged in pairs)

    @property
    def holds(self) -> bool:
        """Whether the pack keeps to its limit, by the clock: that is what a user waits for."""
        return self.added(_seconds) <= ADDED

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "environment": self.environment,
            "resources": self.resources,
            "pairs": len(self.without),
            "without": asdict(_median(self.without)),
            "with": asdict(_median(self.judged)),
            "added": round(self.added(_seconds), 3),
            "added_cpu": round(self.added(_cpu), 3),
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Policies:
    """All that is measured of the pack."""

    previews: Sequence[Compared]
    start: Spent
    """From its start to its port, the shortest."""
    first_start: Spent
    """The same where Python has compiled nothing yet, neither the pack nor Pulumi nor its own library."""

    @property
    def starts_in_time(self) -> bool:
        """Whether it keeps to its limit on a machine that has never started it."""
        return self.first_start.seconds <= START_SECONDS

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "added_limit": ADDED,
            "previews": [each.document() for each in self.previews],
            "start_limit_seconds": START_SECONDS,
            "start": asdict(self.start),
            "first_start": asdict(self.first_start),
            "starts_in_time": self.starts_in_time,
        }

    def table(self) -> Table:
        """For a person to read."""
        made = Table(title="previews with the policy pack", title_justify="left", caption_justify="left")
        made.add_column("stack", no_wrap=True)
        for head in ("resources", "without, s", "with, s", "adds", "adds CPU", f"limit {ADDED:.0%}"):
            made.add_column(head, justify="right")
        for each in self.previews:
            made.add_row(
                each.environment,
                str(each.resources),
                f"{_median(each.without).seconds:.1f}",
                f"{_median(each.judged).seconds:.1f}",
                f"{each.added(_seconds):+.0%}",
                f"{each.added(_cpu):+.0%}",
                _kept(each.holds),
            )
        made.caption = (
            f"The pack starts in {self.start.seconds:.1f} s ({self.start.cpu_seconds:.1f} s of CPU);\n"
            f"with nothing compiled yet in {self.first_start.seconds:.1f} s "
            f"({self.first_start.cpu_seconds:.1f} s of CPU), limit {START_SECONDS:.0f} s: "
            f"{_kept(self.starts_in_time)}"
        )
        return made


def largest() -> str:
    """The environment with the most resources."""
    return max(INVENTORIES.glob("*.yaml"), key=_resources).stem


def measure(stack: str, folder: Path, pairs: int, say: Callable[[str], None]) -> Policies:
    """Of an environment and of the largest. folder: the home of twins; pairs: how many previews of each."""
    say("starts of the policy pack")
    start, first_start = starts(pairs)
    previews: list[Compared] = []
    for name in dict.fromkeys((stack, largest())):
        say(f"{name}: starting the twin")
        with Twin(name, folder).started() as twin:
            previews.append(compare(twin, pairs, say))
    return Policies(previews, start, first_start)


def compare(twin: Twin, pairs: int, say: Callable[[str], None]) -> Compared:
    """Previews in a twin that has nothing up."""
    world, name = twin.world, twin.environment
    command = [
        *(environment.engine(world), "preview", "--non-interactive", "--stack", name),
        *("--config-file", str(engine.ensure_stack(world, name))),
    ]
    judged = [*command, "--policy-pack", str(PACK)]
    variables = environment.complete(world)
    spent: dict[bool, list[Spent]] = {False: [], True: []}
    for number in range(pairs):
        say(f"{name}: pair {number + 1} of previews with and without the policy pack")
        # What comes first changes: a machine that slows down favours neither.
        for with_pack in (bool(number % 2), not number % 2):
            spent[with_pack].append(ran(judged if with_pack else command, variables))
    resources = _resources(INVENTORIES / f"{name}.yaml") + 1
    return Compared(name, resources, spent[False], spent[True])


def ran(command: Sequence[str], variables: Mapping[str, str]) -> Spent:
    """Run a command to its end. Raises CalledProcessError where it fails."""
    before, began = _cpu_of_children(), time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    return Spent(time.perf_counter() - began, _cpu_of_children() - before)


def starts(times: int) -> tuple[Spent, Spent]:
    """Starts of the pack: when Python has compiled all of it, and when it has compiled nothing."""
    with tempfile.TemporaryDirectory(prefix="bench-compiled-") as folder:
        compiled = Path(folder) / "compiled"
        _start(compiled)
        again = [_start(compiled) for _ in range(times)]
        first = [_start(Path(folder) / str(number)) for number in range(times)]
    return min(again, key=_seconds), min(first, key=_seconds)


def _start(compiled: Path) -> Spent:
    """One start as the twin's host for Python makes it. compiled: where Python keeps what it has compiled."""
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
    """Of those that have ended, and of theirs."""
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


def _kept(holds: bool) -> str:
    return "kept" if holds else "not kept"
