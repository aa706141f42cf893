"""The engine's output where nobody watches it live: a log that can be read.

The engine then prints a line when a step begins, one at each word of its provider, and one when it ends. Of
a step that goes well the last is enough. Whatever is not known for chatter is shown as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

# ` +  aws:ec2:Vpc network-vpc creating (0s) ...`
UNDER_WAY: Final = re.compile(
    r"[-+~=<>*! ]*\s[\w./:-]+:[\w./-]+ \S+ \w+ing( \w+)* \((?P<seconds>\d+)s\)(?P<said>.*)"
)
# `    pulumi:pulumi:Stack ai-platform-aws-dev  `, `@ previewing update....`
IDLE: Final = re.compile(r"\s*pulumi:pulumi:Stack [\w./-]+( running)?\s*|@ \w+ing \w+\.*\s*")
# What the engine says of a stack that is empty: the twin's stacks are removed with the twin.
REMOVAL: Final = (
    "The resources in the stack have been deleted, but the history and configuration",
    "If you want to remove the stack completely, run `pulumi stack rm",
)
SECTIONS: Final = ("Diagnostics:", "Outputs:", "Policies:", "Resources:", "Duration:")
LONG_SECONDS: Final = 10
"""A step that takes longer is worth a line while it is under way."""


def digest(lines: Iterable[str]) -> Iterator[str]:
    """The lines worth keeping, with an empty one before each section, and none at either end."""
    begun, gap = False, False
    for line in lines:
        if not worth_keeping(line):
            continue
        if not line.strip():
            gap = begun
            continue
        if gap or (begun and line.startswith(SECTIONS)):
            yield "\n"
        yield line
        begun, gap = True, False


def worth_keeping(line: str) -> bool:
    """Whether a line says more than that a step is on its way."""
    if IDLE.fullmatch(line.rstrip("\n")) or line.startswith(REMOVAL):
        return False
    step = UNDER_WAY.fullmatch(line.rstrip("\n"))
    if step is None:
        return True
    # An error is said again, and in full, when the step ends by it.
    return bool(step["said"].strip()) and int(step["seconds"]) >= LONG_SECONDS
