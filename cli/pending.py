"""Pending creates of an interrupted `up`, deleted before a destroy."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from cli import captured
from cli.output import CommandError, note
from twin import environment
from twin.world import World

DESTROYS: Final = ("destroy", "down", "dn")
"""`pulumi destroy` and its short names."""
_CREATING: Final = "creating"


def undo(world: World, stack: str, file: Path) -> bool:
    """Delete what pending creates of the stack created and its state does not contain.

    file: the stack's state. Resolved pending operations are removed from it: the engine keeps them, and warns
    of them, until a refresh on a terminal. Returns whether nothing is left.
    """
    pending = _pending(world, file)
    if not pending and not _unsettled(world, stack):
        return True
    command = [sys.executable, "-m", "twin.core.pending_creates", stack, str(file)]
    done = subprocess.run(
        command,
        env={**environment.complete(world), "PYTHONSAFEPATH": "1"},
        cwd=environment.ROOT,
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
        _forget(world, stack, pending)
    return True


def _unsettled(world: World, stack: str) -> bool:
    from twin.store import Store

    store = Store(world.store)
    unsettled = store.unsettled(stack)
    store.close()
    return bool(unsettled)


def _pending(world: World, file: Path) -> set[str]:
    """Return the URNs of the cloud's resources with a pending create."""
    try:
        operations = json.loads(file.read_text())["checkpoint"]["latest"].get("pending_operations") or ()
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # no stack yet, or an unreadable one, which the engine reports
    return {operation["resource"]["urn"] for operation in operations if _is_create_of_cloud(world, operation)}


def _is_create_of_cloud(world: World, operation: dict[str, Any]) -> bool:
    resource = operation["resource"]
    return operation["type"] == _CREATING and str(resource["type"]).startswith(f"{world.cloud}:")


def _forget(world: World, stack: str, urns: set[str]) -> None:
    """Remove the pending creates of these resources from the state."""
    state = json.loads(_pulumi(world, "stack", "export", "--stack", stack))
    operations = state["deployment"].get("pending_operations") or ()
    state["deployment"]["pending_operations"] = [
        operation
        for operation in operations
        if not (_is_create_of_cloud(world, operation) and operation["resource"]["urn"] in urns)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=world.folder) as draft:
        json.dump(state, draft)
        draft.flush()
        _pulumi(world, "stack", "import", "--stack", stack, "--file", draft.name)


def _pulumi(world: World, *arguments: str) -> str:
    done = captured.pulumi(world, *arguments)
    if done.returncode:
        reason = done.stderr.strip() or done.stdout.strip()
        raise CommandError(f"pulumi {' '.join(arguments[:2])} failed: {reason}")
    return done.stdout
