"""The twin's charts are those of the platform's catalog of add-ons. The twin itself does not know it."""

from __future__ import annotations

import pytest

from aiplatform.addons.catalog import catalog
from twin.toolchain.charts import sources


@pytest.mark.parametrize("name", sorted(sources()))
def test_the_twin_has_the_chart_that_the_catalog_names(name: str) -> None:
    chart, addon = sources()[name], catalog()[name]
    assert chart.file_name == addon.file_name, "or the program would not find it in the folder"
    assert chart.app_version == addon.app_version


def test_the_twin_has_a_chart_of_every_addon() -> None:
    assert set(sources()) == set(catalog())
