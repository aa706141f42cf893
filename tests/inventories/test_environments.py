"""Environments register what the committed inventories have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inventories import files


@pytest.mark.parametrize("path", [p for p in files.paths() if p.is_relative_to(files.ENVIRONMENTS)], ids=str)
def test_an_environment_registers_what_is_committed(path: Path) -> None:
    difference = files.difference(path)
    assert not difference, difference
