"""The functions of examples/functions: their tests in their own environments, and their images."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.containers.program import Program

_FOLDER: Final = Path(__file__).parents[2] / "examples" / "functions"
PROGRAMS: Final = [
    Program(name, private=("AWS_", "GOOGLE_"), parent=_FOLDER, copied=("main.py", "src"))
    for name in ("ingest", "score")
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_tests_of_the_function_pass(program: Program) -> None:
    program.assert_its_tests_pass()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_dependencies_are_locked(program: Program) -> None:
    program.assert_locked()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_image_is_pinned_and_runs_without_root_and_shell(program: Program) -> None:
    program.assert_image()
