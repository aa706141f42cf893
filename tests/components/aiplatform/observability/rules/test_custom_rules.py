"""Alerts of an environment that are refused before anything is registered."""

import dataclasses

import pytest

from aiplatform.observability import rules
from aiplatform.observability.settings import CustomRule, Settings
from tests.components.aiplatform.observability import environments

RULE = CustomRule("QueueIsFull", "kueue_pending_workloads > 100", "full")


def problems(*custom: CustomRule, settings: Settings = environments.COMPLETE) -> list[str]:
    stated = dataclasses.replace(settings, custom_rules=custom)
    return [f"{problem.path}: {problem.reason}" for problem in rules.problems(stated)]


@pytest.mark.parametrize(
    "expression",
    [
        "kueue_pending_workloads > 100",
        "histogram_quantile(0.5, sum by (le) (rate(kueue_admission_wait_time_seconds_bucket[1h]))) > 60",
        "node:gpus_free:sum == 0",
        'slo:error_budget:remaining_ratio{slo="api"} < 0.1',
        'count(ALERTS{alertstate="firing"}) > 20',
    ],
)
def test_an_alert_on_series_that_exist_is_accepted(expression: str) -> None:
    assert problems(dataclasses.replace(RULE, expression=expression), settings=environments.COMPLETE) == []


def test_an_expression_that_does_not_parse_is_refused() -> None:
    (problem,) = problems(dataclasses.replace(RULE, expression="sum(kueue_pending_workloads"))
    assert problem == (
        "rules[0].expression: does not parse: unclosed left parenthesis; expected a PromQL expression"
    )


def test_texts_that_prometheus_would_refuse_are_refused() -> None:
    rule = dataclasses.replace(
        RULE, summary="{{ $value | humanise }}", runbook_url="https://a.com/{{ $labels.x"
    )
    assert problems(rule) == [
        "rules[0].summary: does not parse: unknown function humanise; did you mean 'humanize'?; expected a "
        "template of Prometheus as in {{ $labels.namespace }}",
        "rules[0].runbook_url: does not parse: unclosed action '{{ $labels.x'; expected a template of "
        "Prometheus as in {{ $labels.namespace }}",
    ]


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    (problem,) = problems(dataclasses.replace(RULE, expression="kueue_pending_workload > 1"))
    assert problem == (
        "rules[0].expression: unknown metric 'kueue_pending_workload'; "
        "did you mean 'kueue_pending_workloads'?"
    )


def test_a_metric_of_an_addon_that_is_not_installed_is_refused() -> None:
    (problem,) = problems(RULE, settings=environments.SMALL)
    assert problem.startswith("rules[0].expression: unknown metric 'kueue_pending_workloads'")


def test_a_name_that_is_used_twice_is_refused() -> None:
    other = dataclasses.replace(RULE, alert="Other")
    assert problems(RULE, other, RULE) == [
        f"rules[{index}].alert: 'QueueIsFull' is used twice; expected distinct names" for index in (0, 2)
    ]


@pytest.mark.parametrize(
    "name", ["Watchdog", "KarpenterPoolAtLimit", "SloErrorBudgetBurn", "RemoteWriteBehind"]
)
def test_a_name_of_the_platform_is_refused_also_where_that_alert_does_not_exist_yet(name: str) -> None:
    rule = CustomRule(name, "up == 0", "down")
    assert problems(rule, settings=environments.SMALL) == [
        f"rules[0].alert: '{name}' is an alert of the platform; expected another name"
    ]


def test_an_invalid_objective_does_not_hide_an_invalid_alert() -> None:
    settings = dataclasses.replace(
        environments.COMPLETE,
        slos=(environments.Slo("a", "unknown", 99, "ml"),),
        custom_rules=(dataclasses.replace(RULE, expression="sum("),),
    )
    assert [problem.path for problem in rules.problems(settings)] == [
        "slos[0].indicator",
        "rules[0].expression",
    ]
