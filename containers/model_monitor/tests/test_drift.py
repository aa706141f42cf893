"""What is drift: the campaign of docs/drift-detection.md, and single rules."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import campaign
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from model_monitor import drift
from model_monitor.declaration import Column

PAGE: Final = Path(__file__).parents[3] / "docs" / "drift-detection.md"
SHORT: Final = ("mean of a normal number", "missing values", "a new category", "relation of two columns")


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    """The rows that models were trained on."""
    return campaign.baseline()


def test_undrifted_days_are_quiet(reference: pd.DataFrame) -> None:
    """One of each size; the page has all of them."""
    for number in range(len(campaign.QUIET_ROWS)):
        assert campaign.quiet(reference, number).reasons == [], number


@pytest.mark.parametrize("name", SHORT)
def test_kind_of_drift_is_found_as_the_page_states(reference: pd.DataFrame, name: str) -> None:
    [(number, kind)] = [(at, kind) for at, kind in enumerate(campaign.DRIFTS) if kind.name == name]
    assert campaign.line(kind, campaign.drifted(reference, number)) in PAGE.read_text().splitlines()


def test_page_states_what_is_required() -> None:
    text = PAGE.read_text()
    assert text.count("| found |") >= 18
    assert text.count("| found |") + text.count("| **missed** |") == len(campaign.DRIFTS) == 20
    alarms = [
        line
        for line in text.splitlines()
        if line.startswith(tuple(f"| {n} | 10 |" for n in campaign.QUIET_ROWS))
    ]
    assert len(alarms) == len(campaign.QUIET_ROWS)
    assert sum(int(line.split("|")[3]) for line in alarms) <= 2


@pytest.mark.campaign
@pytest.mark.skipif(not os.environ.get("MODEL_MONITOR_CAMPAIGN"), reason="minutes: MODEL_MONITOR_CAMPAIGN=1")
def test_page_has_the_whole_campaign() -> None:
    assert campaign.text() in PAGE.read_text(), "python -m tests.campaign ../../docs/drift-detection.md"


def test_columns_of_every_type_are_numbers_or_categories() -> None:
    table = pa.table(
        {
            "count": pa.array([1, None, 2**60], pa.int64()),
            "price": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(9, 2)),
            "ratio": [float("inf"), float("nan"), 0.5],
            "zone": ["north", None, "north"],
            "code": pa.array([3, None, 4], pa.int32()),
            "member": [True, None, False],
            "none": pa.nulls(3, pa.string()),
        }
    )
    numbers = {name: Column(name=name, type="number") for name in ("count", "price", "ratio")}
    categories = {name: Column(name=name, type="category") for name in ("zone", "code", "member", "none")}
    made = drift.frame(table, numbers | categories)
    assert made["count"].fillna(-1).tolist() == [1, -1, 2**60]
    assert made["price"].fillna(-1).tolist() == [1.5, -1, 2]
    assert made["ratio"].fillna(-1).tolist() == [-1, -1, 0.5]
    assert made["zone"].tolist() == ["north", None, "north"]
    assert made["code"].tolist() == ["3", None, "4"]
    assert made["member"].tolist() == ["true", None, "false"]
    assert made["none"].tolist() == [None] * 3
    assert made["none"].count() == 0
    assert list(drift.frame(table.slice(0, 0), numbers | categories).columns) == [*numbers, *categories]


def _compare(before: Any, after: Any, kind: Any = "number", **thresholds: float) -> drift.Comparison:
    column = Column(name="x", type=kind, thresholds=thresholds)
    sides = [
        pd.DataFrame({"x": pd.Series(values, dtype=object if kind == "category" else float)})
        for values in (before, after)
    ]
    known = {"x": set(sides[0]["x"].dropna())} if kind == "category" else {}
    return drift.compare(*sides, [column], known)


def test_large_sample_with_a_small_difference_has_not_drifted() -> None:
    random = np.random.default_rng(20)
    result = _compare(random.normal(0, 1, 100_000), random.normal(0.05, 1, 100_000))
    values = {score.score: score.value for score in result.scores}
    assert values["ks"] < 1e-9, "it is significant"
    assert result.drifted == []


def test_few_values_with_a_new_one_are_not_unseen() -> None:
    before = ["a", "b"] * 250
    few = _compare(before, [*["a"] * 28, "new", *[None] * 471], "category", missing=0.99)
    assert [score.score for score in few.scores] == ["missing"]
    assert few.drifted == []


def test_score_states_its_direction() -> None:
    result = _compare([1.0] * 500, [2.0] * 500)
    below = {score["score"]: score["below"] for score in (known.as_dict() for known in result.scores)}
    assert below == {"ks": True, "psi": False, "wasserstein": False, "missing": False}


def test_small_sample_with_a_difference_by_chance_has_not_drifted() -> None:
    random = np.random.default_rng(20)
    result = _compare(random.normal(0, 1, 20_000), random.normal(0.25, 1, 30))
    values = {score.score: score.value for score in result.scores}
    assert values["wasserstein"] > 0.15, "it is far"
    assert result.drifted == []


def test_threshold_of_a_column_prevails() -> None:
    random = np.random.default_rng(20)
    sides = random.normal(0, 1, 5000), random.normal(0.4, 1, 5000)
    assert _compare(*sides).drifted == ["x"]
    assert _compare(*sides, wasserstein=0.5, psi=0.5).drifted == []


def test_constant_and_missing_columns_are_compared() -> None:
    assert _compare([1.0] * 500, [1.0] * 500).drifted == []
    assert _compare([1.0] * 500, [2.0] * 500).drifted == ["x"]
    nothing = _compare([1.0] * 500, [None] * 500)
    assert [score.score for score in nothing.scores] == ["missing"]
    assert nothing.drifted == ["x"]
    assert nothing.missing == {"x": 1.0}
    assert _compare([None, 1.0] * 250, [None, 1.0] * 250).drifted == []


def test_many_new_values_of_a_column_with_many_rare_ones_are_unseen() -> None:
    before = [f"v{number % 400}" for number in range(20_000)]
    assert _compare(before, before[:2000], "category").drifted == []
    result = _compare(before, [*before[:1900], *(["new"] * 100)], "category")
    assert result.unseen == {"x": 0.05}
    assert [score.score for score in result.scores if score.drifted] == ["unseen"]
