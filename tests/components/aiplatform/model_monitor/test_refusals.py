"""Monitors that are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.cron import cron
from aiplatform.model_monitor import declarations
from aiplatform.model_monitor.args import ModelMonitorSettings
from aiplatform.model_monitor.schedules import longest_gap_hours
from tests.components.aiplatform.model_monitor.example import LABELS, arguments, monitor

MONITOR = "teams.search.monitors.fares"
TEAM = "teams.search"


def refused(**more: Any) -> dict[str, str]:
    with pytest.raises(ArgumentError) as caught:
        read(ModelMonitorSettings, arguments("aws", **more), "Args")
    return {problem.path.partition(".")[2]: problem.reason for problem in caught.value.problems}


def column(kind: str = "number", **more: Any) -> dict[str, Any]:
    return {"columns": [{"name": "distance", "type": kind, **more}]}


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        (column(thresholds={"psi": 0}), "columns[0].thresholds.psi", "every window would reach it"),
        (column(thresholds={"psi": 11}), "columns[0].thresholds.psi", "which no window reaches"),
        (column(thresholds={"wasserstein": 10.5}), "columns[0].thresholds.wasserstein", "less than 10"),
        (column(thresholds={"ks": 0}), "columns[0].thresholds.ks", "no p-value is below it"),
        (column(thresholds={"ks": 1}), "columns[0].thresholds.ks", "every p-value would be below it"),
        (column(thresholds={"missing": 1.2}), "columns[0].thresholds.missing", "expected less than 1"),
        (
            column("category", thresholds={"jensenshannon": 1.1}),
            "columns[0].thresholds.jensenshannon",
            "which no window reaches",
        ),
        (column("category", thresholds={"chisquare": -1}), "columns[0].thresholds.chisquare", "no p-value"),
        (column(thresholds={"unseen": 0.1}), "columns[0].thresholds.unseen", "which has no such score"),
        (column("category", thresholds={"ks": 0.1}), "columns[0].thresholds.ks", "has no such score"),
        (column(pii_consent=True), "columns[0].pii_consent", "got true of a column that is internal"),
        (column("text"), "columns[0].type", "expected"),
        (
            {"columns": [{"name": "version", "type": "category"}]},
            "columns[0].name",
            "every table of requests has",
        ),
        (
            {**column(classification="pii"), "predictions": []},
            "columns",
            "all are pii without consent",
        ),
        ({"labels": {**LABELS, "max_loss": 0}}, "labels.max_loss", "expected above 0"),
        (
            {"labels": {**LABELS, "metric": "accuracy", "max_loss": 1}},
            "labels.max_loss",
            "expected above 0, and below 1",
        ),
        ({"window_hours": 23}, "window_hours", "up to 24 hours: requests would never be compared"),
        ({"schedule": "0 2 * * 1"}, "window_hours", "up to 168 hours"),
        ({"schedule": "0 25 * * *"}, "schedule", "expected hour from 0 to 23"),
        ({"timezone": "Europe/Berln"}, "timezone", "expected a time zone of IANA"),
        ({"delay_minutes": 10}, "delay_minutes", "answers are waited for 15 minutes"),
        ({"delay_minutes": 29}, "delay_minutes", "expected at least 30"),
        ({"sample_rows": 400}, "sample_rows", "expected at least min_rows, 500"),
        ({"min_rows": 50}, "min_rows", "expected 100"),
        ({"min_drifted_columns": 4}, "min_drifted_columns", "3 are compared, so that no window is drifted"),
        ({"keys": ["zone"]}, "keys[0]", "which is columns[1].name, too"),
        ({"service": None}, "service", "missing; expected the service, or inference_services"),
        ({"inference_services": ["a"]}, "inference_services", "together with service"),
        ({"labels": {**LABELS, "prediction": "fair"}}, "labels.prediction", "did you mean 'fare'"),
        ({"labels": {**LABELS, "key": "trip"}}, "labels.key", "did you mean 'trip_id'"),
        ({"labels": {**LABELS, "metric": "f1"}}, "labels.positive", "missing; expected the label"),
        ({"labels": {**LABELS, "positive": "1"}}, "labels.positive", "expected it left out"),
        ({"labels": {**LABELS, "metric": "loss"}}, "labels.metric", "expected"),
    ],
)
def test_a_wrong_monitor_is_refused(more: dict[str, Any], path: str, reason: str) -> None:
    problems = refused(monitor=more)
    assert list(problems) == [f"{MONITOR}.{path}"], problems
    assert reason in problems[f"{MONITOR}.{path}"]


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        ({"team": {"queue": None}}, f"{MONITOR}.retrain", "the team has no queue"),
        (
            {"profile": "prod", "monitor": {"cooldown_hours": 0}},
            f"{MONITOR}.cooldown_hours",
            "in prod drift would retrain again and again",
        ),
        ({"bucket": "acme-payloads"}, "kms_key", "missing; expected the arn of the key of the bucket"),
        ({"team": {"queue": "acme-dev-search"}}, f"{TEAM}.queue", "the URL of a queue of SQS"),
        ({"image": "registry.example/model-monitor:1"}, "image", "an image with a digest"),
        ({"compact_schedule": "every hour"}, "compact_schedule", "five fields"),
        (
            {"compact_schedule": "0 * * * *"},
            f"{MONITOR}.delay_minutes",
            "up to 60 minutes for compact_schedule, '0 * * * *': the last ones of a window would never be "
            "compared; expected at least 75",
        ),
        (
            {
                "monitor": {
                    "sample_rows": 200_000,
                    "columns": [{"name": f"c{at}", "type": "number"} for at in range(59)],
                }
            },
            f"{MONITOR}.sample_rows",
            "got 200000 of 60 columns, which do not fit memory, 1Gi; expected at most 143305, or more memory",
        ),
        ({"memory": "450Mi"}, f"{MONITOR}.sample_rows", "expected at most 0, or more memory"),
        ({"pushgateway": {"url": "pushgateway:9091"}}, "pushgateway.url", "http://HOST:PORT"),
        ({"force_destroy": True, "protect": True}, "force_destroy", "together with protect"),
        ({"team": {"monitors": {"Fares": monitor()}}}, f"{TEAM}.monitors", "lower-case letters"),
    ],
)
def test_wrong_arguments_are_refused(more: dict[str, Any], path: str, reason: str) -> None:
    problems = refused(**more)
    assert path in problems, problems
    assert reason in problems[path]


def test_a_cool_down_of_zero_is_accepted_where_nothing_is_at_stake() -> None:
    more: dict[str, Any] = {"monitor": {"cooldown_hours": 0}}
    assert read(ModelMonitorSettings, arguments("aws", **more), "Args").profile == "dev"
    silent: dict[str, Any] = {"profile": "prod", "monitor": {"cooldown_hours": 0, "retrain": False}}
    assert read(ModelMonitorSettings, arguments("aws", **silent), "Args")


def test_more_memory_takes_more_columns() -> None:
    more: dict[str, Any] = {
        "memory": "2Gi",
        "monitor": {
            "sample_rows": 200_000,
            "columns": [{"name": f"c{at}", "type": "number"} for at in range(59)],
        },
    }
    assert read(ModelMonitorSettings, arguments("aws", **more), "Args").mebibytes == 2048


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("*/15 * * * *", 0.25),
        ("0 * * * *", 1),
        ("0 */6 * * *", 6),
        ("0 2,14 * * *", 12),
        ("0 0,2 * * *", 22),
        ("30 2 * * *", 24),
        ("0 2 * * 1-5", 72),
        ("0 2 * * 1", 168),
        ("0 0 1 * *", 31 * 24),
        ("0 0 31 2 *", float("inf")),
        ("0 0 1 * 1", 168),
    ],
)
def test_the_longest_time_between_two_runs(schedule: str, hours: float) -> None:
    assert cron(schedule) is None
    assert longest_gap_hours(schedule) == hours


def untrained(**more: Any) -> dict[str, Any]:
    """The monitor of a model that nothing trains."""
    columns = [{"name": "latency_ms", "type": "number"}]
    known = {**monitor(columns=columns, predictions=[], keys=[]), **more}
    known.pop("baseline_table")
    return {"team": {"monitors": {"fares": known}, "queue": None}}


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        ({"retrain": True}, "retrain", "nothing trains the model; expected false"),
        (
            {"labels": LABELS, "predictions": [{"name": "fare", "type": "number"}], "keys": ["trip_id"]},
            "labels",
            "no version has a registered metric",
        ),
        (
            {"columns": [{"name": "latency_ms", "type": "number", "baseline_column": "latency"}]},
            "columns[0].baseline_column",
            "expected it left out",
        ),
    ],
)
def test_what_needs_a_training_is_refused_without_one(more: dict[str, Any], path: str, reason: str) -> None:
    reported = refused(**untrained(**more))
    assert reason in reported[f"{MONITOR}.{path}"], reported


def test_a_model_that_nothing_trains_needs_no_queue_and_starts_no_training() -> None:
    args: Any = arguments("aws", **untrained())
    del args["teams"]["search"]["queue"]
    known = read(ModelMonitorSettings, args, "Args").teams["search"].monitors["fares"]
    stated = declarations.declaration(known)
    assert (stated["baseline_table"], stated["retrain"]) == (None, False)
    assert stated["columns"][0]["baseline_column"] is None
