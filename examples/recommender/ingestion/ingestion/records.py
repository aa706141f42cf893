"""A file of records, JSON lines: what each line has to be, and the rows that it becomes. Without a cloud.

A line that is not valid is refused with its reason, and the others are registered. A file with more than
MOST_REFUSED of its lines refused is refused as a whole: its producer is wrong, not a line of it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

MOST_BYTES: Final = 32 * 1024**2
"""Of a file: a larger one is for a batch."""
MOST_REFUSED: Final = 0.05
KINDS: Final = ("view", "cart", "purchase")
MOST_ITEMS: Final = 100
"""Of an impression."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CATEGORY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MOST_ITEM: Final = 2**31
_MOST_PRICE: Final = 1e8

Row = dict[str, Any]


class InvalidError(Exception):
    """A line or a file that no further attempt makes valid. Its text is the reason in quarantine."""


@dataclass(frozen=True)
class Kind:
    """A kind of records. key: the column that identifies one. fields: key of a line -> what checks and
    converts it."""

    key: str
    fields: Mapping[str, Callable[[Any], Any]]

    def row(self, line: str) -> Row:
        """Return the row of a line. Raises InvalidError."""
        try:
            values = json.loads(line)
        except ValueError as error:
            raise InvalidError(f"not JSON: {error}") from error
        if not isinstance(values, dict):
            raise InvalidError("expected an object")
        unknown = sorted(values.keys() - self.fields.keys())
        if unknown:
            raise InvalidError(f"unknown key {unknown[0]!r}")
        row: Row = {}
        for name, convert in self.fields.items():
            try:
                row[name] = convert(values.get(name))
            except InvalidError as error:
                raise InvalidError(f"{name}: got {values.get(name)!r}; expected {error}") from error
        return row


def _text(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise InvalidError(f"a text of the form {pattern.pattern}")
        return value

    return convert


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise InvalidError(f"one of {', '.join(KINDS)}")
    return str(value)


def _item(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_ITEM:
        raise InvalidError("the number of an item, 0 or more")
    return value


def _price(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value < _MOST_PRICE:
        raise InvalidError("an amount of 0 or more")
    return float(value)


def _time(value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise InvalidError("a time with its zone, such as 2026-11-02T09:30:00Z")
    return parsed.astimezone(UTC)


def _items(value: Any) -> str:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_ITEMS:
        raise InvalidError(f"a list of 1 to {MOST_ITEMS} items")
    return " ".join(f"i{_item(entry)}" for entry in value)


CLICKS: Final = Kind(
    "event_id",
    {
        "event_id": _text(_ID),
        "user_id": _text(_ID),
        "item_id": _item,
        "category": _text(_CATEGORY),
        "kind": _kind,
        "price": _price,
        "happened_at": _time,
    },
)
"""What a user did with an item."""
IMPRESSIONS: Final = Kind(
    "request_id",
    {
        "request_id": _text(_ID),
        "user_id": _text(_ID),
        "version": _text(_ID),
        "items": _items,
        "happened_at": _time,
    },
)
"""What was recommended to a user, the best item first, by which version of the model."""
OF_FOLDER: Final[Mapping[str, Kind]] = {"clicks": CLICKS, "impressions": IMPRESSIONS}
"""Folder of raw, which is also the name of the table -> kind of its records."""


@dataclass(frozen=True)
class Content:
    """rows: of a file, each id once. refused: lines as they came, with their reasons."""

    rows: Sequence[Row]
    refused: Sequence[tuple[str, str]]


def read(kind: Kind, content: bytes, source: str) -> Content:
    """Return the rows of a file. source: the object, a column of each row. Raises InvalidError for a file
    that is refused as a whole."""
    if len(content) > MOST_BYTES:
        raise InvalidError(f"{len(content)} bytes; expected at most {MOST_BYTES}")
    try:
        lines = [line for line in content.decode("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InvalidError(f"byte {error.start} is not UTF-8") from error
    if not lines:
        raise InvalidError("no record")
    rows: dict[str, Row] = {}
    refused: list[tuple[str, str]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = kind.row(line)
        except InvalidError as error:
            refused.append((line, f"line {number}: {error}"))
            continue
        known = rows.setdefault(row[kind.key], row)
        if known != row:
            refused.append((line, f"line {number}: another record has the id {row[kind.key]!r}"))
    if len(refused) > MOST_REFUSED * len(lines):
        raise InvalidError(
            f"{len(refused)} of {len(lines)} lines are not valid, more than {MOST_REFUSED:.0%}; "
            f"the first: {refused[0][1]}"
        )
    return Content([{**row, "source": source} for row in rows.values()], refused)
