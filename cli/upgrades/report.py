"""The table of versions and the order to follow, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from cli.output import say, table
from cli.upgrades.items import Item
from cli.upgrades.order import Step

RUNBOOKS: Final = "docs/operations/upgrades.md"
_HOURS: Final = 730
_COLORS: Final = {
    "current": "green",
    "behind": "yellow",
    "ends soon": "red",
    "extended": "red",
    "unsupported": "red",
    "not looked up": "yellow",
}


def show(title: str, items: Sequence[Item], steps: Sequence[Step], notes: Sequence[str], today: date) -> None:
    """Print the table, the steps, and what is not known."""
    rows = [
        (
            item.kind,
            item.name,
            item.has,
            item.newest or "not looked up",
            _ends(item, today),
            f"[{_COLORS[item.state]}]{item.state}[/{_COLORS[item.state]}]",
            item.reason.replace("[", r"\["),
        )
        for item in items
    ]
    table(("kind", "name", "has", "newest", "support ends", "state", "reason"), rows, title=title)
    say()
    if not steps:
        say("No step is known to be needed.")
    for number, step in enumerate(steps, 1):
        _show(number, step)
    for note in notes:
        say(f"not checked: {note}")


def document(
    facts: dict[str, Any],
    items: Sequence[Item],
    steps: Sequence[Step],
    notes: Sequence[str],
    today: date,
) -> dict[str, Any]:
    """Return all of it for JSON. facts: its first keys."""
    return {
        **facts,
        "items": [_entry(item, today) for item in items],
        "steps": [{"number": number, **asdict(step)} for number, step in enumerate(steps, 1)],
        "not_checked": list(notes),
    }


def _entry(item: Item, today: date) -> dict[str, Any]:
    support = item.support
    return {
        "kind": item.kind,
        "name": item.name,
        "has": item.has,
        "newest": item.newest or None,
        "state": item.state,
        "reason": item.reason,
        "end_of_standard_support": support.standard.isoformat() if support.standard else None,
        "end_of_extended_support": support.extended.isoformat() if support.extended else None,
        "days_left": item.days_left(today),
        "extended_support_usd_per_hour": item.usd_per_hour or None,
    }


def _ends(item: Item, today: date) -> str:
    if item.support.standard is None:
        return "-"
    text = f"{item.support.standard} ({item.days_left(today)} days)"
    if item.support.extended:
        text += f", extended {item.support.extended}"
    if item.usd_per_hour:
        text += f" at {item.usd_per_hour:.2f} $/h ({item.usd_per_hour * _HOURS:.0f} $ a month)"
    return text


def _show(number: int, step: Step) -> None:
    say(f"{number}. {step.title}{' - BLOCKED' if step.blocked else ''}   ({RUNBOOKS}, {step.runbook})")
    for change in step.changes:
        say(f"     {change.file}: {change.key}: {change.value}")
    for command in step.commands:
        say(f"     {command}")
    for reason in step.blocked:
        say(f"   blocked: {reason}")
    for note in step.notes:
        say(f"   {note}")
