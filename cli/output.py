"""What every command prints with: tables that are plain lines on no terminal, and errors."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

LAUNCHER: Final = Path(__file__).resolve().parents[1] / "bin" / "aiplatform"


class CommandError(Exception):
    """A command that cannot do what it was asked. The message says what would be right."""

    def __init__(self, message: str, code: int = 1) -> None:
        """code: the exit code of the command."""
        super().__init__(message)
        self.code = code


def held(lock: str) -> str:
    """The words for a lock that another command has kept."""
    return f"another command has held {lock} for minutes: wait for it, or end it"


def say(text: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str = "") -> None:
    """One line on stderr: not part of what the command answers."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@cache
def own() -> str:
    """This command as the user can type it where they are: `aiplatform` where it is on PATH, else a path."""
    # `make` puts the environment's own scripts on PATH for this process alone.
    scripts = str(Path(sys.prefix) / "bin")
    path = [place for place in os.environ.get("PATH", "").split(os.pathsep) if place != scripts]
    found = shutil.which("aiplatform", path=os.pathsep.join(path))
    if found and Path(found).resolve() == LAUNCHER:
        return "aiplatform"
    return "bin/aiplatform" if Path.cwd() == LAUNCHER.parents[1] else str(LAUNCHER)


def commands(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Commands to type, each with what it does, in two columns."""
    width = max(len(command) for command, _ in lines)
    return [f"  {command.ljust(width)}  # {meaning}" for command, meaning in lines]


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table; on no terminal, columns of plain text that grep and awk can read."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        drawn = Table(*headings, title=title or None, title_justify="left")
        for row in rows:
            drawn.add_row(*row)
        Console().print(drawn)
        return
    lines = [tuple(headings), *(tuple(strip(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def strip(text: str) -> str:
    """The text without rich's markup."""
    if "[" not in text:
        return text
    from rich.text import Text

    return Text.from_markup(text).plain
