"""Hits of recommendations, and of popularity."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog

from monitoring.__main__ import main
from monitoring.quality import WAIT, measure

START = datetime(2026, 11, 16, tzinfo=UTC)
END = START + timedelta(days=1)
NOON = START + timedelta(hours=12)


def click(user: str, item: int, time: datetime) -> dict[str, Any]:
    return {"user_id": user, "item_id": item, "happened_at": time}


def shown(user: str, items: str, version: str = "1", time: datetime = NOON) -> dict[str, Any]:
    return {"user_id": user, "items": items, "version": version, "happened_at": time}


BEFORE = [click("z", 9, START - timedelta(hours=1))] * 3 + [click("z", 8, START - timedelta(hours=1))]


def test_a_hit_is_a_recommended_item_that_is_clicked_within_the_wait() -> None:
    impressions = [shown("a", "i1"), shown("b", "i1"), shown("c", "i1"), shown("d", "i1")]
    clicks = [
        *BEFORE,
        click("a", 1, NOON + timedelta(hours=1)),
        click("b", 9, NOON + timedelta(hours=1)),
        click("c", 1, NOON - timedelta(seconds=1)),
        click("c", 1, NOON + timedelta(hours=1)),
        click("d", 1, NOON + WAIT),
    ]
    [quality] = measure(impressions, clicks, START, END)
    assert quality.impressions == 2, "c knew the item before it was shown, and d was too late"
    assert (quality.hit_rate, quality.popular_rate, quality.lift) == (0.5, 0.5, 1.0)


def test_popularity_has_as_many_items_as_were_shown_and_none_of_the_window() -> None:
    clicks = [*BEFORE, click("a", 8, NOON), *[click("y", 1, NOON)] * 9]
    [one] = measure([shown("a", "i5")], clicks, START, END)
    [two] = measure([shown("a", "i5 i6")], clicks, START, END)
    assert (one.popular_rate, two.popular_rate) == (0, 1), "i9, and i9 with i8; i1 was not known before"


def test_popularity_leaves_out_what_the_user_knows_as_the_recommendations_do() -> None:
    clicks = [*BEFORE, click("a", 9, START - timedelta(hours=2)), click("a", 8, NOON)]
    [quality] = measure([shown("a", "i5")], clicks, START, END)
    assert quality.popular_rate == 1, "i9 is known, so that i8 is the most popular one"


def test_versions_are_apart_and_other_windows_do_not_count() -> None:
    impressions = [
        shown("a", "i1"),
        shown("a", "i2", "2"),
        shown("a", "i2", "2", END),
        shown("a", "i2", "2", NOON),
    ]
    qualities = measure(impressions, [*BEFORE, click("a", 1, NOON)], START, END)
    assert [(entry.version, entry.impressions, entry.hit_rate) for entry in qualities] == [
        ("2", 2, 0),
        ("1", 1, 1),
    ]


def test_nothing_shown_is_no_version() -> None:
    assert measure([], BEFORE, START, END) == []


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tables of clicks and impressions, by name."""
    from pyiceberg import catalog as module
    from pyiceberg.utils.config import Config

    monkeypatch.setenv("PYICEBERG_CATALOG__DEFAULT__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setenv("PYICEBERG_CATALOG__DEFAULT__WAREHOUSE", f"file://{tmp_path}/warehouse")
    monkeypatch.setenv("CLICKS_TABLE", "curated.clicks")
    monkeypatch.setenv("IMPRESSIONS_TABLE", "curated.impressions")
    monkeypatch.setattr(module, "_ENV_CONFIG", Config())
    catalog = load_catalog()
    catalog.create_namespace("curated")
    time = ("happened_at", pa.timestamp("us", "UTC"))
    text = pa.string()
    schemas = {
        "clicks": [("user_id", text), ("item_id", pa.int64()), time],
        "impressions": [("user_id", text), ("version", text), ("items", text), time],
    }
    return {
        name: catalog.create_table(f"curated.{name}", pa.schema(schema)) for name, schema in schemas.items()
    }


@pytest.mark.parametrize(("item", "code"), [(1, 0), (2, 1)])
def test_a_version_that_is_not_better_than_popularity_ends_with_1(
    tables: Any, capsys: pytest.CaptureFixture[str], item: int, code: int
) -> None:
    rows = {
        "clicks": [*BEFORE, *(click(f"u{number}", 1, NOON) for number in range(250))],
        "impressions": [shown(f"u{number}", f"i{item}") for number in range(250)],
    }
    for name, table in tables.items():
        table.append(pa.Table.from_pylist(rows[name], schema=table.schema().as_arrow()))
    assert main(["--end", END.isoformat()]) == code
    result = json.loads(capsys.readouterr().out)
    assert result["low"] == (["1"] if code else [])
    assert result["versions"][0]["impressions"] == 250


def test_a_time_without_a_zone_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--end", "2026-11-16T00:00:00"])
    assert "states no time zone" in capsys.readouterr().err
