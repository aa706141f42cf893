"""The tests of a program run where a file that they read has changed since they passed on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.containers.program import Program

PASSES: Final = 0
FAILS: Final = 1

Run = Callable[[int], bool]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A file outside of the program's folder that its tests read."""
    file = tmp_path / "page.md"
    file.write_text("0.1")
    return file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of the program."""
    file = tmp_path / "prices" / "prices" / "main.py"
    file.parent.mkdir(parents=True)
    file.write_text("VALUE = 1")
    return file


@pytest.fixture
def run(tmp_path: Path, page: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Asserts that the program's tests pass, whose process ends with this status; returns whether it ran."""
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "prices" / "uv.lock").write_text("")
    program = Program("prices", private=(), parent=tmp_path, reads=(page,))
    program.environment.mkdir(parents=True)

    def assert_passing(status: int) -> bool:
        started: list[tuple[str, ...]] = []

        def process(_: Program, *words: str) -> subprocess.CompletedProcess[str]:
            started.append(words)
            return subprocess.CompletedProcess(words, status, "1 failed" if status else "1 passed", "")

        monkeypatch.setattr(Program, "run", process)
        program.assert_its_tests_pass()
        return bool(started)

    return assert_passing


def test_tests_that_passed_with_the_same_files_do_not_run_again(run: Run) -> None:
    assert run(PASSES)
    assert not run(FAILS)


def test_changed_file_of_the_program_runs_them_again(run: Run, source: Path) -> None:
    assert run(PASSES)
    source.write_text("VALUE = 2")
    assert run(PASSES)


def test_new_and_renamed_files_run_them_again(run: Run, source: Path) -> None:
    assert run(PASSES)
    (source.parent / "empty.py").touch()
    assert run(PASSES)
    source.rename(source.with_name("other.py"))
    assert run(PASSES)


def test_changed_page_that_they_read_runs_them_again(run: Run, page: Path) -> None:
    assert run(PASSES)
    page.write_text("0.2")
    assert run(PASSES)


def test_compiled_files_do_not_run_them_again(run: Run, source: Path) -> None:
    assert run(PASSES)
    compiled = source.parent / "__pycache__" / "main.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"0")
    assert not run(PASSES)


def test_failure_is_not_remembered_as_a_pass(run: Run, source: Path) -> None:
    assert run(PASSES)
    source.write_text("VALUE = 2")
    for _ in range(2):
        with pytest.raises(AssertionError, match="1 failed"):
            run(FAILS)


def test_ci_runs_them_always(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert run(PASSES)
    assert run(PASSES)
