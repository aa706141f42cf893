"""How a long step reports what it is doing.

A protocol and nothing more: the command line draws it, the tests record it, and
this package needs no library for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class Step(Protocol):
    """One step under way."""

    def update(self, text: str) -> None:
        """Say what the step is doing now; a later text takes an earlier one's place."""
        ...


class Progress(Protocol):
    """Where steps are shown."""

    def step(self, name: str) -> AbstractContextManager[Step]:
        """Begin a step; leaving the context ends it, by an exception as failed."""
        ...

    def say(self, text: str) -> None:
        """A line that stays."""
        ...


class _SilentStep:
    def update(self, text: str) -> None:
        del text


class Silent:
    """Shows nothing: the default, for callers that only want the tools."""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        del name
        yield _SilentStep()

    def say(self, text: str) -> None:
        """Say nothing."""
        del text
