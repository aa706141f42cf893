"""The program that measures requests to language models: its tests in its own environment, and its image."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.containers.program import Program

PROGRAM: Final = Program("llm_logger", private=("AWS_", "GOOGLE_", "KUBERNETES_"))


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    PROGRAM.assert_its_tests_pass()


def test_lock_is_that_of_its_declaration() -> None:
    PROGRAM.assert_locked()


def test_image_is_pinned_and_runs_without_root() -> None:
    lines = PROGRAM.assert_image()
    [entry] = [line.partition(" ")[2] for line in lines if line.startswith("ENTRYPOINT ")]
    assert json.loads(entry) == ["python", "-m", "llm_logger"]
