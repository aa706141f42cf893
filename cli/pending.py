"""Pending creates of an interrupted `up`, deleted before a destroy."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli import captured, environment_files
from cli.output import CommandError, note
from twin import environment
from twin.instances import Instance

if TYPE_CHECKING:
    from twin.store import Store

DESTROYS: Final = ("destroy", "down", "dn")
"""`pulumi destroy` and its short names."""
_CREATING: Final = "creating"


def undo(instance: Instance, stack: str, file: Path) -> bool:
    """Delete what pending creates of the stack created and its state does not contain.

    file: the stack's state. Resolved pending operations are removed from it: the engine keeps them, and warns
    of them, until a refresh on a terminal. Returns whether nothing is left.
    """
    pending = _pending(instance, file)
    if not pending and not _unsettled(instance, stack):
        return True
    command = [sys.executable, "-m", "twin.core.pending_creates", stack, str(file)]
    done = subprocess.run(
        command,
        env={**environment.complete(instance), "PYTHONSAFEPATH": "1"},
        cwd=environment_files.ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        note(f"resources of an interrupted `up` could not be deleted:\n{done.stderr.strip()}")
        return False
    outcome: dict[str, Any] = json.loads(done.stdout)
    for resource in outcome["deleted"]:
        note(f"deleted {resource}, which an interrupted `up` created")
    if outcome["failed"]:
        return False
    if pending:
        _forget(instance, stack, pending)
    return True


def knows(instance: Instance, stack: str) -> bool:
    """Return whether the providers know resources of the stack that the engine knew."""
    if not instance.store.exists():
        return False
    with _store(instance) as store:
        return store.has_stack(stack)


def _unsettled(instance: Instance, stack: str) -> bool:
    with _store(instance) as store:
        return bool(store.unsettled(stack))


@contextlib.contextmanager
def _store(instance: Instance) -> Iterator[Store]:
    from twin.store import Store

    store = Store(instance.store)
    try:
        yield store
    finally:
        store.close()


def _pending(instance: Instance, file: Path) -> set[str]:
    """Return the URNs of the cloud's resources with a pending create."""
    try:
        operations = json.loads(file.read_text())["checkpoint"]["latest"].get("pending_operations") or ()
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # no stack yet, or an unreadable one, which the engine reports
    return {
        operation["resource"]["urn"] for operation in operations if _is_create_of_cloud(instance, operation)
    }


def _is_create_of_cloud(instance: Instance, operation: dict[str, Any]) -> bool:
    resource = operation["resource"]
    return operation["type"] == _CREATING and str(resource["type"]).startswith(f"{instance.cloud}:")


def _forget(instance: Instance, stack: str, urns: set[str]) -> None:
    """Remove the pending creates of these resources from the state."""
    state = json.loads(_pulumi(instance, "stack", "export", "--stack", stack))
    operations = state["deployment"].get("pending_operations") or ()
    state["deployment"]["pending_operations"] = [
        operation
        for operation in operations
        if not (_is_create_of_cloud(instance, operation) and operation["resource"]["urn"] in urns)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=instance.folder) as draft:
        json.dump(state, draft)
        draft.flush()
        _pulumi(instance, "stack", "import", "--stack", stack, "--file", draft.name)


def _pulumi(instance: Instance, *arguments: str) -> str:
    done = captured.pulumi(instance, *arguments)
    if done.returncode:
        reason = done.stderr.strip() or done.stdout.strip()
        raise CommandError(f"pulumi {' '.join(arguments[:2])} failed: {reason}")
    return done.stdout
