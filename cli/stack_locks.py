"""Locks of the engine on stacks: those of killed engines are removed, those of running ones are reported."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from cli import environment_files
from cli.output import CommandError, note
from twin import locks
from twin.instances import Instance

LOCKING: Final = ("up", "update", "destroy", "down", "dn", "refresh", "import")
"""Commands of Pulumi that lock the stack."""


@dataclass(frozen=True)
class _Lock:
    """A lock's file. pid: None where the file is damaged."""

    file: Path
    pid: int | None = None
    host: str = ""
    user: str = ""
    since: float = 0.0

    @property
    def is_of_this_machine(self) -> bool:
        return self.host in (socket.gethostname(), "")


def release(instance: Instance, stack: str) -> None:
    """Remove the locks that killed engines left on the stack, and damaged ones where no engine runs.

    The lock of an engine that works in this twin stays, as does one of another machine.
    """
    for lock in _locks(instance, stack):
        if lock.pid is None:
            if not any(_engines(instance)):
                lock.file.unlink(missing_ok=True)
                note(f"removed a damaged lock of the stack {stack}: {lock.file}")
        elif lock.is_of_this_machine and not _is_engine(instance, lock.pid):
            lock.file.unlink(missing_ok=True)
            note(f"removed the lock of an engine that was killed (process {lock.pid})")


def is_locked(instance: Instance, stack: str) -> bool:
    """Return whether an engine has locked the stack."""
    return any(True for _ in _locks(instance, stack))


def refuse_locked(instance: Instance, stack: str) -> None:
    """Raise CommandError with the process that has locked the stack, and the way out."""
    for lock in _locks(instance, stack):
        pid = lock.pid if lock.pid is not None else next(_engines(instance), None)
        if not lock.is_of_this_machine or pid is None:
            raise CommandError(
                f"the stack {stack} is locked by process {lock.pid} of {lock.user or 'a user'} on "
                f"{lock.host}: wait for it; where it has ended, delete {lock.file}"
            )
        owner = locks.process(pid, lock.since or datetime.now().timestamp()) or f"process {pid}"
        raise CommandError(
            f"the stack {stack} is in use by {owner}: wait for it, or stop it at a safe point with "
            f"`kill -INT {pid}` (a second time: at once)"
        )


def _locks(instance: Instance, stack: str) -> Iterator[_Lock]:
    folder = instance.folder / "state" / ".pulumi" / "locks" / "organization"
    for file in sorted((folder / environment_files.PROJECT / stack).glob("*.json")):
        try:
            content = json.loads(file.read_text())
            since = 0.0
            with contextlib.suppress(ValueError, KeyError, TypeError):
                since = datetime.fromisoformat(content["timestamp"]).timestamp()
            yield _Lock(
                file, int(content["pid"]), str(content["hostname"]), str(content.get("username", "")), since
            )
        except FileNotFoundError:
            continue  # released meanwhile
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            yield _Lock(file)


def _engines(instance: Instance) -> Iterator[int]:
    """Yield the engines that work in the twin."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "pulumi" and _is_engine(instance, process.pid):
                yield process.pid


def _is_engine(instance: Instance, pid: int) -> bool:
    """Return whether a process is an engine of this twin: an id may belong to that of another twin now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "pulumi" not in process.name():
            return False
    except psutil.Error:
        return False
    try:
        return process.environ().get("PULUMI_HOME") == str(instance.folder / "pulumi")
    except psutil.Error:
        return True  # whose environment cannot be read
