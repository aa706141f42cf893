"""The metrics by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training import evaluation
from training.data import Examples, split


def examples(*rows: tuple[str, str]) -> Examples:
    return Examples(
        pd.Series([row[0] for row in rows]), pd.Series([row[1] for row in rows]), np.zeros(len(rows))
    )


def test_items_of_the_history_are_neither_recommended_nor_wanted() -> None:
    scored = np.zeros((2, 30))
    scored[:, 0], scored[:, 1] = 9, 8
    result = evaluation.measure(scored, examples(("i0", "i0 i1"), ("i5", "i5")))
    assert result["recall_at_10"] == 1, "i1 is first, and the second example does not count"
    assert result["ndcg_at_10"] == 1


def test_a_lower_place_counts_less_for_ndcg_and_the_same_for_recall() -> None:
    scored = np.arange(30, 0, -1, dtype=float)[None, :]
    result = evaluation.measure(scored, examples(("", "i3 i20")))
    assert result["recall_at_10"] == 0.5
    assert result["ndcg_at_10"] == pytest.approx((1 / np.log2(5)) / (1 + 1 / np.log2(3)))


def test_an_item_that_the_model_does_not_know_is_a_miss() -> None:
    result = evaluation.measure(np.ones((1, 20)), examples(("", "i25")))
    assert result["recall_at_10"] == 0


def test_examples_of_which_none_counts_are_an_error() -> None:
    with pytest.raises(ValueError, match="no example has a next item"):
        evaluation.measure(np.ones((1, 20)), examples(("i1", "i1")))


def test_a_single_moment_cannot_be_split() -> None:
    rows = pd.DataFrame(
        {
            "user_id": ["a"],
            "moment": pd.to_datetime(["2026-11-02T00:00Z"]),
            "recent_items": ["i1"],
            "next_items": ["i2"],
        }
    )
    with pytest.raises(ValueError, match="1 moments; expected two or more"):
        split(rows)
