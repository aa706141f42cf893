"""Output of all commands: lines, tables (plain text without a terminal) and errors."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

LAUNCHER: Final = Path(__file__).resolve().parents[1] / "bin" / "aiplatform"


class CommandError(Exception):
    """A command that cannot be carried out. The message states what is expected."""

    def __init__(self, message: str, code: int = 1) -> None:
        """code: the exit code of the command."""
        super().__init__(message)
        self.code = code


def lock_timeout(lock: str) -> str:
    """Return the message for a lock that another command has kept for too long."""
    from twin import locks

    if owner := locks.owner(lock):
        pid = owner.split()[1]
        return f"{lock} is held by {owner}: wait for it, or end it with `kill {pid}`"
    return f"another command has held {lock} for minutes: wait for it, or end it"


def say(text: str = "") -> None:
    """Print one line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str = "") -> None:
    """Print one line on stderr: it is not part of the command's output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@cache
def command_name() -> str:
    """Return this command as the user can type it: `aiplatform` where it is on PATH, else a path."""
    # `make` adds the virtual environment's scripts to PATH for this process only.
    scripts = str(Path(sys.prefix) / "bin")
    path = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != scripts]
    executable = shutil.which("aiplatform", path=os.pathsep.join(path))
    if executable and Path(executable).resolve() == LAUNCHER:
        return "aiplatform"
    return "bin/aiplatform" if Path.cwd() == LAUNCHER.parents[1] else str(LAUNCHER)


def commands(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Return lines with commands to type and what they do, in two columns."""
    width = max(len(command) for command, _ in lines)
    return [f"  {command.ljust(width)}  # {meaning}" for command, meaning in lines]


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table; without a terminal, columns of plain text that grep and awk can read."""
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
    """Return the text without rich's markup."""
    if "[" not in text:
        return text
    from rich.text import Text

    return Text.from_markup(text).plain


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none yet'}"
