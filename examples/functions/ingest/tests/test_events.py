"""Files of events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.events import MOST_BYTES, InvalidFileError, read

GOOD = {"event_id": "a-1", "happened_at": "2026-11-29T10:00:00+01:00", "kind": "order", "amount": 12.5}


def lines(*events: object) -> bytes:
    return "\n".join(json.dumps(event) for event in events).encode()


def test_lines_become_events_in_utc() -> None:
    [event] = read(lines(GOOD), "s3://raw/files/incoming/a.json")
    assert event.happened_at == datetime(2026, 11, 29, 9, tzinfo=UTC)
    assert event.amount == Decimal("12.50")
    assert event.source == "s3://raw/files/incoming/a.json"


def test_a_repeated_line_is_one_event() -> None:
    assert len(read(lines(GOOD, GOOD, {**GOOD, "event_id": "a-2", "amount": None}), "a")) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no event"),
        (b"\xff", "not UTF-8"),
        (b"x" * (MOST_BYTES + 1), "at most"),
        (b"{", "line 1: not JSON"),
        (b"[]", "line 1: expected an object"),
        (lines(GOOD, {**GOOD, "event_id": ""}), "line 2: event_id"),
        (lines({**GOOD, "event_id": "x'; DROP TABLE t"}), "event_id"),
        (lines({**GOOD, "extra": 1}), "unknown key 'extra'"),
        (lines({**GOOD, "happened_at": "yesterday"}), "ISO 8601"),
        (lines({**GOOD, "happened_at": "2026-11-29T10:00:00"}), "a time zone"),
        (lines({**GOOD, "happened_at": None}), "ISO 8601"),
        (lines({**GOOD, "kind": "Order"}), "kind"),
        (lines({**GOOD, "amount": "12"}), "expected a number"),
        (lines({**GOOD, "amount": True}), "expected a number"),
        (lines({**GOOD, "amount": 1.234}), "two decimals"),
        (lines({**GOOD, "amount": 1e30}), "8 digits"),
        (lines(GOOD, {**GOOD, "kind": "refund"}), "another event has the id 'a-1'"),
    ],
)
def test_an_invalid_file_has_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidFileError, match=reason):
        read(content, "a")
