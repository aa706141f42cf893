"""The report of a sweep: tables for a terminal, and a document for CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cli.estimate.table import Table
from cli.output import say, table
from cli.sweep import costs
from cli.sweep.claims import Evaluated, Section
from cli.sweep.exit_codes import FAILED, LEFT, NOTHING
from cli.sweep.item import Item, short_id
from cli.sweep.removal import Removed

_HEADINGS: Final = ("kind", "resource", "recognised by", "since", "$ a month")
_TITLES: Final[Mapping[Section, str]] = {
    "left": "left",
    "retained": "kept on purpose, never removed",
    "claimed": "claimed by another environment, never removed",
    "uncertain": "without a certain sign, not removed",
}
_SHOWN_DATE: Final = 16
"""Characters of a date, up to its minutes."""


@dataclass
class Report:
    """The results of a sweep. unread: kind -> why it could not be read. removed: with --remove."""

    environment: str
    account: str
    target: str
    entries: Sequence[Evaluated]
    prices: Table
    region: str
    unread: Mapping[str, str] = field(default_factory=dict[str, str])
    in_state: int = 0
    removed: Sequence[Removed] = ()

    @property
    def remaining(self) -> list[Evaluated]:
        """Return what is left now."""
        deleted = {
            result.entry.item.id
            for result in self.removed
            if result.outcome in ("removed", "already deleted")
        }
        return [entry for entry in self.of("left") if entry.item.id not in deleted]

    @property
    def exit_code(self) -> int:
        """Return 1 where a removal failed, or where nothing is left but a kind could not be read; 2 where
        something is left; else 0."""
        if any(result.outcome == "failed" for result in self.removed):
            return FAILED
        if self.remaining:
            return LEFT
        return FAILED if self.unread else NOTHING

    def of(self, section: Section) -> list[Evaluated]:
        """Return the resources of a section."""
        return [entry for entry in self.entries if entry.section == section]

    def document(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "environment": self.environment,
            "account": self.account,
            "target": self.target,
            "exit_code": self.exit_code,
            "usd_a_month": round(costs.total(self.remaining, self.prices), 2),
            "resources": [self._entry(entry) for entry in self.entries],
            "not_read": [{"kind": kind, "reason": reason} for kind, reason in self.unread.items()],
            "removed": [
                {
                    "kind": result.entry.item.kind,
                    "id": result.entry.item.id,
                    "outcome": result.outcome,
                    "reason": result.reason,
                }
                for result in self.removed
            ],
        }

    def _entry(self, entry: Evaluated) -> dict[str, Any]:
        item = entry.item
        usd = costs.monthly(item, self.prices)
        return {
            "section": entry.section,
            "kind": item.kind,
            "id": item.id,
            "name": item.name,
            "recognised_by": entry.how,
            "since": item.since,
            "usd_a_month": usd if usd is None else round(usd, 2),
            "in_use": item.busy,
            "reason": item.reason,
            "command": item.command,
        }

    def show(self) -> None:
        """Print the sections, commands, and the sum."""
        for section, title in _TITLES.items():
            entries = self.of(section)
            if entries:
                self._show(title, entries)
        for kind, reason in self.unread.items():
            say(f"not read: {kind}: {reason}")
        self._show_sum()

    def _show(self, title: str, entries: Sequence[Evaluated]) -> None:
        rows = [
            (
                entry.item.kind,
                _escaped(_label(entry.item)),
                _escaped(entry.how),
                _date(entry.item),
                self._usd(entry),
            )
            for entry in entries
        ]
        say(f"{title}:")
        table(_HEADINGS, rows)
        for entry in entries:
            reasons = [reason for reason in (entry.item.reason, entry.item.busy) if reason]
            if reasons:
                say(f"  {entry.item.kind} {_label(entry.item)}: {'; '.join(reasons)}")
            if entry.item.command and entry.section != "claimed":
                say(f"  {entry.item.command}")
        say()

    def _show_sum(self) -> None:
        left = self.of("left")
        if self.in_state:
            say(f"{self.in_state} resources of the stack's state are left out: `destroy` deletes them")
        if not left:
            say(f"{self.environment}: nothing is left in account {self.account}, {self.region}")
            return
        sum_of = costs.total(left, self.prices)
        lacking = {costs.unknown(entry.item, self.prices) for entry in left if self._unknown(entry)}
        end = f", and what has no price: {'; '.join(sorted(lacking))}" if lacking else ""
        place = "" if self.prices.covers(self.region) else f", at prices of {self.prices.region}"
        say(f"{self.environment}: {len(left)} left, {sum_of:.2f} $ a month{place}{end}")

    def _unknown(self, entry: Evaluated) -> bool:
        return costs.monthly(entry.item, self.prices) is None

    def _usd(self, entry: Evaluated) -> str:
        usd = costs.monthly(entry.item, self.prices)
        return "?" if usd is None else f"{usd:.2f}"


def line(result: Removed) -> str:
    """Return the line of one removal."""
    item = result.entry.item
    end = f": {result.reason}" if result.reason else ""
    return f"{result.outcome}: {item.kind} {_label(item)}{end}"


def _label(item: Item) -> str:
    short = short_id(item.id)
    return f"{short} ({item.name})" if item.name and item.name not in item.id else short


def _date(item: Item) -> str:
    return item.since[:_SHOWN_DATE].replace("T", " ")


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
