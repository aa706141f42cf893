"""The twin's charts and controllers are those of the platform's catalog of add-ons. The twin itself does not
know it."""

from __future__ import annotations

import pytest

from aiplatform.addons.catalog import catalog
from twin.kubernetes.controllers.programs import PROGRAMS
from twin.kubernetes.pods import repository
from twin.toolchain.build import CONTROLLERS
from twin.toolchain.charts import sources
from twin.toolchain.versions import read_versions


@pytest.mark.parametrize("name", sorted(sources()))
def test_the_twin_has_the_chart_that_the_catalog_names(name: str) -> None:
    chart, addon = sources()[name], catalog()[name]
    assert chart.file_name == addon.file_name, "or the program would not find it in the folder"
    assert chart.app_version == addon.app_version


@pytest.mark.parametrize("name", sorted(CONTROLLERS))
def test_the_twin_builds_the_controller_that_the_catalog_names(name: str) -> None:
    assert f"v{getattr(read_versions(), name)}" == catalog()[name].app_version


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_twin_knows_a_controller_by_the_image_of_the_catalog(name: str) -> None:
    repositories = [repository(image.reference) for image in catalog()[name].all_images()]
    end = f"/{PROGRAMS[name].image}"
    assert any(path.endswith(end) for path in repositories), repositories
