"""Where the files of a version may be."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Register
from mlflow import MlflowClient

from model_release import names
from model_release.errors import RefusedError
from model_release.registry import Registry


def _version(register: Register, model: str) -> Any:
    return MlflowClient().get_model_version(model, register(model))


def test_files_of_another_run_are_refused(name: str, register: Register) -> None:
    model = name.replace("/", ".")
    good, other = _version(register, model), _version(register, model)
    mixed = MlflowClient().create_model_version(model, other.source, good.run_id)
    with pytest.raises(RefusedError, match="which is of another run; expected files of its run"):
        Registry().version(names.model(name), str(mixed.version))


def test_folder_with_the_beginning_of_the_runs_name_is_of_another_run(name: str, register: Register) -> None:
    model = name.replace("/", ".")
    good = _version(register, model)
    place = MlflowClient().get_run(good.run_id).info.artifact_uri + "-copy/files"
    mixed = MlflowClient().create_model_version(model, place, good.run_id)
    with pytest.raises(RefusedError, match="of another run"):
        Registry().version(names.model(name), str(mixed.version))


def test_files_of_a_model_that_the_run_logged_are_accepted(name: str, register: Register) -> None:
    client, model = MlflowClient(), name.replace("/", ".")
    run, other = (_version(register, model).run_id for _ in range(2))
    experiment = client.get_run(run).info.experiment_id
    logged = client.create_logged_model(experiment, name="fares", source_run_id=run)
    place = logged.artifact_location
    mine, foreign = (client.create_model_version(model, place, stated) for stated in (run, other))
    assert Registry().version(names.model(name), str(mine.version)).run == run
    with pytest.raises(RefusedError, match="of another run"):
        Registry().version(names.model(name), str(foreign.version))


def test_files_of_the_last_of_many_models_that_the_run_logged_are_accepted(
    name: str, register: Register
) -> None:
    """As of a training that logs a model with each checkpoint: MLflow returns pages of 100."""
    client, model = MlflowClient(), name.replace("/", ".")
    run = _version(register, model).run_id
    experiment = client.get_run(run).info.experiment_id
    logged = [client.create_logged_model(experiment, name=f"step-{n}", source_run_id=run) for n in range(101)]
    for place in (logged[0].artifact_location, logged[-1].artifact_location):
        number = client.create_model_version(model, place, run).version
        assert Registry().version(names.model(name), str(number)).run == run
