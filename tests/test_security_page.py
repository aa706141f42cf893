"""The threat model of docs/security.md names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def threats() -> list[list[str]]:
    """Return the rows of the table: who, what they might try, what stops it, tests."""
    section = (
        (ROOT / "docs" / "security.md").read_text().partition("# Threat model\n")[2].partition("\n# ")[0]
    )
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def functions(path: str) -> frozenset[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_there_are_threats() -> None:
    assert len(threats()) >= 20


@pytest.mark.parametrize("row", threats(), ids=lambda row: f"{row[0]}: {row[1]}"[:60])
def test_each_threat_has_a_control_and_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row), "no cell is empty"
    tests = _TEST.findall(row[3])
    assert tests, f"no test shows that {row[2]}"
    assert _TEST.sub("", row[3]).strip(", ") == "", "the cell has tests alone"
    for path, name in tests:
        assert (ROOT / path).is_file(), path
        assert name in functions(path), f"{path} has no {name}"


def test_the_page_separates_accounts_of_the_model_registry() -> None:
    start = ROOT / "components/aiplatform/model_registry/container_files/registry_start.py"
    assert '"default_permission": "NO_PERMISSIONS"' in start.read_text(), "what the page's rows rest on"
    assert "**Model registry**: every account" not in (ROOT / "docs" / "security.md").read_text()
