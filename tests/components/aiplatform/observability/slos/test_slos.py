"""Objectives: what is refused, and the rules that follow from one."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aiplatform.observability import rules
from aiplatform.observability.metrics.expressions import metric_names
from aiplatform.observability.rule_types import Alert, Recording, RuleGroup
from aiplatform.observability.settings import Settings, Slo
from aiplatform.observability.slos import burn_rates, indicators
from aiplatform.observability.slos.indicators import INDICATORS
from tests.components.aiplatform.observability import environments
from tests.components.aiplatform.observability.rules import promtool

WAIT = Slo("wait", "queue_wait", 95, "ml", latency_seconds=640)
API = Slo("api", "api_availability", 99.9, "platform")


def problems(*slos: Slo, settings: Settings = environments.COMPLETE) -> list[str]:
    stated = dataclasses.replace(settings, slos=slos)
    return [f"{problem.path}: {problem.reason}" for problem in rules.problems(stated)]


def changed(slo: Slo, **values: Any) -> Slo:
    return dataclasses.replace(slo, **values)


def test_objectives_of_each_indicator_are_accepted() -> None:
    assert {slo.indicator for slo in environments.SLOS} == set(INDICATORS), "an indicator is not tried"
    assert problems(*environments.SLOS) == []


@pytest.mark.parametrize("percent", [100, 100.5, 0, -1])
def test_an_objective_without_an_error_budget_is_refused(percent: float) -> None:
    (problem,) = problems(changed(API, objective_percent=percent))
    assert problem == (
        f"slos[0].objective_percent: got {percent:g}; expected more than 0 and less than 100: the rest is "
        "the error budget"
    )


@pytest.mark.parametrize("days", [1, 2])
def test_a_window_shorter_than_the_longest_burn_rate_window_is_refused(days: int) -> None:
    (problem,) = problems(changed(API, window_days=days))
    assert problem == (
        f"slos[0].window_days: got {days}; expected at least 3, the longest window of its alerts"
    )
    assert problems(changed(API, window_days=3)) == []


@pytest.mark.parametrize(
    ("seconds", "nearest"),
    [(600, "320 or 640"), (0.5, "1"), (50_000, "40960"), (2, "1 or 2.5"), (1279.9, "640 or 1280")],
)
def test_a_latency_that_is_no_bound_of_a_bucket_is_refused_with_the_nearest(
    seconds: float, nearest: str
) -> None:
    (problem,) = problems(changed(WAIT, latency_seconds=seconds))
    assert problem.startswith("slos[0].latency_seconds: got ")
    assert problem.endswith(
        f"which is no bound of a bucket of kueue_admission_wait_time_seconds; expected {nearest}"
    )


def test_a_bound_that_the_scrape_drops_is_refused() -> None:
    (problem,) = problems(Slo("latency", "api_latency", 99, "platform", latency_seconds=0.4))
    assert "expected 0.1 or 1" in problem, "the series of the bound 0.4 does not reach Prometheus"


def test_a_latency_is_required_where_it_is_measured_and_refused_elsewhere() -> None:
    (missing,) = problems(changed(WAIT, latency_seconds=None))
    assert missing.startswith("slos[0].latency_seconds: missing; expected one of 1, 2.5, 5,")
    (unused,) = problems(changed(API, latency_seconds=1.0))
    assert unused.startswith("slos[0].latency_seconds: unused: 'api_availability' measures no latency")


def test_an_unknown_indicator_is_refused_with_the_nearest() -> None:
    (problem,) = problems(changed(API, indicator="api_availabilty"))
    assert problem.startswith("slos[0].indicator: unknown indicator 'api_availabilty'; expected one of ")
    assert problem.endswith("; did you mean 'api_availability'?")


def test_an_indicator_of_an_addon_that_is_not_installed_is_refused() -> None:
    (problem,) = problems(WAIT, settings=environments.SMALL)
    assert problem == (
        "slos[0].indicator: 'queue_wait' needs metrics of kueue, which this environment does not have"
    )


def test_an_unknown_label_is_refused_with_the_nearest() -> None:
    (problem,) = problems(changed(WAIT, labels={"clusterqueue": "a"}))
    assert problem.startswith("slos[0].labels.clusterqueue: unknown label; expected one of ")
    assert problem.endswith("; did you mean 'cluster_queue'?")


def test_a_name_that_is_used_twice_is_refused() -> None:
    refused = problems(API, WAIT, changed(API, objective_percent=99))
    expected = "'api' is used twice; expected distinct names"
    assert refused == [f"slos[{index}].name: {expected}" for index in (0, 2)]


def test_burn_rates_are_those_of_the_workbook_for_thirty_days() -> None:
    rates = [round(burn_rates.burn_rate(tier, 30), 10) for tier in burn_rates.TIERS]
    assert rates == [14.4, 6, 3, 1]


def test_no_alert_fires_while_the_budget_lasts() -> None:
    for days in (3, 7, 30, 90):
        assert all(burn_rates.burn_rate(tier, days) >= 1 for tier in burn_rates.TIERS)


@pytest.mark.parametrize("days", [3, 30, 90])
@pytest.mark.parametrize("percent", [10, 50, 60, 90, 99.99])
def test_an_alert_that_could_never_fire_is_left_out(percent: float, days: int) -> None:
    slo = changed(API, objective_percent=percent, window_days=days)
    alerts = [rule for rule in burn_rates.rules(slo) if isinstance(rule, Alert)]
    assert alerts, "no error budget can be spent unnoticed"
    for alert in alerts:
        thresholds = [float(number) for number in re.findall(r" > ([\d.]+)", alert.expression)]
        assert len(thresholds) == 2
        assert all(0 < threshold < 1 for threshold in thresholds), "a ratio of errors cannot exceed it"


def test_each_series_of_an_objective_has_its_name_and_owner() -> None:
    recorded = [rule for rule in burn_rates.rules(WAIT) if isinstance(rule, Recording)]
    assert all(rule.labels == {"slo": "wait", "owner": "ml"} for rule in recorded)


def test_a_bound_is_written_as_prometheus_stores_it() -> None:
    assert 'le="640.0"' in indicators.bad_events(WAIT)
    assert 'le="2.5"' in indicators.bad_events(changed(WAIT, latency_seconds=2.5))


def test_a_label_with_quotes_stays_one_value() -> None:
    expression = indicators.all_events(changed(API, labels={"resource": 'a"} or up{b="'}))
    assert metric_names(expression) == {"apiserver_request_total"}


def test_the_error_budget_is_weighted_by_events(tmp_path: Path) -> None:
    tool = promtool.find()
    group = RuleGroup("slo-api", tuple(burn_rates.rules(changed(API, objective_percent=99))), "")
    rules_path = promtool.rules_file([group], tmp_path / "rules.json")
    # 1 % of 100 requests a minute for half an hour, then 1000 a minute without errors.
    document = {
        "rule_files": [rules_path.name],
        "fuzzy_compare": True,
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'apiserver_request_total{code="200"}', "values": "0+99x30 2970+1000x60"},
                    {"series": 'apiserver_request_total{code="500"}', "values": "0+1x30 30x60"},
                ],
                "promql_expr_test": [
                    {
                        "expr": "slo:objective:ratio",
                        "eval_time": "5m",
                        "exp_samples": [
                            {"labels": 'slo:objective:ratio{slo="api", owner="platform"}', "value": 0.99}
                        ],
                    },
                    {
                        "expr": "round(slo:error_ratio:rate30m, 0.0001)",
                        "eval_time": "30m",
                        "exp_samples": [{"labels": '{slo="api", owner="platform"}', "value": 0.01}],
                    },
                    {
                        "expr": "round(slo:error_budget:remaining_ratio, 0.01)",
                        "eval_time": "30m",
                        "exp_samples": [{"labels": '{slo="api", owner="platform"}', "value": 0}],
                    },
                    {
                        "expr": "slo:error_budget:remaining_ratio > bool 0.9",
                        "eval_time": "90m",
                        "exp_samples": [{"labels": '{slo="api", owner="platform"}', "value": 1}],
                    },
                ],
            }
        ],
    }
    path = tmp_path / "tests.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    promtool.run(tool, "test", "rules", path)
