"""Which code a twin's Python processes run: one that was started before a change goes on with the old."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from twin.processes import Daemon

# What no process of a twin runs: byte code, tests, and what builds and finds the tools.
LEFT_OUT: Final = frozenset({"__pycache__", "toolchain", "tests"})


PACKAGE: Final = Path(__file__).parent


@cache
def fingerprint(folder: Path = PACKAGE) -> str:
    """Changes with the twin's sources, the locked packages and the interpreter."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(files):
            file = Path(place) / name
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes())
    # What a repository locks decides which packages run; an installed twin has none.
    lock = folder.parent / "uv.lock"
    if lock.is_file():
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def record(daemon: Daemon) -> None:
    """Note the code that a process has just been started with."""
    _note(daemon).write_text(fingerprint())


def approve(daemon: Daemon) -> None:
    """Note that a process has become ready with the code of now."""
    _note(daemon, "ready").write_text(fingerprint())


def is_untried(daemon: Daemon) -> bool:
    """Whether it has been ready before, and never with the code of now."""
    try:
        return _note(daemon, "ready").read_text() != fingerprint()
    except OSError:
        return False


def is_old(daemon: Daemon) -> bool:
    """Whether it runs, and with other code than is there now."""
    try:
        return daemon.alive and _note(daemon).read_text() != fingerprint()
    except OSError:
        return True  # it was started by a version that recorded nothing


def _note(daemon: Daemon, of: str = "started") -> Path:
    return daemon.pid_file.with_suffix(f".{of}-with")
