"""How tests are distributed to workers."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import LONGEST, TOGETHER

ROOT = Path(__file__).parents[1]


def test_every_file_that_is_named_for_the_distribution_exists() -> None:
    assert not [file for file in (*LONGEST, *TOGETHER) if not (ROOT / file).is_file()]
