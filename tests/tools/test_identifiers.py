"""Identifiers that do not name the thing are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import identifiers


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("found = 1", [(1, "found")]),
        ("x = 1\nfor each in (): pass", [(2, "each")]),
        ("def _made(given, *asked, kept=1, **told): pass", ["_made", "given", "asked", "kept", "told"]),
        ("class own: pass", [(1, "own")]),
        ("[each for each in ()]", [(1, "each")]),
        ("if found := 1: pass", [(1, "found")]),
        ("with x() as held: pass", [(1, "held")]),
        ("resource = x.found(each)", []),
        ("foundation = made_by = 1", []),
    ],
)
def test_variable_argument_function_and_class_are_refused_and_uses_are_not(
    source: str, expected: list[tuple[int, str]] | list[str]
) -> None:
    names = set(identifiers.replaced_identifiers(source))
    assert names == {(1, item) if isinstance(item, str) else item for item in expected}


def _tree(tmp_path: Path) -> Path:
    for folder in ("stacks/settings", "tests/stacks/settings"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "stacks" / "settings" / "network.py").write_text("found = 1\ntold = 2\n")
    return tmp_path


def test_folder_above_its_limit_is_reported_with_each_place(tmp_path: Path) -> None:
    lines = list(identifiers.problems(_tree(tmp_path), {"stacks": 1}))
    assert lines == [
        "stacks/settings/network.py:1: found",
        "stacks/settings/network.py:2: told",
        "stacks: 2 identifiers that do not name the thing; expected at most 1",
    ]


def test_folder_within_its_limit_is_not_reported(tmp_path: Path) -> None:
    assert not list(identifiers.problems(_tree(tmp_path), {"stacks": 2}))


def test_folder_without_a_limit_must_be_clean(tmp_path: Path) -> None:
    assert list(identifiers.problems(_tree(tmp_path), {"tests/stacks": 9}))


def test_tests_have_a_limit_for_each_folder(tmp_path: Path) -> None:
    (_tree(tmp_path) / "tests" / "stacks" / "settings" / "test_network.py").write_text("each = 1\n")
    lines = list(identifiers.problems(tmp_path, {"stacks": 2}))
    assert lines[-1].startswith("tests/stacks: 1 identifiers"), (
        "the limit of stacks does not apply to its tests"
    )


def test_limits_name_folders_that_exist() -> None:
    unknown = [name for name in identifiers.LIMITS if not (identifiers.ROOT / name).exists()]
    assert not unknown, "remove a folder that was renamed or deleted"
