"""Pending creates of an interrupted `up`: deleted before a destroy, resolved after a successful command."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
CONVERGING: Final = (*DESTROYS, "up", "update")
"""Commands of Pulumi after which no create is pending."""
PARTIAL: Final = ("--target", "-t", "--exclude-protected", "--exclude", "-x", "--preview-only")
"""Options with which a command covers a part of the stack."""
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
        _forget(
            instance,
            stack,
            lambda operation: _is_create_of_cloud(instance, operation) and _urn(operation) in pending,
        )
    return True


def settle(instance: Instance, stack: str, file: Path, *, whole: bool) -> bool:
    """Remove the pending operations of an earlier, interrupted command after one that succeeded.

    file: the stack's state. whole: whether the command covered the whole stack: then what a pending create of
    the cloud created, and the program does not have any more, is deleted. Returns whether nothing is left.
    """
    if not has_pending(file):
        return True
    created = {str(resource["urn"]) for resource in _latest(file).get("resources") or ()}
    unknown = [operation for operation in _operations(file) if _urn(operation) not in created]
    if whole and any(_is_create_of_cloud(instance, operation) for operation in unknown):
        if not undo(instance, stack, file):
            return False
        unknown = [operation for operation in unknown if not _is_create_of_cloud(instance, operation)]
    if whole and created:
        for operation in unknown:
            note(
                f"{_urn(operation)}: an interrupted `up` may have created it, and the program does not have "
                "it: delete it by hand where it exists"
            )
    if has_pending(file):
        _forget(instance, stack, lambda operation: whole or _urn(operation) in created)
    return not has_pending(file)


def is_whole(arguments: Sequence[str]) -> bool:
    """Return whether a command with these arguments covers the whole stack."""
    return not any(word.partition("=")[0] in PARTIAL for word in arguments)


def has_pending(file: Path) -> bool:
    """Return whether the state has operations of an interrupted command. file: the stack's state."""
    return bool(_operations(file))


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
    return {_urn(operation) for operation in _operations(file) if _is_create_of_cloud(instance, operation)}


def _operations(file: Path) -> list[dict[str, Any]]:
    return list(_latest(file).get("pending_operations") or ())


def _latest(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())["checkpoint"].get("latest") or {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # no stack yet, or an unreadable one, which is reported before


def _urn(operation: dict[str, Any]) -> str:
    return str(operation["resource"]["urn"])


def _is_create_of_cloud(instance: Instance, operation: dict[str, Any]) -> bool:
    resource = operation["resource"]
    return operation["type"] == _CREATING and str(resource["type"]).startswith(f"{instance.cloud}:")


def _forget(instance: Instance, stack: str, resolved: Callable[[dict[str, Any]], bool]) -> None:
    """Remove the pending operations for which `resolved` returns true from the state."""
    state = json.loads(_pulumi(instance, "stack", "export", "--stack", stack))
    operations = state["deployment"].get("pending_operations") or ()
    state["deployment"]["pending_operations"] = [
        operation for operation in operations if not resolved(operation)
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
