"""The report of a run: what was compared, all scores, and Evidently's charts, as one HTML file without
links."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

os.environ.setdefault("DO_NOT_TRACK", "1")

from model_monitor.declaration import Column, Prediction
from model_monitor.drift import grouped
from model_monitor.results import Run

_BODY: Final = re.compile(r"<body[^>]*>")
_STYLE: Final = (
    "font: 14px sans-serif; margin: 2em; border-collapse: collapse",
    "border: 1px solid #999; padding: 4px 10px; text-align: left",
)
METHODS: Final[Mapping[str, str]] = {"number": "wasserstein", "category": "jensenshannon"}
"""The score that a chart states."""
CHARTED: Final = 20_000
"""Rows of each side that charts are made of, at most. Evidently has several copies of them in memory."""


def render(
    run: Run,
    reference: Mapping[str, pd.Series],
    current: pd.DataFrame,
    columns: Sequence[Column | Prediction],
) -> bytes:
    """Return the HTML of a run. columns: those that both sides have; no others are part of it. The charts are
    of as many rows as the shortest column of the baseline has, and of CHARTED at most: samples are in no
    order, so that their first rows are a sample, too."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import MissingValueCount, ValueDrift

    names = [column.name for column in columns]
    rows = min(CHARTED, *(len(reference[name]) for name in names))
    sides = {
        "current": current[names].iloc[:CHARTED].copy(),
        "reference": pd.DataFrame({name: reference[name].iloc[:rows] for name in names}),
    }
    for column in columns:
        if column.type == "category":
            kept = grouped(sides["reference"][column.name], sides["current"][column.name])
            sides["reference"][column.name], sides["current"][column.name] = kept
    definition = DataDefinition(
        numerical_columns=[column.name for column in columns if column.type == "number"],
        categorical_columns=[column.name for column in columns if column.type == "category"],
    )
    metrics = [
        metric
        for column in columns
        for metric in (
            ValueDrift(
                column=column.name,
                method=METHODS[column.type],
                threshold=column.limits[METHODS[column.type]],
            ),
            MissingValueCount(column=column.name),
        )
    ]
    made = Report(metrics).run(
        Dataset.from_pandas(sides["current"], definition), Dataset.from_pandas(sides["reference"], definition)
    )
    text: str = made.get_html_str(as_iframe=False)
    summary = _summary(run)
    place = _BODY.search(text)
    whole = text[: place.end()] + summary + text[place.end() :] if place else summary + text
    return whole.encode()


def _summary(run: Run) -> str:
    facts = {
        "model": f"{run.team}/{run.model}, version {run.version}",
        "result": run.status,
        "window (UTC)": f"{run.window_start:%Y-%m-%d %H:%M} to {run.window_end:%Y-%m-%d %H:%M}",
        "rows": f"{run.rows}, of which {run.sample_rows} compared (seed {run.seed})",
        "rows with problems": str(run.problem_rows),
        "baseline": f"{_baseline(run)}, {run.baseline_rows} rows compared",
    }
    if run.quality is not None:
        quality = run.quality
        facts[f"quality ({quality.metric})"] = (
            f"{quality.value:.6g} of {quality.rows} rows; registered with {quality.reference:.6g}"
            + (": worse" if quality.drifted else "")
        )
    rows = [("column", "score", "value", "threshold", "drifted")] + [
        (
            score.column,
            score.score,
            f"{score.value:.4g}",
            f"{'<' if score.below else '>='} {score.threshold:.4g}",
            "yes" if score.drifted else "",
        )
        for score in run.scores
    ]
    return _table(list(facts.items())) + _table(rows)


def _baseline(run: Run) -> str:
    if run.baseline_table is None:
        return f"the first rows of version {run.version}"
    return f"{run.baseline_table}@{run.baseline_snapshot}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    table, cell = _STYLE
    lines = (
        "<tr>" + "".join(f'<td style="{cell}">{html.escape(text)}</td>' for text in row) + "</tr>"
        for row in rows
    )
    return f'<table style="{table}">{"".join(lines)}</table>'
