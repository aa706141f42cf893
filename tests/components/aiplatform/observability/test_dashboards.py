"""Dashboards: they parse, name metrics that exist, and stay at their addresses."""

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.observability.dashboards import dashboards
from aiplatform.observability.metrics import series_of
from aiplatform.observability.metrics.expressions import metric_names
from aiplatform.observability.rules import series
from aiplatform.observability.settings import Pool, Settings, Slo, Team
from tests.components.aiplatform.observability.rules import promtool

EVERYTHING: Final = Settings(
    cloud="aws",
    cluster="acme-dev-cluster",
    addons=frozenset({"cert-manager", "dcgm-exporter", "jobset", "karpenter", "kueue"}),
    pools=(Pool("general"), Pool("training", "nvidia.com/gpu", 8), Pool("inference", "google.com/tpu", 4)),
    cluster_queues=("training",),
    teams=(Team("search", "search-ml", "training"),),
    slos=(Slo("queue-wait", "queue_wait", 95, "ml-platform", latency_seconds=320),),
    gpu_metrics=True,
    long_term_storage=True,
    logs=True,
    traces=True,
)
NOTHING: Final = Settings(cloud="gcp", cluster="acme-dev-cluster")
_VARIABLE: Final = re.compile(r"label_values\((.*), (\w+)\)")


def parsed(settings: Settings) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in dashboards(settings).items()}


def panels(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name of the dashboard and panel, without rows."""
    for name, board in parsed(settings).items():
        yield from ((name, panel) for panel in board["panels"] if panel["type"] != "row")


def queries(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield where it is, and each expression of panels and variables."""
    for name, panel in panels(settings):
        for target in panel["targets"]:
            yield f"{name}: {panel['title']}", target["expr"]
    for name, board in parsed(settings).items():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                match = _VARIABLE.fullmatch(variable["query"])
                assert match, variable["query"]
                yield f"{name}: ${variable['name']}", match.group(1)


@pytest.mark.parametrize("settings", [EVERYTHING, NOTHING], ids=["everything", "nothing"])
def test_each_query_names_metrics_that_exist_in_the_environment(settings: Settings) -> None:
    known = series(settings)
    missing = {
        (place, metric)
        for place, expression in queries(settings)
        for metric in metric_names(expression) - known
    }
    assert not missing, "a panel without data looks like a system without load"


@pytest.mark.parametrize(
    "feature", ["addons", "gpu_metrics", "logs", "long_term_storage", "pools", "slos", "traces"]
)
def test_each_query_names_metrics_that_exist_without_one_feature(feature: str) -> None:
    without = dataclasses.replace(EVERYTHING, **{feature: type(getattr(EVERYTHING, feature))()})
    if feature == "addons":
        without = dataclasses.replace(without, gpu_metrics=False)
    known = series(without)
    for place, expression in queries(without):
        assert metric_names(expression) <= known, place
    assert len(list(queries(without))) < len(list(queries(EVERYTHING))), "the feature has its panels"


def test_a_query_selects_labels_that_its_metric_has() -> None:
    common = {"job", "instance", "namespace", "service", "pod", "le", "slo", "owner"}
    labels = common | {label for metric in series_of(EVERYTHING).values() for label in metric.labels}
    for place, expression in queries(EVERYTHING):
        named = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
        grouped = re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expression)
        used = {*named, *(label.strip() for group in grouped for label in group.split(","))} - {""}
        assert used <= labels, f"{place}: {sorted(used - labels)}"


def test_promtool_parses_each_query(tmp_path: Path) -> None:
    tool = promtool.find()
    rules = [
        {"record": f"query:{number}", "expr": expression}
        for number, (_, expression) in enumerate(queries(EVERYTHING))
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool.run(tool, "check", "rules", file)


def test_dashboards_exist_where_their_metrics_do() -> None:
    of_platform = {"cluster", "objectives", "platform", "queues", "serving", "training"}
    assert set(parsed(EVERYTHING)) == {*of_platform, "team-search"}
    assert set(parsed(NOTHING)) == {"cluster", "platform", "serving"}


def test_uids_are_a_contract() -> None:
    uids = {name: board["uid"] for name, board in parsed(EVERYTHING).items()}
    assert uids == {name: f"ai-platform-{name}" for name in uids}, "links to a dashboard contain its uid"
    assert all("id" not in board for board in parsed(EVERYTHING).values()), "Grafana gives ids"


def test_panels_of_a_dashboard_have_different_ids_and_places() -> None:
    for name, board in parsed(EVERYTHING).items():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids), name
        cells: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            columns = range(place["x"], place["x"] + place["w"])
            taken = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
            assert max(columns) < 24, f"{name}: {panel['title']} leaves the grid"
            assert not cells & taken, f"{name}: {panel['title']} covers another panel"
            cells |= taken


def test_every_panel_is_titled_described_and_has_a_query() -> None:
    for name, panel in panels(EVERYTHING):
        assert panel["title"], name
        assert len(panel["description"]) > 8, f"{name}: {panel['title']}"
        assert panel["targets"], f"{name}: {panel['title']}"
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references), f"{name}: {panel['title']}"


def test_the_data_source_is_a_variable_everywhere() -> None:
    for name, board in parsed(EVERYTHING).items():
        first, *others = board["templating"]["list"]
        assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus"), (
            name
        )
        assert all(variable["datasource"]["uid"] == "${datasource}" for variable in others), name
    for name, panel in panels(EVERYTHING):
        sources = {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])}
        assert sources == {"${datasource}"}, f"{name}: {panel['title']}"


def test_every_variable_of_a_query_is_one_of_its_dashboard() -> None:
    for name, board in parsed(EVERYTHING).items():
        variables = {variable["name"] for variable in board["templating"]["list"]}
        used = {
            variable
            for panel in board["panels"]
            for target in panel.get("targets", [])
            for variable in re.findall(r"\$(\w+)", target["expr"])
        }
        assert used <= variables, f"{name}: {sorted(used - variables)}"
        assert variables - used <= {"datasource"}, f"{name}: a variable that changes nothing"


def test_shares_are_shown_as_percents_and_end_at_one() -> None:
    for name, panel in panels(EVERYTHING):
        unit = panel["fieldConfig"]["defaults"].get("unit")
        percent = any(
            "GPU_UTIL" in target["expr"] and "/ 100" not in target["expr"] for target in panel["targets"]
        )
        if unit == "percentunit":
            assert not percent, f"{name}: {panel['title']}: DCGM's percents are 0 to 100"


def test_gauges_of_kueue_are_not_summed_over_replicas() -> None:
    for place, expression in queries(EVERYTHING):
        if re.search(r"kueue_(pending|admitted_active|cluster_queue_(resource|nominal))", expression):
            assert "instance" in expression, f"{place}: each replica serves the value"


def test_the_same_settings_give_the_same_text() -> None:
    assert dashboards(EVERYTHING) == dashboards(dataclasses.replace(EVERYTHING))
    assert all(len(text) < 500_000 for text in dashboards(EVERYTHING).values()), "a ConfigMap has 1 MiB"


def test_accelerators_have_the_names_that_kube_state_metrics_gives_them() -> None:
    expressions = " ".join(expression for place, expression in queries(EVERYTHING) if "cluster" in place)
    assert 'resource=~"google_com_tpu|nvidia_com_gpu"' in expressions


def test_grafanas_types_are_loaded_only_for_dashboards() -> None:
    program = (
        "import sys, aiplatform.observability.dashboards; print('grafana_foundation_sdk' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
