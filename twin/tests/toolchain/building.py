"""A build without Go: makes a fake tool, slowly enough that two processes meet.

Run as a program it asks for the tool as `aiplatform twin start` would, so that a test
can start several at once and kill one.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from twin.toolchain.build_specs import Recipe
from twin.toolchain.cache import Cache
from twin.toolchain.progress import Step
from twin.toolchain.store import Store


class Recorded:
    """A progress that keeps what is reported to it."""

    def __init__(self, printed: bool = False) -> None:
        self.lines: list[str] = []
        self._printed = printed

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Recorded]:
        self.update(name)
        yield self

    def say(self, text: str) -> None:
        self.update(text)

    def update(self, text: str) -> None:
        self.lines.append(text)
        if self._printed:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


class FakeMaker:
    """Writes `<module folder>/builds`, a line a build, so that a test can count them. A build takes its
    seconds, or ends when there is a file `end` next to it."""

    def __init__(self, seconds: float = 0.0, fails: bool = False) -> None:
        self._seconds = seconds
        self._fails = fails
        self.downloaded: list[str] = []

    @contextlib.contextmanager
    def __call__(self) -> Iterator[FakeMaker]:
        yield self

    def make(self, recipe: Recipe, into: Path, step: Step) -> None:
        with (recipe.folder.parent / "builds").open("a") as file:
            file.write(f"{recipe.name}\n")
        (into / "half-made").touch()
        step.update("half-made")
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline and not (recipe.folder.parent / "end").exists():
            time.sleep(0.02)
        if self._fails:
            raise RuntimeError("the compiler said no")
        (into / recipe.binary).write_text(f"{recipe.name} {recipe.version}")

    def download_ahead(self, recipe: Recipe) -> None:
        self.downloaded.append(recipe.name)


def fake_recipe(root: Path, name: str = "tool") -> Recipe:
    """A recipe whose module is one file under `root`."""
    folder = root / f"module-{name}"
    folder.mkdir(exist_ok=True, parents=True)
    if not (folder / "main.go").exists():
        (folder / "main.go").write_text("package main\n")
    return Recipe(name=name, version="1.0.0", folder=folder, package=".", binary=name, linked=())


def builds(root: Path) -> list[str]:
    """What has been built so far."""
    record = root / "builds"
    return record.read_text().split() if record.exists() else []


def main() -> None:
    root, seconds = Path(sys.argv[1]), float(sys.argv[2])
    store = Store(Cache(root / "cache"), Recorded(printed=True), FakeMaker(seconds))
    store.ensure([fake_recipe(root)], lambda name, path: print(f"ready {name} {path}"))  # noqa: T201


if __name__ == "__main__":
    main()
