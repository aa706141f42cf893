"""How many workers run the end-to-end tests at a time: `make test-end-to-end`, or pytest's `-n auto`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psutil

MEMORY: Final = 5 * 10**9
"""Bytes of a worker: its twin, an update with engine, provider and program, and a client such as MLflow."""
LEAST: Final = 2
CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
"""Bytes that a container gets (cgroup v2), or `max`."""


def count(cores: int, memory: int) -> int:
    """Return the number for a machine. memory: its bytes.

    One more than cores, as a twin waits a third of its time, where the memory suffices.
    """
    return max(LEAST, min(cores + 1, memory // MEMORY))


def of_this_machine() -> int:
    """Return the number for the cores and the memory of this machine or container."""
    return count(os.cpu_count() or LEAST, limited(psutil.virtual_memory().total))


def limited(memory: int, limit: Path = CONTAINER_LIMIT) -> int:
    """Return the bytes of the machine's memory that this container gets: all where there is no limit."""
    text = limit.read_text().strip() if limit.is_file() else "max"
    return memory if text == "max" else min(memory, int(text))
