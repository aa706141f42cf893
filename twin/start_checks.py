"""What is checked before a process of a twin starts: its files, and the space on their disk."""

from __future__ import annotations

import shutil
from typing import Final

from twin import environment, fault_injection, state_files
from twin.instances import Instance, InstanceError

SPACE: Final = 128 * 2**20
"""Bytes that must be free: etcd reserves 64 MiB for its log."""


def check(instance: Instance) -> None:
    """Raise InstanceError where a file of the twin's state is damaged or missing, or its disk is full."""
    check_files(instance)
    free = shutil.disk_usage(instance.folder).free
    if free < SPACE:
        # The processes would end without a word: there is no space for their logs either.
        raise InstanceError(
            f"{instance.folder}: the disk has {free // 2**20} MiB free; "
            f"expected at least {SPACE // 2**20} MiB"
        )


def check_files(instance: Instance) -> None:
    """Raise StateFileError for the first file of the twin's state that is damaged or missing."""
    state_files.check(instance)
    fault_injection.read(instance.folder / instance.cloud / "faults.json")
    environment.environment(instance)  # reads the credentials
