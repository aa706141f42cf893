"""Where the charts of add-ons come from on a twin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli import charts
from twin import environment, instances
from twin.toolchain import charts as toolchain
from twin.toolchain.progress import Silent


@pytest.fixture(autouse=True)
def _without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what a test sets is removed after it.
    monkeypatch.setenv(charts.VARIABLE, "x")
    monkeypatch.delenv(charts.VARIABLE)


def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(toolchain, "ensure_charts", lambda progress: calls.append("charts"))
    charts.ensure(Silent())
    return calls


@pytest.mark.parametrize("source", ["upstream", "oci://registry.example/charts", "/srv/charts"])
def test_a_command_takes_charts_from_the_source_that_it_names(
    monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    charts.choose(source)
    assert os.environ[charts.VARIABLE] == source
    assert fetched(monkeypatch) == [], "the twin's own charts are not needed"


def test_a_relative_folder_is_one_of_the_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    charts.choose("charts")
    assert os.environ[charts.VARIABLE] == str(tmp_path / "charts")


def test_without_a_source_the_twins_own_charts_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    charts.choose(None)
    assert charts.VARIABLE not in os.environ
    assert fetched(monkeypatch) == ["charts"]


def test_the_variable_of_the_machine_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(charts.VARIABLE, "/srv/charts")
    charts.choose(None)
    assert fetched(monkeypatch) == []


def test_programs_on_a_twin_get_its_folder_of_charts_or_the_chosen_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(toolchain, "folder", lambda: tmp_path)
    twin = instances.create("charts")
    assert environment.environment(twin)[charts.VARIABLE] == str(tmp_path)
    monkeypatch.setenv(charts.VARIABLE, "upstream")
    assert environment.environment(twin)[charts.VARIABLE] == "upstream"
    monkeypatch.delenv(charts.VARIABLE)
    monkeypatch.setattr(toolchain, "folder", lambda: tmp_path / "absent")
    assert charts.VARIABLE not in environment.environment(twin), "they are not fetched yet"
