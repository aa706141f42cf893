"""The program that releases models: its tests in its own environment, and its image."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.containers.program import Program

PROGRAM: Final = Program("model_release", private=("AWS_", "GOOGLE_", "HF_", "MLFLOW_"))


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    PROGRAM.assert_its_tests_pass()


def test_lock_is_that_of_its_declaration() -> None:
    PROGRAM.assert_locked()


def test_client_of_the_registry_has_the_version_of_its_server() -> None:
    PROGRAM.assert_client_of_the_registry()


def test_image_is_pinned_and_runs_without_root_and_shell() -> None:
    PROGRAM.assert_image()


def test_page_names_the_tags_and_keys_that_the_program_reads() -> None:
    page = (PROGRAM.folder.parents[1] / "docs" / "models.md").read_text()
    source = (PROGRAM.folder / "model_release" / "lineage.py").read_text()
    card = (PROGRAM.folder / "model_release" / "card.py").read_text()
    tags = {f"ai-platform.{name}" for name in re.findall(r'f"\{PREFIX\}(\w+)"\n', source)}
    keys = set(re.findall(r"^    (\w+): _(?:Text|Licence)$", card, re.MULTILINE))
    assert (len(tags), len(keys)) == (5, 5)
    documented = set(re.findall(r"^\| `([\w.-]+)` \|", page, re.MULTILINE))
    assert documented == tags | keys
