"""The list of what an environment states that has a version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aiplatform.addons.catalog import catalog
from stacks import image_list, upgrade_list
from stacks.loading import load_file
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.files import changed


@pytest.mark.parametrize("stack", STACKS)
def test_every_pool_and_chart_is_listed_with_its_key(stack: str) -> None:
    settings = settings_of(stack)
    nodes = {nodes.pool: nodes for nodes in upgrade_list.nodes_of(settings)}
    assert set(nodes) == {"system", *settings.node_pools, *settings.gpu_pools}
    assert {name for name, entry in nodes.items() if entry.accelerators} == set(settings.gpu_pools)
    charts = list(upgrade_list.charts_of(settings))
    assert len(charts) == len(list(image_list.charts_of(settings)))
    for chart in charts:
        assert (chart.version, chart.kubernetes) == (chart.catalog, catalog()[chart.name].kubernetes)
        assert bool(chart.key) != bool(catalog()[chart.name].installed_by)


def test_release_of_prod_is_that_of_all_nodes() -> None:
    (key,) = {nodes.key for nodes in upgrade_list.nodes_of(settings_of("gcp-prod"))}
    assert key == "node_images.gke"
    assert all(nodes.release for nodes in upgrade_list.nodes_of(settings_of("gcp-prod")))


def test_what_is_recorded_of_the_catalogs_version_is_not_stated_of_another_one(tmp_path: Path) -> None:
    assert catalog()["cert-manager"].kubernetes
    other = {"cert-manager": {"version": "v1.0.0", "allow_untested": True}}
    settings = load_file(changed(tmp_path, {"config/ai-platform:addons": {"options": other}}))
    (chart,) = [chart for chart in upgrade_list.charts_of(settings) if chart.name == "cert-manager"]
    assert (chart.version, chart.kubernetes) == ("v1.0.0", "")


def test_the_module_prints_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade_list.main(["gcp-prod"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["autoscaler"], document["addons"]) == ("1.35", [], {})


def test_a_wrong_file_is_an_error_with_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade_list.main(["absent"]) == 1
    assert "absent" in capsys.readouterr().err
