"""The number of workers of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import workers

GB = 10**9


@pytest.mark.parametrize(
    ("cores", "memory", "expected"),
    [
        pytest.param(2, 8, 2, id="little memory"),
        pytest.param(2, 16, 3, id="the least machine of the devcontainer"),
        pytest.param(4, 16, 3, id="memory is the limit"),
        pytest.param(4, 64, 5, id="cores are the limit"),
        pytest.param(1, 64, 2, id="one core"),
    ],
)
def test_workers_are_one_more_than_cores_where_memory_suffices(
    cores: int, memory: int, expected: int
) -> None:
    assert workers.count(cores, memory * GB) == expected


@pytest.mark.parametrize(("text", "expected"), [("max\n", 64), (f"{8 * GB}\n", 8), (None, 64)])
def test_memory_is_that_of_the_container(tmp_path: Path, text: str | None, expected: int) -> None:
    limit = tmp_path / "memory.max"
    if text is not None:
        limit.write_text(text)
    assert workers.limited(64 * GB, limit) == expected * GB
