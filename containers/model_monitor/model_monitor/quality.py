"""The quality of answers whose labels have arrived, by scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from model_monitor import tables
from model_monitor.declaration import METRICS, Labels
from model_monitor.errors import RefusedError

_AT_ONCE: Final = 5_000
"""Keys of one filter of the table of labels."""


@dataclass(frozen=True)
class Quality:
    """reference: what the version was registered with. rows: answers with a label."""

    metric: str
    value: float
    reference: float
    rows: int
    drifted: bool


def check(labels: Labels) -> Any:
    """Return the table of labels. Raises RefusedError where it lacks a column."""
    table = tables.load(labels.table)
    tables.check(
        table,
        labels.table,
        {
            labels.key: tables.is_category,
            labels.label: lambda kind: tables.is_number(kind) or tables.is_category(kind),
        },
    )
    return table


def measure(labels: Labels, answers: pa.Table, reference: float, min_rows: int) -> Quality | None:
    """Compare answers with their labels; None where fewer than `min_rows` have one, and where labels of one
    class alone have no metric. answers: with the key and the prediction."""
    table = check(labels)
    known = _labels(
        table, labels, {key for value in answers[labels.key].to_pylist() if (key := tables.text_of(value))}
    )
    pairs = [
        (known[key], prediction)
        for value, prediction in zip(
            answers[labels.key].to_pylist(), answers[labels.prediction].to_pylist(), strict=True
        )
        if (key := tables.text_of(value)) in known and not _is_missing(prediction)
    ]
    if len(pairs) < min_rows:
        return None
    value = _metric(labels, [label for label, _ in pairs], [prediction for _, prediction in pairs])
    if value is None:
        return None
    loss = value - reference if METRICS[labels.metric] else reference - value
    return Quality(labels.metric, value, reference, len(pairs), loss > labels.max_loss)


def _labels(table: Any, labels: Labels, keys: set[str]) -> Mapping[str, Any]:
    """Return key -> label, of these keys; the last one of a key that is there twice."""
    from pyiceberg.expressions import In

    kind = table.schema().as_arrow().field(labels.key).type
    found: dict[str, Any] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        part = {tables.converted(key, kind) for key in ordered[start : start + _AT_ONCE]} - {None}
        if not part:
            continue
        for batch in tables.batches(table, [labels.key, labels.label], where=In(labels.key, part)):
            for key, label in zip(
                batch[labels.key].to_pylist(), batch[labels.label].to_pylist(), strict=True
            ):
                if not _is_missing(label):
                    found[tables.text_of(key) or ""] = label
    return found


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _metric(labels: Labels, actual: list[Any], predicted: list[Any]) -> float | None:
    """Return the metric; None where these labels have none."""
    from sklearn import metrics

    if METRICS[labels.metric]:
        measures = {
            "mae": metrics.mean_absolute_error,
            "rmse": metrics.root_mean_squared_error,
            "mape": metrics.mean_absolute_percentage_error,
        }
        return float(measures[labels.metric](_numbers(actual), _numbers(predicted)))
    texts = [tables.text_of(label) for label in actual]
    if labels.metric == "roc_auc":
        positive = [label == labels.positive for label in texts]
        if len(set(positive)) < 2:
            return None
        return float(metrics.roc_auc_score(positive, _numbers(predicted)))
    answers = [tables.text_of(value) for value in predicted]
    if labels.metric == "accuracy":
        return float(metrics.accuracy_score(texts, answers))
    measures = {"f1": metrics.f1_score, "precision": metrics.precision_score, "recall": metrics.recall_score}
    ours = ([text == labels.positive for text in side] for side in (texts, answers))
    return float(measures[labels.metric](*ours, zero_division=0))


def _numbers(values: list[Any]) -> list[float]:
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise RefusedError(f"labels: {error}; expected numbers for this metric") from error
