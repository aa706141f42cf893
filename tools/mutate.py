"""Measure which small mistakes in components the tests detect: `python -m tools.mutate --seed 1`.

In a copy of the tree it makes one mistake at a time in components/ (see tools/mutations.py), runs the
component's tests and inventories, and then the whole unit tier where these pass. It prints which test detects
each mistake. Exits with 1 where more than --survivors of a sample were not detected, and with 2 where tests
fail without any mistake, because they would "detect" every one. It takes minutes; CI does not run it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.mutations import Mutation, Mutations

ROOT: Final = Path(__file__).parents[1]
COMPONENTS: Final = Path("components/aiplatform")
TESTS: Final = Path("tests/components/aiplatform")
UNIT: Final = "@tests/unit.options"
"""What the unit tier is, as `make test-unit` runs it."""
SECONDS: Final = 120
"""How long a test may take: a mutation may make a loop that does not end."""
INVENTORIES: Final = "tests/inventories/test_components.py"
KINDS: Final = ("flag", "number", "text", "comparison", "logic", "condition", "argument", "entry")


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file of the tree."""

    path: Path
    mutation: Mutation

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.mutation.before, self.mutation.after))
        change = f"{before} -> {after}" if after else f"without {before}"
        return f"{self.mutation.kind}: {change if len(change) <= 90 else change[:87] + '...'}"

    @property
    def place(self) -> str:
        """`network/aws.py:12`."""
        return f"{self.path.relative_to(COMPONENTS)}:{self.mutation.line}"


def sample(seed: int, count: int, only: str = "") -> Iterator[Mutant]:
    """Mutations by a seed: kinds in turn, files by their length. only: what a path must contain."""
    choose = random.Random(seed)  # noqa: S311 - a sample
    files = [
        file
        for file in sorted((ROOT / COMPONENTS).rglob("*.py"))
        if only in str(file.relative_to(ROOT)) and file.stat().st_size
    ]
    parsed: dict[Path, Mutations] = {}
    weights = [file.stat().st_size for file in files]
    seen: set[tuple[Path, str, int]] = set()
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        for _ in range(1000):
            [file] = choose.choices(files, weights)
            mutations = parsed.setdefault(file, parsed.get(file) or Mutations(file.read_text()))
            if not mutations.count(kind):
                continue
            place = (file, kind, choose.randrange(mutations.count(kind)))
            if place not in seen:
                seen.add(place)
                yield Mutant(file.relative_to(ROOT), mutations.make(kind, place[2]))
                break


def nearest_tests(path: Path) -> list[str]:
    """The component's inventories and own tests; for code that components share, those of all."""
    parts = path.relative_to(COMPONENTS).parts
    entity = parts[0] if len(parts) > 1 and parts[0] != "_shared" else ""
    if entity and (ROOT / TESTS / entity).is_dir():
        variants = sorted((ROOT / "tests/inventories/components" / entity).glob("*.yaml"))
        name = f"{INVENTORIES}::test_a_variant_of_a_component_registers_what_is_committed"
        inventories = [f"{name}[{file.relative_to(ROOT)}]" for file in variants]
        return [*inventories, str(TESTS / entity)]
    own_tests = TESTS.joinpath(*parts[:-1], f"test_{path.stem.strip('_')}.py")
    shared = [str(own_tests)] if (ROOT / own_tests).is_file() else []
    return [
        INVENTORIES,
        *shared,
        *sorted(str(TESTS / file.name) for file in (ROOT / TESTS).glob("test_*.py")),
        str(TESTS / "_shared"),
    ]


class Copy:
    """A copy of the tree in a folder that is deleted at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.limit = 3600.0
        """How many seconds a run of tests may take."""
        self.unstable: list[str] = []
        """Tests that failed without any mutation, as some do on a busy machine: they find nothing."""
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in names:
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
        # Some tests ask git for the files of the tree.
        for command in (["git", "init", "-q"], ["git", "add", "-A"]):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def near(self, tests: Sequence[str], *, compiled: bool = False) -> str:
        """The first test that fails of these; empty where none does. compiled: keep the bytecode."""
        return self._run([UNIT, "-n", "0", "-p", "no:cacheprovider", *tests], compiled=compiled)

    def whole(self, *, compiled: bool = False) -> str:
        """The first test of the unit tier that fails; empty where none does."""
        return self._run([UNIT, *(f"--deselect={test}" for test in self.unstable)], compiled=compiled)

    def baseline(self, tests: Sequence[str], *, whole: bool) -> str:
        """The first test that fails without any mutation; empty where none does. From here on a run may take
        three times as long as this one did, and a minute more."""
        started = time.monotonic()
        failed = self.near(tests, compiled=True) or (self.whole(compiled=True) if whole else "")
        self.limit = 3 * (time.monotonic() - started) + 60
        return failed

    def _run(self, arguments: Sequence[str], *, compiled: bool = False) -> str:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{self.folder}{os.pathsep}{self.folder / 'components'}",
            # A mutated file may have the size and the second of the file before it.
            "PYTHONDONTWRITEBYTECODE": "" if compiled else "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", f"--timeout={SECONDS}", *arguments]
        running = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = running.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            return "the time limit"
        return first_failure(output) if running.returncode else ""


def first_failure(output: str) -> str:
    """The first test that failed, by the output of pytest."""
    failure = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", output, re.MULTILINE)
    return failure.group(1) if failure else "the tests did not run"


def trial(copy: Copy, mutant: Mutant, *, whole: bool) -> tuple[str, float]:
    """Which test finds the mutation, and after how many seconds; an empty text where none does."""
    started = time.monotonic()
    near = nearest_tests(mutant.path)
    test = mutated(copy, mutant, lambda: copy.near(near))
    while not test and whole:
        failed = mutated(copy, mutant, copy.whole)
        if not failed:
            break
        if (copy.folder / failed.partition("::")[0]).exists() and copy.near([failed]):
            copy.unstable.append(failed)
        else:
            test = f"{failed} (whole unit tier)"
    return test, time.monotonic() - started


def mutated(copy: Copy, mutant: Mutant, run: Callable[[], str]) -> str:
    """What a run of tests answers while the copy has the mutation."""
    file = copy.folder / mutant.path
    text, times = file.read_text(), file.stat()
    file.write_text(mutant.mutation.code)
    try:
        return run()
    finally:
        file.write_text(text)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def survivors_of(seed: int, mutants: Sequence[Mutant], copy: Copy, *, whole: bool) -> list[Mutant]:
    """Try a sample, print what found each of its mutations, and return those that nothing found."""
    survivors: list[Mutant] = []
    for number, mutant in enumerate(mutants, 1):
        test, seconds = trial(copy, mutant, whole=whole)
        if not test:
            survivors.append(mutant)
        row = f"{number:>3}  {mutant.place}  {mutant}\n     {test or 'SURVIVED'}  ({seconds:.1f} s)\n"
        sys.stdout.write(row)
        sys.stdout.flush()
    sys.stdout.write(f"\n{len(mutants) - len(survivors)} of {len(mutants)} found (seed {seed})\n")
    for mutant in survivors:
        sys.stdout.write(f"survived: {mutant.place}  {mutant}\n")
    sys.stdout.flush()
    return survivors


def main() -> None:
    """Try the samples and print what found each mutation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="which samples (default 1)")
    parser.add_argument("--count", type=int, default=30, help="how many mutations each (default 30)")
    parser.add_argument("--only", default="", help="mutate files whose path contains this")
    parser.add_argument("--near", action="store_true", help="leave the whole unit tier out")
    parser.add_argument("--survivors", type=int, default=2, help="how many may be left of each (default 2)")
    options = parser.parse_args()
    samples = {seed: list(sample(seed, options.count, options.only)) for seed in options.seed}
    tests = {
        test for mutants in samples.values() for mutant in mutants for test in nearest_tests(mutant.path)
    }
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        copy = Copy(Path(folder))
        if failed := copy.baseline(sorted(tests), whole=not options.near):
            sys.stderr.write(f"without any mutation {failed} fails: fix that first\n")
            raise SystemExit(2)
        left = [
            survivors_of(seed, mutants, copy, whole=not options.near) for seed, mutants in samples.items()
        ]
    raise SystemExit(int(any(len(mutants) > options.survivors for mutants in left)))


if __name__ == "__main__":
    main()
