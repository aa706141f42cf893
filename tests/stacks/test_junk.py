"""A value that is wrong in any way, at any place of an environment's file, is refused as a problem of the
file: no other error reaches the reader."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.loading import SettingsError, load_file
from tests.stacks.files import complete
from tests.stacks.test_google_files import changed

JUNK: tuple[Any, ...] = (
    *("x", "A b", "", -1, 3, 10**9, 1.5, None, True),
    *([], ["x"], [{}], {}, {"x": 1}, {"A b": {}}),
)
Place = tuple[str | int, ...]


def _places(node: Any, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _places(value, (*path, index))


@cache
def _places_of(stack: str) -> list[Place]:
    return [
        path for path in _places(complete(stack)["config"]) if path[0] != "pulumi:disable-default-providers"
    ]


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Place, Any]:
    stack = draw(st.sampled_from(["aws-prod", "gcp-prod"]))
    return stack, draw(st.sampled_from(_places_of(stack))), draw(st.sampled_from(JUNK))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(changes())
def test_a_wrong_value_is_a_problem_of_the_file(change: tuple[str, Place, Any]) -> None:
    stack, path, value = change
    document = complete(stack)
    node: Any = document["config"]
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"Pulumi.{stack}.yaml"
        file.write_text(json.dumps(document, indent=1))
        # Some values are right at some places. Any other error than the one of files fails the test.
        with contextlib.suppress(SettingsError):
            load_file(file)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gpu_pools/training/accelerator": "h1000"}, "gpu_pools.training.accelerator: got 'h1000'"),
        ({"gpu_pools/training/count": 3}, "gpu_pools.training.count: got 3"),
        ({"cluster/version": "x"}, "cluster.version: got 'x'"),
    ],
)
def test_what_other_keys_are_derived_from_is_reported(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change, "aws-prod"))
    assert problem in str(refused.value)
