"""The program that controls costs: its tests in its own environment, and its image."""

from __future__ import annotations

from typing import Final

import pytest

from tests.containers.program import Program

PROGRAM: Final = Program("cost_control", private=("KUBE", "AWS_", "GOOGLE_"))


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    PROGRAM.assert_its_tests_pass()


def test_lock_is_that_of_its_declaration() -> None:
    PROGRAM.assert_locked()


def test_image_is_pinned_and_runs_without_root_and_shell() -> None:
    PROGRAM.assert_image()
