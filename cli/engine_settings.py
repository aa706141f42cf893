"""Variables that our commands set for the engine: which state it saves, and how much memory it uses.

With its state in a file or bucket the engine saves the whole state after each step: an interrupted update is
repaired from that. A preview does the same work and discards it: `PULUMI_SKIP_CHECKPOINTS` saves it the
work. In an update the same variable would lose operations in progress. Source: pkg/backend/snapshot.go and
pkg/backend/diy/backend.go of Pulumi v3.274.1; since 3.215 at the latest it needs no PULUMI_EXPERIMENTAL.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

import psutil

SKIP_CHECKPOINTS: Final = "PULUMI_SKIP_CHECKPOINTS"
COLLECTOR: Final = "GOGC"
COLLECTOR_PERCENT: Final = "400"
"""Go's collector runs when the heap has grown by so many percent; the default is 100."""
MEMORY_TO_SPARE: Final = 6 * 1024**3
"""Bytes that must be available for the engine to collect less often."""


def variables(arguments: Sequence[str], base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of `pulumi <arguments>` that are added to the twin's.

    base: the caller's environment (default: this process's), whose own setting of the collector counts.
    Only a command that begins with `preview` skips checkpoints: any other may save something.
    """
    base = os.environ if base is None else base
    result: dict[str, str] = {}
    if arguments and arguments[0] == "preview":
        result[SKIP_CHECKPOINTS] = "true"
    if COLLECTOR not in base and psutil.virtual_memory().available >= MEMORY_TO_SPARE:
        result[COLLECTOR] = COLLECTOR_PERCENT
    return result


def ignored(arguments: Sequence[str], base: Mapping[str, str] | None = None) -> str:
    """Return a warning where a command that saves is asked to skip its checkpoints; empty otherwise."""
    base = os.environ if base is None else base
    if SKIP_CHECKPOINTS not in base or SKIP_CHECKPOINTS in variables(arguments, base):
        return ""
    command = arguments[0] if arguments else "pulumi"
    return (
        f"{SKIP_CHECKPOINTS} is not passed on: `{command}` saves its state after each step, "
        "so that an interruption can be repaired"
    )
