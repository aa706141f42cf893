"""How many workers run the end-to-end tests at a time: `make test-end-to-end`, or pytest's `-n auto`."""

from __future__ import annotations

import os
from typing import Final

import psutil

MEMORY: Final = 5 * 10**9
"""Bytes of a worker: its twin, an update with engine, provider and program, and a client such as MLflow."""
LEAST: Final = 2


def count(cores: int, memory: int) -> int:
    """Return the number for a machine. memory: its bytes.

    One more than cores, as a twin waits a third of its time, where the memory suffices.
    """
    return max(LEAST, min(cores + 1, memory // MEMORY))


def of_this_machine() -> int:
    """Return the number for the cores and the memory of this machine."""
    return count(os.cpu_count() or LEAST, psutil.virtual_memory().total)
