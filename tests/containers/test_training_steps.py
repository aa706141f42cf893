"""The program of the steps of continuous training: its tests in its own environment, and its image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.continuous_training import training
from aiplatform.continuous_training.args import ContinuousModel
from tests.components.aiplatform.continuous_training.example import on_data
from tests.components.aiplatform.continuous_training.example import training as recorded
from tests.containers.program import Program

PROGRAM: Final = Program("training_steps", private=("AWS_", "GOOGLE_", "MLFLOW_"))


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    PROGRAM.assert_its_tests_pass()


def test_the_program_reads_what_the_component_writes(tmp_path: Path) -> None:
    """The ConfigMap of a team is the interface of the two."""
    configuration = recorded("aws", model=on_data("aws")).one(
        "kubernetes:core/v1:ConfigMap", "training-search-configuration"
    )
    file = tmp_path / training.MODELS_FILE
    file.write_text(configuration.inputs["data"][training.MODELS_FILE])
    script = (
        "import json; from training_steps import declaration; "
        "print(json.dumps(declaration.model('fares').model_dump()))"
    )
    done = PROGRAM.run("python", "-c", script, MODELS_FILE=str(file))
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    assert read["service"] == "fares"
    assert read["evaluation"]["margin"] == 0.01
    assert read["rollout"] == {"weights": "10,50,100", "max_error_rate": "0.02"}
    assert set(ContinuousModel.__dataclass_fields__) - set(read) == {"locations", "schedule"}


def test_lock_is_that_of_its_declaration() -> None:
    PROGRAM.assert_locked()


def test_client_of_the_registry_has_the_version_of_its_server() -> None:
    PROGRAM.assert_client_of_the_registry()


def test_image_is_pinned_and_runs_without_root_and_shell() -> None:
    lines = PROGRAM.assert_image(training.USER)
    [entry] = [line.partition(" ")[2] for line in lines if line.startswith("ENTRYPOINT ")]
    assert json.loads(entry) == list(training.PROGRAM), "which workflows state"
