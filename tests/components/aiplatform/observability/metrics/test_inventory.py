"""Each metric of the inventory exists by a setting of the program, and rules name no others."""

import json
from collections.abc import Mapping
from typing import Any

import promql_parser
import pytest

from aiplatform.addons.values import VALUES, dcgm_exporter
from aiplatform.addons.values.setup import Setup as AddonSetup
from aiplatform.observability import metrics, rules
from aiplatform.observability.logs import configuration as logs
from aiplatform.observability.metrics import Exporter, Metric, expressions
from aiplatform.observability.monitors import COSTS, FEATURES, REGISTRY, TARGETS
from aiplatform.observability.rule_types import Recording
from aiplatform.observability.traces import configuration as traces
from aiplatform.observability.values import custom_resources, exporters, values
from aiplatform.observability.values.setup import Setup
from tests.components.aiplatform.observability import environments

EXPORTERS = sorted(metrics.exporters().values(), key=lambda exporter: exporter.name)
OF_TARGET = {"job", "instance", "namespace", "service", "pod", "node", "metrics_path"}
STACK = "kube-prometheus-stack"
COLLECTORS = {"logs": logs.NAME, "traces": traces.NAME}
"""Condition -> the label app.kubernetes.io/name of a collector, the `jobLabel` of its PodMonitor."""
WORKLOADS = {
    "model_registry": REGISTRY,
    "feature_store": FEATURES,
    "opencost": COSTS,
    "gateway": next(target for target in TARGETS if target.name == "envoy"),
}
"""Condition -> the target of a component with metrics."""


def chart_values(chart: str) -> Mapping[str, Any]:
    if chart == STACK:
        return values(Setup(cloud="aws", cluster="acme", region="eu-central-1", workspace_url="https://aps/"))
    return VALUES[chart](AddonSetup())


def value_at(document: Any, path: str) -> Any:
    outer, _, inner = path.partition(":")
    for key in outer.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return value_at(json.loads(document), inner) if inner else document


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda exporter: exporter.name)
def test_an_exporter_is_scraped(exporter: Exporter) -> None:
    if exporter.monitor is not None:
        target = next(target for target in TARGETS if target.name == exporter.monitor)
        assert target.honor_labels == exporter.honor_labels, "labels of objects arrive under other names"
        assert exporter.target == f'job="{target.name}"'
    elif exporter.condition in WORKLOADS:
        assert exporter.target == f'job="{WORKLOADS[exporter.condition].name}"'
    elif exporter.of_workloads:
        assert exporter.target == 'job="monitoring/workloads"', "a PodMonitor without a label for the job"
    elif exporter.condition in COLLECTORS:
        assert exporter.target == f'job="{COLLECTORS[exporter.condition]}"'
    else:
        assert exporter.switch is not None or exporter.settings, "nothing says what makes it exist"
    if exporter.switch is not None:
        assert value_at(chart_values(STACK), exporter.switch) is not False, f"{exporter.switch} is off"


@pytest.mark.parametrize(
    ("exporter", "setting"),
    [
        (exporter.name, setting)
        for exporter in EXPORTERS
        for setting in sorted(
            {*exporter.settings, *(key for metric in exporter.metrics for key in metric.settings)}
        )
    ],
)
def test_a_setting_that_metrics_need_is_stated(exporter: str, setting: str) -> None:
    chart = metrics.exporters()[exporter].chart
    assert chart is not None
    assert value_at(chart_values(chart), setting), f"{chart} has no value for {setting}"


def test_the_inventory_of_dcgm_is_its_counters_file() -> None:
    counters = {name: kind for name, kind, _ in dcgm_exporter.COUNTERS}
    inventory = {metric.name: metric.type for metric in metrics.exporters()["dcgm-exporter"].metrics}
    assert inventory == counters


def test_labels_of_objects_are_exported() -> None:
    allowed = {
        (entry.partition("=")[0], f"label_{sanitized(label)}")
        for entry in exporters.LABELS
        for label in entry.partition("=")[2].strip("[]").split(",")
    }
    for metric in metrics.exporters()["kube-state-metrics"].metrics:
        kind = f"{metric.name.split('_')[1]}s"
        for label in metric.labels:
            if label.startswith("label_"):
                assert (kind, label) in allowed, f"{metric.name} has no label {label}"


def test_kinds_of_kube_state_metrics_are_collected() -> None:
    for metric in metrics.exporters()["kube-state-metrics"].metrics:
        if not metric.name.startswith("kube_customresource_"):
            assert f"{metric.name.split('_')[1]}s" in exporters.COLLECTORS, metric.name


def test_metrics_of_custom_resources_are_configured() -> None:
    resources = custom_resources.configuration()["spec"]["resources"]
    configured = {
        f"kube_customresource_{metric['name']}": set(resource["labelsFromPath"])
        | set(metric["each"]["gauge"].get("labelsFromPath", ()))
        for resource in resources
        for metric in resource["metrics"]
    }
    for metric in metrics.exporters()["kube-state-metrics"].metrics:
        if metric.name.startswith("kube_customresource_"):
            assert set(metric.labels) <= configured[metric.name], metric.name


def test_a_metric_has_one_exporter() -> None:
    names = [metric.name for exporter in EXPORTERS for metric in exporter.metrics]
    assert len(names) == len(set(names))


def test_only_histograms_have_buckets() -> None:
    for metric in metrics.metrics().values():
        assert bool(metric.buckets) == (metric.type == "histogram"), metric.name
        assert list(metric.buckets) == sorted(metric.buckets), metric.name
        # Beyond these Prometheus writes a bound with an exponent.
        assert all(1e-4 <= bound < 1e6 for bound in metric.buckets), metric.name


@pytest.mark.parametrize("settings", environments.ALL.values(), ids=list(environments.ALL))
def test_rules_name_only_series_that_exist_in_the_environment(settings: Any) -> None:
    known = rules.series(settings)
    for group in rules.rule_groups(settings):
        for rule in group.rules:
            assert expressions.problem(rule.expression, known) is None, rule


@pytest.mark.parametrize("addon", sorted(environments.ADDONS))
def test_rules_need_no_other_addon_than_the_one_they_are_about(addon: str) -> None:
    settings = environments.Settings(cloud="aws", cluster="acme", addons=frozenset({addon}))
    known = rules.series(settings)
    for group in rules.rule_groups(settings):
        for rule in group.rules:
            assert expressions.problem(rule.expression, known) is None, rule


def test_selectors_of_rules_use_labels_that_the_metric_has() -> None:
    recorded = {
        rule.series
        for group in rules.rule_groups(environments.COMPLETE)
        for rule in group.rules
        if isinstance(rule, Recording)
    }
    series = metrics.series_of(environments.COMPLETE)
    for group in rules.rule_groups(environments.COMPLETE):
        for rule in group.rules:
            for selector in selectors(rule.expression):
                if selector.name in recorded:
                    continue
                used = {matcher.name for matcher in selector.matchers.matchers}
                assert used <= labels(series[selector.name or ""], selector.name or ""), selector.prettify()


def labels(metric: Metric, series: str) -> set[str]:
    return {*metric.labels, *OF_TARGET, *({"le"} if series.endswith("_bucket") else ())}


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    result: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            result.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return result


def sanitized(label: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in label)
