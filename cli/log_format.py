"""The engine's output as a log, where it is not shown on a terminal.

The engine then prints a line when a step begins, one for each message of its provider, and one when it ends.
Of a step that succeeds only the last is kept. Every line that is not known to be redundant is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

# ` +  aws:ec2:Vpc network-vpc creating (0s) ...`
UNDER_WAY: Final = re.compile(
    r"[-+~=<>*! ]*\s[\w./:-]+:[\w./-]+ \S+ \w+ing( \w+)* \((?P<seconds>\d+)s\)(?P<message>.*)"
)
# `    pulumi:pulumi:Stack ai-platform-aws-dev  `, `@ previewing update....`
IDLE: Final = re.compile(r"\s*pulumi:pulumi:Stack [\w./-]+( running)?\s*|@ \w+ing \w+\.*\s*")
# Printed for an empty stack. The twin's stacks are removed with the twin.
REMOVAL: Final = (
    "The resources in the stack have been deleted, but the history and configuration",
    "If you want to remove the stack completely, run `pulumi stack rm",
)
SECTIONS: Final = ("Diagnostics:", "Outputs:", "Policies:", "Resources:", "Duration:")
LONG_SECONDS: Final = 10
"""A step that takes longer gets lines while it is in progress."""


def condense(lines: Iterable[str]) -> Iterator[str]:
    """Yield the relevant lines, with an empty one before each section, and none at either end."""
    begun, gap = False, False
    for line in lines:
        if not is_relevant(line):
            continue
        if not line.strip():
            gap = begun
            continue
        if gap or (begun and line.startswith(SECTIONS)):
            yield "\n"
        yield line
        begun, gap = True, False


def is_relevant(line: str) -> bool:
    """Return whether a line contains more than that a step is in progress."""
    if IDLE.fullmatch(line.rstrip("\n")) or line.startswith(REMOVAL):
        return False
    step = UNDER_WAY.fullmatch(line.rstrip("\n"))
    if step is None:
        return True
    # The engine repeats an error in full when the step fails.
    return bool(step["message"].strip()) and int(step["seconds"]) >= LONG_SECONDS
