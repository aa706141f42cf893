"""The topic `addons`: where charts come from on a machine, and what an environment's profile needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.images import images
from stacks import arguments
from stacks.images import admitted, of_workloads
from stacks.loading import SettingsError, load_file
from stacks.settings.kubernetes import CHARTS_VARIABLE
from stacks.validation import placeholders
from tests.stacks.environments import ROOT
from tests.stacks.test_google_files import changed


def source(folder: Path, **keys: Any) -> Any:
    settings = load_file(changed(folder, {key.replace("__", "/"): value for key, value in keys.items()}))
    return arguments.addons(settings, placeholders.of(settings).cluster)["charts"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def problems(folder: Path, change: dict[str, Any], stack: str = "gcp-dev") -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(folder, change, stack))
    return list(refused.value.problems)


def test_charts_come_from_where_the_file_states(tmp_path: Path) -> None:
    assert source(tmp_path) == "upstream"
    assert source(tmp_path, addons__charts="oci://a.example/charts") == "oci://a.example/charts"


def test_a_variable_of_the_machine_replaces_the_source_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CHARTS_VARIABLE, "oci://mirror.example/charts")
    assert source(tmp_path) == "oci://mirror.example/charts"
    assert source(tmp_path, addons__charts="oci://a.example/charts") == "oci://mirror.example/charts"


def test_a_relative_folder_is_one_of_the_repository(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {}))
    assert settings.addons is not None
    local = settings.addons.model_copy(update={"charts": "charts"})
    args = arguments.addons(settings.model_copy(update={"addons": local}), placeholders.of(settings).cluster)
    assert args.get("charts") == str(ROOT / "charts"), "the engine runs the program in another folder"


def test_a_problem_of_the_variable_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHARTS_VARIABLE, "https://charts.example")
    [problem] = problems(tmp_path, {})
    assert f": {CHARTS_VARIABLE}: got 'https://charts.example'" in problem


def test_a_folder_without_the_charts_is_refused_before_anything_is_registered(tmp_path: Path) -> None:
    empty = tmp_path / "charts"
    empty.mkdir()
    reported = problems(tmp_path, {"addons/charts": str(empty)})
    assert any("addons.charts: got" in problem and "the chart of kueue" in problem for problem in reported)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"addons/options": {"kuee": {}}}, "addons.options.kuee: unknown add-on; did you mean 'kueue'?"),
        ({"addons/options": {"kueue": {"version": "0.18.0"}}}, "addons.options.kueue.version: got '0.18.0'"),
        ({"addons/replica": 2}, "addons.replica: unknown key; did you mean 'replicas'?"),
    ],
)
def test_a_wrong_key_is_refused_with_its_path(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    [reported] = problems(tmp_path, change)
    assert problem in reported


def test_a_single_replica_is_refused_in_prod(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, {"addons/replicas": 1}, "gcp-prod")
    assert "addons.replicas: got 1; expected at least 2 in prod" in problem


def test_a_cluster_that_admits_only_some_images_admits_those_of_addons(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {"addons/options": {"lws": {"enabled": False}}}))
    assert images()["kueue"].reference in admitted(settings, [])
    assert images()["lws"].reference not in of_workloads(settings).values()


def test_an_environment_without_the_topic_has_no_addons(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {}))
    assert settings.addons is not None
    without = settings.model_copy(update={"addons": None, "training": None, "observability": None})
    assert not any("add-on" in name for name in of_workloads(without))
