"""Environments without topics, and updates without checkpoints, as the end-to-end tests deploy them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import engine_settings, environment_files
from stacks.loading import load_file
from tests.end_to_end import reduced


@pytest.mark.parametrize("topic", ["queues", "model_registry"])
def test_an_environment_is_valid_without_a_topic_of_its_file_or_of_a_shared_one(
    tmp_path: Path, topic: str
) -> None:
    assert getattr(load_file(environment_files.original_stack_file("aws-dev")), topic)
    # The budgets hold the queues.
    settings = load_file(reduced.write_without(tmp_path, "aws-dev", [topic, "cost"]))
    assert not getattr(settings, topic)
    assert settings.lakehouse is not None, "other topics stay"


def test_a_topic_that_no_file_states_is_ignored(tmp_path: Path) -> None:
    file = reduced.write_without(tmp_path, "aws-dev", ["runner"])
    assert load_file(file) == load_file(environment_files.original_stack_file("aws-dev"))


def test_only_files_of_the_folder_replace_those_of_the_repository(tmp_path: Path) -> None:
    file = reduced.write_without(tmp_path, "aws-dev", ["gpu_pools"])
    with reduced.files(tmp_path):
        assert environment_files.original_stack_file("aws-dev") == file
        unchanged = environment_files.original_stack_file("aws-prod")
        assert unchanged.parent == environment_files.ROOT / "environments"
    assert environment_files.original_stack_file("aws-dev") != file


def test_an_update_saves_its_state_after_each_step_unless_a_test_does_without() -> None:
    assert engine_settings.SKIP_CHECKPOINTS not in engine_settings.variables(["up"])
    with reduced.without_checkpoints():
        assert engine_settings.variables(["up"])[engine_settings.SKIP_CHECKPOINTS] == "true"
    assert engine_settings.SKIP_CHECKPOINTS not in engine_settings.variables(["up"])
