"""Metrics of a run, pushed to a Pushgateway: a push replaces all of the group, so that no series of an
earlier version stays."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

from model_monitor.compact import Result
from model_monitor.drift import Comparison
from model_monitor.results import DRIFTED, TOO_FEW, Run

COMPARE: Final = "model-monitor"
COMPACT: Final = "model-monitor-compact"
PREFIX: Final = "ai_platform_monitor_"
_SECONDS: Final = 30


class Metrics:
    """Gauges of one group."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}

    def set(self, name: str, value: float, description: str = "", **labels: str) -> None:
        """Set a gauge."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(PREFIX + name, description, sorted(labels), registry=self._registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def push(self, address: str, job: str, team: str, model: str) -> None:
        """Replace the group of a model."""
        key = {"team": team, "model": model}
        push_to_gateway(address, job=job, registry=self._registry, grouping_key=key, timeout=_SECONDS)


def of_run(run: Run, comparison: Comparison | None, now: datetime) -> Metrics:
    """Return the metrics of a comparison."""
    metrics = Metrics()
    metrics.set("last_success_timestamp_seconds", now.timestamp(), "When the last run succeeded.")
    metrics.set("rows", run.rows, "Rows of the version in the window.")
    metrics.set("problem_rows", run.problem_rows, "Rows of the window that are not compared.")
    metrics.set(
        "info",
        1,
        "The version, its snapshot and the result.",
        version=run.version,
        snapshot="" if run.baseline_snapshot is None else str(run.baseline_snapshot),
        status=run.status,
    )
    if run.status != TOO_FEW:
        metrics.set("window_drifted", float(run.status == DRIFTED), "Whether the window has drifted.")
    drifted = set(run.drifted_columns)
    for column in run.columns:
        metrics.set("drifted", float(column in drifted), "Whether a column has drifted.", column=column)
    for score in run.scores:
        labels = {"column": score.column, "score": score.score}
        metrics.set("drift_score", score.value, "A score; ks and chisquare are p-values.", **labels)
        metrics.set("threshold", score.threshold, "The threshold of a score.", **labels)
    if comparison is not None:
        for column, share in comparison.missing.items():
            metrics.set("missing_share", share, "The share of missing values.", column=column)
        for column, share in comparison.unseen.items():
            metrics.set("unseen_share", share, "The share of values that the baseline lacks.", column=column)
    if run.quality is not None:
        metric = run.quality.metric
        metrics.set("quality", run.quality.value, "The metric of answers with labels.", metric=metric)
        metrics.set("quality_reference", run.quality.reference, "The registered metric.", metric=metric)
        metrics.set("quality_drifted", float(run.quality.drifted), "Whether it is worse.", metric=metric)
    return metrics


def of_compaction(result: Result, now: datetime) -> Metrics:
    """Return the metrics of a compaction."""
    metrics = Metrics()
    metrics.set("last_success_timestamp_seconds", now.timestamp(), "When the last run succeeded.")
    metrics.set("compacted_rows", result.rows, "Rows that the last run stored.")
    metrics.set(
        "mistyped_values", result.mistyped, "Values of another type than their column, stored as null."
    )
    metrics.set("waiting_objects", result.waiting, "Log objects whose answers may still arrive.")
    for problem, count in sorted(result.problems.items()):
        metrics.set("compact_problem_rows", count, "Rows with a problem of the last run.", problem=problem)
    return metrics
