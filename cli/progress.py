"""Progress of long steps: a live line each on a terminal, plain lines elsewhere.

On stderr, so that other programs can read a command's output.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, TextIO

from twin.toolchain.progress import Progress, Step

QUIET_SECONDS: Final = 15.0
"""Without a terminal, a step in progress logs at most this often."""
SHORT_SECONDS: Final = 0.3
"""A step that took less is not logged."""


@contextlib.contextmanager
def show_progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """Return a progress for the duration of the context. stream: default stderr."""
    target = stream or sys.stderr
    if not target.isatty():
        yield Plain(target)
        return
    live = _live(target)
    with live:
        yield Live(live)


class Plain:
    """Lines with the elapsed time in front: while a step is in progress, and when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Begin a step."""
        began = time.monotonic()
        step = _PlainStep(self, name)
        try:
            yield step
        except BaseException as error:
            self.say(f"{name}: {'interrupted' if isinstance(error, KeyboardInterrupt) else 'failed'}")
            raise
        seconds = time.monotonic() - began
        if seconds > SHORT_SECONDS:
            self.say(f"{name}: done in {duration(seconds)}")

    def say(self, text: str) -> None:
        """Print one line."""
        with self._lock:
            self._stream.write(f"[{duration(time.monotonic() - self._began):>7}] {text}\n")
            self._stream.flush()


class _PlainStep:
    def __init__(self, progress: Plain, name: str) -> None:
        self._progress, self._name, self._logged_at = progress, name, time.monotonic()

    def update(self, text: str) -> None:
        if time.monotonic() - self._logged_at >= QUIET_SECONDS:
            self._logged_at = time.monotonic()
            self._progress.say(f"{self._name}: {text}")


class Live:
    """A line with a spinner for each step in progress; a step that ended leaves a plain line."""

    def __init__(self, live: Any) -> None:
        self._live = live

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Begin a step."""
        began = time.monotonic()
        task = self._live.add_task(name, total=None, text="")
        mark = "[green]✓[/green]"
        try:
            yield _LiveStep(self._live, task)
        except BaseException:
            mark = "[red]✗[/red]"
            raise
        finally:
            self._live.remove_task(task)
            seconds = time.monotonic() - began
            if "red" in mark or seconds > SHORT_SECONDS:
                self._live.console.print(f"{mark} {name} [dim]{duration(seconds)}[/dim]", highlight=False)

    def say(self, text: str) -> None:
        """Print one line."""
        self._live.console.print(text, highlight=False, markup=False)


class _LiveStep:
    def __init__(self, live: Any, task: Any) -> None:
        self._live, self._task = live, task

    def update(self, text: str) -> None:
        from rich.markup import escape

        self._live.update(self._task, text=escape(text))


def duration(seconds: float) -> str:
    """Return a duration as text: `0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _live(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[text]}", markup=True),
        console=Console(file=stream),
        transient=True,
    )
