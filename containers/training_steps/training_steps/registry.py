"""Runs and versions of a model in MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from training_steps.declaration import Model
from training_steps.errors import RefusedError
from training_steps.evaluation import FILE, Result

CHAMPION: Final = "champion"
_EVALUATION: Final = "ai-platform.evaluation"


@dataclass(frozen=True)
class Candidate:
    """A run, and the champion that its model is compared with. champion: a version; empty: there is none."""

    run: str
    champion: str


class Registry:
    """A model of the registry. name: `TEAM.MODEL`, which is also the name of its experiment."""

    def __init__(self, name: str) -> None:
        # MLflow takes seconds to load.
        from mlflow import MlflowClient

        self.name = name
        self._client: Any = MlflowClient()

    def candidate(self, run_name: str) -> Candidate:
        """Return the finished run of a training, and the champion. Raises RefusedError where there is no such
        run, or more than one."""
        experiment = self._client.get_experiment_by_name(self.name)
        if experiment is None:
            raise RefusedError(f"MLflow has no experiment {self.name!r}; expected the training to log in it")
        query = f"tags.`mlflow.runName` = '{run_name}' and attributes.status = 'FINISHED'"
        runs = self._client.search_runs([experiment.experiment_id], query)
        if len(runs) != 1:
            raise RefusedError(
                f"experiment {self.name}: {len(runs)} finished runs {run_name!r}; expected one: the training "
                "names it as RUN_NAME states"
            )
        return Candidate(runs[0].info.run_id, self.champion())

    def champion(self) -> str:
        """Return the version of the champion; empty where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.get_model_version_by_alias(self.name, CHAMPION).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return ""
            raise

    def report(self, run: str) -> Any:
        """Return what the evaluation reported of a run. Raises RefusedError without a report."""
        from mlflow.artifacts import load_dict
        from mlflow.exceptions import MlflowException

        try:
            return load_dict(f"runs:/{run}/{FILE}")
        except MlflowException as error:
            raise RefusedError(f"run {run}: no {FILE}, or no JSON: {error}") from error

    def register(self, run: str, tags: Mapping[str, str]) -> str:
        """Return the version of a run, with tags. It is registered unless the training or an earlier attempt
        of the step did."""
        from mlflow.exceptions import MlflowException

        known = self._client.search_model_versions(f"name = '{self.name}' and run_id = '{run}'")
        if known:
            version = str(max(int(entry.version) for entry in known))
        else:
            try:
                self._client.create_registered_model(self.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            created = self._client.create_model_version(self.name, self._location(run), run, tags=dict(tags))
            version = str(created.version)
        for key, value in tags.items():
            self._client.set_model_version_tag(self.name, version, key, value)
        return version

    def _location(self, run: str) -> str:
        """Return where the model of a run is: the one that it logged. Raises RefusedError for none."""
        outputs = getattr(self._client.get_run(run), "outputs", None)
        logged = [output.model_id for output in getattr(outputs, "model_outputs", None) or ()]
        if len(logged) > 1:
            raise RefusedError(f"run {run}: it logged {len(logged)} models; expected one")
        if logged:
            return f"models:/{logged[0]}"
        if not any(entry.path == "model" for entry in self._client.list_artifacts(run)):
            raise RefusedError(f"run {run}: it logged no model; expected one with the name `model`")
        return f"runs:/{run}/model"


def tags(
    model: Model, snapshots: Mapping[str, int], views: Mapping[str, str], champion: str, result: Result
) -> dict[str, str]:
    """Return the tags of a version: what it was made of, which a release needs, and how it compares."""
    compared = {f"candidate.{name}": value for name, value in result.candidate.items()}
    compared |= {f"champion.{name}": value for name, value in (result.champion or {}).items()}
    return {
        "ai-platform.snapshots": json.dumps(dict(snapshots)),
        "ai-platform.feature_views": json.dumps(dict(views)),
        "ai-platform.code_commit": model.training.code_commit,
        "ai-platform.image": model.training.image,
        "ai-platform.evaluation_set": f"{model.table}@{snapshots[model.table]}",
        **{f"{_EVALUATION}.{name}": f"{value:.12g}" for name, value in compared.items()},
        f"{_EVALUATION}.champion_version": champion or "-",
        f"{_EVALUATION}.result": "better" if result.is_better else "; ".join(result.reasons),
    }
