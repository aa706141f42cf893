"""Deletes what is left, users before what they use, and goes on after a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cli.clients.errors import UncheckedError
from cli.sweep import claims
from cli.sweep.account import Reading
from cli.sweep.claims import Evaluated
from cli.sweep.item import Item, Kind, Scope

Outcome = Literal["removed", "failed", "not removed", "already deleted"]


@dataclass(frozen=True)
class Removed:
    """What happened to one resource. reason: of a failure, or why it was not removed."""

    entry: Evaluated
    outcome: Outcome
    reason: str = ""


def remove(
    scope: Scope,
    reading: Reading,
    entries: Sequence[Evaluated],
    in_state: frozenset[str],
    report: Callable[[Removed], None],
) -> list[Removed]:
    """Delete the resources of the section `left`, in the order of kinds. report: is called after each."""
    order = {kind.name: place for place, kind in enumerate(reading.kinds)}
    readers: Mapping[str, Kind] = {kind.name: kind for kind in reading.kinds}
    removed: list[Removed] = []
    left = [entry for entry in entries if entry.section == "left"]
    for entry in sorted(left, key=lambda entry: order[entry.item.kind]):
        result = _remove(scope, readers[entry.item.kind], entry, reading.items, in_state)
        removed.append(result)
        report(result)
    return removed


def _remove(
    scope: Scope, kind: Kind, entry: Evaluated, items: Sequence[Item], in_state: frozenset[str]
) -> Removed:
    try:
        current = {item.id: item for item in kind.read(scope)}
    except UncheckedError as error:
        return Removed(entry, "failed", str(error))
    now = current.get(entry.item.id)
    if now is None:
        return Removed(entry, "already deleted")
    # Its tags are those of this moment. What it was recognised by may be deleted by now.
    now = replace(now, uses=tuple(dict.fromkeys((*entry.item.uses, *now.uses))))
    present = [now if item.id == now.id else item for item in items]
    again = {result.item.id: result for result in claims.evaluate(present, scope.identity, in_state)}
    result = again.get(now.id)
    if result is None or result.section != "left":
        return Removed(
            entry, "not removed", f"it has changed: {result.how if result else 'no claim is left'}"
        )
    if now.busy or now.delete is None:
        return Removed(entry, "not removed", now.busy)
    try:
        now.delete(scope.client)
    except UncheckedError as error:
        return Removed(entry, "failed", str(error))
    return Removed(entry, "removed")
