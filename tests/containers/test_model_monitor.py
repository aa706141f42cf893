"""The program of the Jobs that monitor models: its tests in its own environment, and its image."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.containers.program import Program

_ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = Program(
    "model_monitor",
    private=("AWS_", "GOOGLE_", "MLFLOW_", "PYICEBERG_"),
    reads=(_ROOT / "docs" / "drift-detection.md", _ROOT / "containers" / "llm_logger" / "llm_logger"),
)


@pytest.mark.timeout(900)
def test_tests_of_the_program_pass() -> None:
    PROGRAM.assert_its_tests_pass()


@pytest.mark.end_to_end
@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_page_has_the_whole_campaign() -> None:
    done = PROGRAM.run(
        "python", "-m", "pytest", "tests/test_drift.py", "-m", "campaign", MODEL_MONITOR_CAMPAIGN="1"
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert "1 passed" in done.stdout


def test_lock_is_that_of_its_declaration() -> None:
    PROGRAM.assert_locked()


def test_client_of_the_registry_has_the_version_of_its_server() -> None:
    PROGRAM.assert_client_of_the_registry()


def test_page_names_the_locked_version_of_evidently() -> None:
    declared = tomllib.loads((PROGRAM.folder / "pyproject.toml").read_text())["project"]["dependencies"]
    [version] = [entry.partition("==")[2] for entry in declared if entry.startswith("evidently==")]
    page = (PROGRAM.folder.parents[1] / "docs" / "drift-detection.md").read_text()
    assert f"Evidently {version}," in page


def test_image_is_pinned_runs_without_root_and_sends_no_usage_data() -> None:
    lines = PROGRAM.assert_image()
    [entry] = [line.partition(" ")[2] for line in lines if line.startswith("ENTRYPOINT ")]
    assert json.loads(entry) == ["python", "-m", "model_monitor"]
    assert "DO_NOT_TRACK=1" in "\n".join(lines)
