"""Locks between this user's processes that state who has them.

The system releases the lock of a killed process. Who has it is in a file next to it (`NAME.lock.owner`),
which is only read for messages: it may be old, damaged or missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import time
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock

from twin.private_files import write_private

LENGTH: Final = 120
"""Characters of a command line in a message."""


class OwnedLock(FileLock):
    """A file lock that notes the process that has it."""

    def acquire(self, *arguments: Any, **options: Any) -> Any:
        """Acquire it, as a FileLock."""
        proxy = super().acquire(*arguments, **options)
        if self.lock_counter == 1:
            with contextlib.suppress(OSError, psutil.Error):
                owner = {"pid": os.getpid(), "since": time.time()}
                write_private(_owner_file(self.lock_file), json.dumps(owner))
        return proxy


def owner(lock_file: str) -> str:
    """Return which process has a lock, as `process 12 (`aiplatform up x`), since 2026-11-29 22:31:05`.

    Empty where that is not known: the note is missing or damaged, or its process has ended.
    """
    try:
        note = json.loads(_owner_file(lock_file).read_text())
        return process(int(note["pid"]), float(note["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def process(pid: int, since: float) -> str:
    """Return a process and its command line for a message. since: seconds of the epoch.

    Empty where it has ended, or another process that started later has its id.
    """
    try:
        running = psutil.Process(pid)
        if running.create_time() > since + 1 or running.status() == psutil.STATUS_ZOMBIE:
            return ""
        line = shlex.join(running.cmdline()) or running.name()
    except psutil.Error:
        return ""
    line = line if len(line) <= LENGTH else f"{line[: LENGTH - 3]}..."
    return f"process {pid} (`{line}`), since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(since))}"


def _owner_file(lock_file: str) -> Path:
    return Path(f"{lock_file}.owner")
