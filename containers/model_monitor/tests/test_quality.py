"""The quality of answers whose labels have arrived."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

from model_monitor import quality
from model_monitor.declaration import Labels
from model_monitor.errors import RefusedError


def measured(
    catalog: Any, labels: list[Any], answers: list[Any], metric: str, positive: str | None = None
) -> quality.Quality | None:
    """Return the quality of answers against labels with the same keys. The reference is 0.9."""
    ids = [f"t{number}" for number in range(len(labels))]
    table = pa.table({"trip_id": ids, "paid": labels})
    catalog.create_table("curated.paid", table.schema).append(table)
    stated = Labels(
        table="curated.paid",
        key="trip_id",
        label="paid",
        prediction="fare",
        metric=metric,  # type: ignore[arg-type]
        max_loss=0.1,
        positive=positive,
    )
    return quality.measure(stated, pa.table({"trip_id": ids, "fare": answers}), 0.9, 2)


def test_labels_and_answers_without_a_number_are_left_out(catalog: Any) -> None:
    result = measured(catalog, [1.0, math.nan, 3.0, 4.0, None], [2.0, 2.0, math.inf, 5.0, 1.0], "mae")
    assert result is not None
    assert (result.value, result.rows, result.drifted) == (1.0, 2, False)


def test_labels_of_one_class_have_no_area_under_the_curve(catalog: Any) -> None:
    assert measured(catalog, ["no"] * 4, [0.1, 0.2, 0.3, 0.4], "roc_auc", "yes") is None


def test_classes_are_compared_as_texts(catalog: Any) -> None:
    result = measured(catalog, [1, 0, 1, 1], [1.0, 0.0, 0.0, 1.0], "accuracy")
    assert result is not None
    assert (result.value, result.drifted) == (0.75, True)


def test_labels_of_another_type_are_refused(catalog: Any) -> None:
    with pytest.raises(RefusedError, match="expected numbers for this metric"):
        measured(catalog, ["one", "two"], [1.0, 2.0], "mae")
