"""What goes wrong in the toolchain, said so that the reader can act on it."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 30


class ToolchainError(Exception):
    """A tool could not be had.

    Carries what failed, what to do, and for a command that ran the end of its output
    and the log that holds all of it. `str()` gives the whole message, ready to print.
    """

    def __init__(self, what: str, *, advice: str, output: str = "", log: Path | None = None) -> None:
        self.what = what
        self.advice = advice
        self.output = "\n".join(output.rstrip().splitlines()[-TAIL_LINES:])
        self.log = log
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.output:
            parts.append("\n".join(f"  | {line}" for line in self.output.splitlines()))
        if self.log is not None:
            parts.append(f"The whole output: {self.log}")
        parts.append(f"What to do: {self.advice}")
        return "\n".join(parts)
