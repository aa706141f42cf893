"""Variants of each component register what the committed inventories have."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiplatform._plugin import COMPONENTS
from tests.inventories import files, variants


@pytest.mark.parametrize("path", [p for p in files.paths() if p.is_relative_to(files.COMPONENTS)], ids=str)
def test_a_variant_of_a_component_registers_what_is_committed(path: Path) -> None:
    difference = files.difference(path)
    assert not difference, difference


def test_every_component_has_variants() -> None:
    entities = {component.__module__.split(".")[1] for component in COMPONENTS}
    assert set(variants.COMPONENTS) == entities, "changes of a component without variants would not be seen"


def test_no_inventory_is_left_of_a_variant_that_does_not_exist() -> None:
    assert not files.leftovers(), files.RENEW
