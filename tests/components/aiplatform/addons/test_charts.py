"""Where charts come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import UPSTREAM, Location, locate, problems, rule

KUEUE, SECRETS, GATEWAY = (catalog()[name] for name in ("kueue", "external-secrets", "gateway-api"))


@pytest.mark.parametrize("source", [UPSTREAM, "/srv/charts", "charts", "oci://registry.example/team/charts"])
def test_a_source_is_upstream_a_folder_or_a_registry(source: str) -> None:
    assert rule(source) is None


@pytest.mark.parametrize("source", ["", "https://charts.example", "oci://registry.example", "oci:///charts"])
def test_another_source_is_refused(source: str) -> None:
    assert rule(source) is not None


def test_upstreams_chart_has_its_registry_or_its_repository() -> None:
    assert locate(KUEUE, UPSTREAM) == Location("oci://registry.k8s.io/kueue/charts/kueue", "0.19.2")
    assert locate(SECRETS, UPSTREAM) == Location(
        "external-secrets", "2.9.0", "https://charts.external-secrets.io"
    )
    assert locate(GATEWAY, UPSTREAM) == Location(GATEWAY.chart), "a manifest is fetched as it is"


def test_a_registry_has_each_chart_by_its_name() -> None:
    location = locate(SECRETS, "oci://registry.example/charts")
    assert location == Location("oci://registry.example/charts/external-secrets", "2.9.0")


@pytest.mark.parametrize("name", ["kueue-0.19.2", "kueue-0.19.2.tgz"])
def test_a_folder_has_a_chart_as_a_folder_or_an_archive(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert locate(KUEUE, str(tmp_path)) == Location(str(tmp_path / name))
    assert not list(problems([KUEUE], str(tmp_path), "charts"))


def test_a_mirror_that_lacks_a_chart_is_refused_with_the_name_of_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "kueue-0.19.2").mkdir()
    errors = [str(problem) for problem in problems([KUEUE, SECRETS, GATEWAY], str(tmp_path), "charts")]
    assert len(errors) == 2
    assert errors[0].endswith(
        "which lacks the chart of external-secrets; expected external-secrets-2.9.0 or "
        "external-secrets-2.9.0.tgz in it"
    )
    assert errors[1].endswith("which lacks the chart of gateway-api; expected gateway-api-v1.6.1.yaml in it")


def test_another_version_in_a_mirror_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "kueue-0.19.1").mkdir()
    assert list(problems([KUEUE], str(tmp_path), "charts"))


def test_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    errors = list(problems([KUEUE, SECRETS], str(tmp_path / "absent"), "charts"))
    assert len(errors) == 1
    assert "which is no folder" in errors[0].reason


def test_a_registry_of_charts_has_no_manifest() -> None:
    errors = list(problems([KUEUE, GATEWAY], "oci://registry.example/charts", "charts"))
    assert ["gateway-api is a manifest" in error.reason for error in errors] == [True]
