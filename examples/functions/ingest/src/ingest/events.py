"""A file of events: what it has to be, and the rows that it becomes. Without a cloud and without packages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_BYTES = 4 * 1024**2
"""Of a file: larger ones are for a batch."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MOST_AMOUNT = Decimal(10) ** 8


class InvalidFileError(Exception):
    """A file that no further attempt makes valid. Its text is the reason in quarantine."""


@dataclass(frozen=True)
class Event:
    """A row of the table. happened_at: in UTC. source: the object that it came in."""

    event_id: str
    happened_at: datetime
    kind: str
    amount: Decimal | None
    source: str


def read(content: bytes, source: str) -> list[Event]:
    """Return the events of a file of JSON lines, each id once. Raises InvalidFileError with the first
    problem: a file is registered as a whole, or not."""
    if len(content) > MOST_BYTES:
        raise InvalidFileError(f"{len(content)} bytes; expected at most {MOST_BYTES}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidFileError(f"byte {error.start} is not UTF-8") from error
    events: dict[str, Event] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            event = _event(line, f"line {number}", source)
            if events.setdefault(event.event_id, event) != event:
                raise InvalidFileError(f"line {number}: another event has the id {event.event_id!r}")
    if not events:
        raise InvalidFileError("no event")
    return list(events.values())


def _event(line: str, where: str, source: str) -> Event:
    try:
        fields = json.loads(line, parse_float=Decimal)
    except ValueError as error:
        raise InvalidFileError(f"{where}: not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidFileError(f"{where}: expected an object")
    unknown = sorted(fields.keys() - {"event_id", "happened_at", "kind", "amount"})
    if unknown:
        raise InvalidFileError(f"{where}: unknown key {unknown[0]!r}")
    return Event(
        event_id=_text(fields, "event_id", _ID, where),
        happened_at=_time(fields.get("happened_at"), where),
        kind=_text(fields, "kind", _KIND, where),
        amount=_amount(fields.get("amount"), where),
        source=source,
    )


def _text(fields: dict[str, Any], key: str, pattern: re.Pattern[str], where: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidFileError(f"{where}: {key}: got {value!r}; expected {pattern.pattern}")
    return value


def _time(value: Any, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidFileError(f"{where}: happened_at: got {value!r}; expected a time of ISO 8601") from error
    if time.tzinfo is None:
        raise InvalidFileError(f"{where}: happened_at: got {value!r}; expected a time zone, `+00:00` or `Z`")
    return time.astimezone(UTC)


def _amount(value: Any, where: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidFileError(f"{where}: amount: got {value!r}; expected a number")
    try:
        amount = Decimal(value).quantize(Decimal("0.01"))
    except InvalidOperation:
        amount = _MOST_AMOUNT
    if abs(amount) >= _MOST_AMOUNT or amount != value:
        raise InvalidFileError(f"{where}: amount: got {value}; expected at most 8 digits and two decimals")
    return amount
