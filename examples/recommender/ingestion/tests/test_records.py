"""What a line and a file have to be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion.records import CLICKS, IMPRESSIONS, MOST_BYTES, InvalidError, read
from shop.events import Shop

GOOD: dict[str, Any] = {
    "event_id": "d000-1",
    "user_id": "u1",
    "item_id": 7,
    "category": "books",
    "kind": "view",
    "price": 12.5,
    "happened_at": "2026-11-02T10:00:00+02:00",
}


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_click_is_a_row_with_its_time_in_utc_and_its_object() -> None:
    [row] = read(CLICKS, lines(GOOD), "raw/1").rows
    assert row == {**GOOD, "happened_at": datetime(2026, 11, 2, 8, tzinfo=UTC), "source": "raw/1"}


def test_all_clicks_of_the_simulated_shop_are_valid() -> None:
    content = read(CLICKS, lines(*Shop().clicks(0, 500)), "raw/1")
    assert (len(content.rows), len(content.refused)) == (500, 0)


def test_an_impression_is_a_row_with_its_items_in_order() -> None:
    shown = {
        "request_id": "r1",
        "user_id": "u1",
        "version": "3",
        "items": [9, 2],
        "happened_at": "2026-11-02T10:00:00Z",
    }
    [row] = read(IMPRESSIONS, lines(shown), "raw/1").rows
    assert row["items"] == "i9 i2"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_id": "a b"}, "event_id: got 'a b'; expected a text of the form"),
        ({"user_id": None}, "user_id: got None"),
        ({"item_id": -1}, "item_id: got -1; expected the number of an item"),
        ({"item_id": True}, "item_id: got True"),
        ({"item_id": 2**31}, "item_id"),
        ({"category": "Books!"}, "category"),
        ({"kind": "buy"}, "kind: got 'buy'; expected one of view, cart, purchase"),
        ({"price": float("nan")}, "price: got nan; expected an amount"),
        ({"price": "12"}, "price"),
        ({"happened_at": "2026-11-02T10:00:00"}, "happened_at: .* expected a time with its zone"),
        ({"happened_at": 5}, "happened_at"),
        ({"colour": "red"}, "unknown key 'colour'"),
    ],
)
def test_a_line_that_is_not_valid_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    good = [{**GOOD, "event_id": f"e{number}"} for number in range(99)]
    content = read(CLICKS, lines(*good, {**GOOD, **change}), "raw/1")
    assert len(content.rows) == 99, "the others are registered"
    [(_, stated)] = content.refused
    with pytest.raises(AssertionError, match=f"line 100: {reason}"):
        raise AssertionError(stated)


def test_a_repeated_line_is_one_row_and_another_record_with_its_id_is_refused() -> None:
    more = [{**GOOD, "event_id": f"e{number}"} for number in range(99)]
    content = read(CLICKS, lines(GOOD, GOOD, *more, {**GOOD, "item_id": 8}), "raw/1")
    assert len(content.rows) == 100
    assert "another record has the id 'd000-1'" in content.refused[0][1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\n \n", "no record"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"x" * (MOST_BYTES + 1), "expected at most"),
        (lines(GOOD, *([{}] * 9)), "9 of 10 lines are not valid, more than 5%; the first: line 2"),
    ],
)
def test_a_file_that_is_not_valid_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        read(CLICKS, content, "raw/1")
