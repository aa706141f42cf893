"""The program of the steps of continuous training: its tests in its own environment, and its image."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.continuous_training import training
from aiplatform.continuous_training.args import ContinuousModel
from tests.components.aiplatform.continuous_training.example import on_data
from tests.components.aiplatform.continuous_training.example import training as recorded
from twin.toolchain.cache import cache_dir
from twin.toolchain.found import find_uv

_FOLDER: Final = Path(__file__).parents[2] / "containers" / "training_steps"
_PRIVATE: Final = ("AWS_", "GOOGLE_", "MLFLOW_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
_SERVER: Final = Path(__file__).parents[1] / "end_to_end" / "clients" / "mlflow" / "pyproject.toml"


def _uv(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run uv for the program, with an environment in the toolchain's cache: the checkout stays clean."""
    uv = find_uv()
    assert uv is not None, "uv is not installed: `make setup` installs it"
    lock = (_FOLDER / "uv.lock").read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"training-steps-{hashlib.sha256(lock + python.encode()).hexdigest()[:12]}"
    machine = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    of_uv = {"UV_PROJECT_ENVIRONMENT": str(cache_dir() / "clients" / name), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [uv, *arguments],
        cwd=_FOLDER,
        env={**machine, **of_uv, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    options = ("--frozen", "--quiet", "--no-python-downloads", "--group", "test", "--python", sys.executable)
    return _uv("run", *options, *words, **variables)


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    done = _run("python", "-m", "pytest", "tests")
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"


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
    done = _run("python", "-c", script, MODELS_FILE=str(file))
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    assert read["service"] == "fares"
    assert read["evaluation"]["margin"] == 0.01
    assert read["rollout"] == {"weights": "10,50,100", "max_error_rate": "0.02"}
    assert set(ContinuousModel.__dataclass_fields__) - set(read) == {"locations", "schedule"}


def test_lock_is_that_of_its_declaration() -> None:
    done = _uv("lock", "--check", "--offline")
    assert done.returncode == 0 or "offline" in done.stderr.lower(), done.stderr


def test_client_of_the_registry_has_the_version_of_its_server() -> None:
    declared = tomllib.loads((_FOLDER / "pyproject.toml").read_text())["project"]["dependencies"]
    server = tomllib.loads(_SERVER.read_text())["project"]["dependencies"]
    [client] = [entry.partition("==")[2] for entry in declared if entry.startswith("mlflow-skinny==")]
    assert f"mlflow[auth]=={client}" in server


def test_image_is_pinned_and_runs_without_root_and_shell() -> None:
    lines = (_FOLDER / "Containerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert all(re.fullmatch(r"\S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}", base) for base in bases), bases
    assert len(set(bases)) == 1, "packages are installed for the Python that runs them"
    assert [line for line in lines if line.startswith("USER ")] == [f"USER {training.USER}:{training.USER}"]
    [entry] = [line.partition(" ")[2] for line in lines if line.startswith("ENTRYPOINT ")]
    assert json.loads(entry) == list(training.PROGRAM), "which workflows state"
    for line in lines:
        if line.startswith(("RUN ", "ENTRYPOINT ", "CMD ")):
            assert line.partition(" ")[2].startswith("["), f"{line}: runs by a shell"
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line}
    assert copied == {"pyproject.toml", "training_steps"}, "no tests in the image"
