"""Expressions that do not parse, or that name unknown metrics, are refused."""

import pytest

from aiplatform.observability.metrics import expressions

KNOWN = ("up", "kueue_pending_workloads", "DCGM_FI_DEV_GPU_UTIL")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up == 0", {"up"}),
        ('sum by (job) (rate(a_total{b="c"}[5m])) / on (job) b:c:sum > 0.1', {"a_total", "b:c:sum"}),
        ('{__name__="up", job="kubelet"}', {"up"}),
        ('{"up"}', {"up"}),
        ("max_over_time((a - b)[1h:5m]) unless c offset 5m", {"a", "b", "c"}),
        ("vector(1)", set()),
        ('absent(up{job="kueue"})', {"up"}),
        ("vllm:num_requests_waiting > 0", {"vllm:num_requests_waiting"}),
    ],
)
def test_the_metrics_of_an_expression_are_those_of_its_selectors(expression: str, names: set[str]) -> None:
    assert expressions.metric_names(expression) == names


@pytest.mark.parametrize(
    "expression",
    ["up ==", "sum(up", "rate(up)", "unknown_function(up)", 'up{job="a}', "up[5m] > 0 >", "a b", ""],
)
def test_an_expression_that_does_not_parse_is_refused(expression: str) -> None:
    problem = expressions.problem(expression, KNOWN)
    assert problem is not None
    assert problem.startswith("does not parse: ")
    assert problem.endswith("; expected a PromQL expression")


@pytest.mark.parametrize("expression", ["up[5m]", "(up[5m] offset 1m)", "rate(up[5m])[1h:1m]", '"up"'])
def test_an_expression_that_no_alert_can_evaluate_is_refused(expression: str) -> None:
    problem = expressions.problem(expression, KNOWN)
    assert problem is not None
    assert problem.endswith("is a range or a text; expected a value for each series, as by rate()")


@pytest.mark.parametrize("expression", ["rate(up[5m])", "(up)", "1", "vector(1)", "max_over_time(up[1h:5m])"])
def test_an_expression_with_a_value_for_each_series_is_accepted(expression: str) -> None:
    assert expressions.problem(expression, KNOWN) is None


@pytest.mark.parametrize("expression", ['{__name__=~"kueue_.*"}', '{job="kubelet"}'])
def test_a_selector_without_the_name_of_a_metric_is_refused(expression: str) -> None:
    problem = expressions.problem(expression, KNOWN)
    assert problem is not None
    assert "names no metric" in problem


def test_an_unknown_metric_is_refused_with_the_nearest_one() -> None:
    problem = expressions.problem("kueue_pending_workload > 0", KNOWN)
    assert problem == "unknown metric 'kueue_pending_workload'; did you mean 'kueue_pending_workloads'?"


def test_a_known_metric_is_accepted() -> None:
    assert expressions.problem("avg_over_time(DCGM_FI_DEV_GPU_UTIL[1h]) < 5", KNOWN) is None
