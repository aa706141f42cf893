"""Versions of a model in MLflow: what they were trained on, and the order of their inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from model_monitor.declaration import Monitor
from model_monitor.errors import RefusedError

SNAPSHOTS: Final = "ai-platform.snapshots"
_CHAMPION: Final = "champion"
_EVALUATED: Final = "ai-platform.evaluation.candidate."


class Unregistered:
    """A model that nothing registers: its versions are those of requests."""

    def champion(self) -> str:
        """Return that no version is the champion."""
        return ""

    def baseline(self, version: str, table: str) -> int:
        """Raise RefusedError: no version has a baseline."""
        raise RefusedError(f"version {version}: not registered; expected a monitor without {table}")

    def metric(self, version: str, metric: str) -> float:
        """Raise RefusedError: no version has metrics."""
        raise RefusedError(f"version {version}: not registered; expected a monitor without {metric}")

    def input_names(self, version: str) -> list[str] | None:
        """Return that requests name their inputs."""
        return None


class Registry:
    """A model of the registry. name: `TEAM.MODEL`."""

    def __init__(self, name: str) -> None:
        # MLflow takes seconds to load.
        from mlflow import MlflowClient

        self.name = name
        self._client: Any = MlflowClient()
        self._tags: dict[str, Mapping[str, str]] = {}

    def tags(self, version: str) -> Mapping[str, str]:
        """Return the tags of a version, and of its run. Raises RefusedError for an unknown version."""
        from mlflow.exceptions import MlflowException

        if version not in self._tags:
            try:
                entry = self._client.get_model_version(self.name, version)
                run = self._client.get_run(entry.run_id).data.tags if entry.run_id else {}
            except MlflowException as error:
                if error.get_http_status_code() in (400, 401, 403, 404):
                    raise RefusedError(f"version {version} of {self.name}: {error.message}") from error
                raise
            self._tags[version] = {**run, **entry.tags}
        return self._tags[version]

    def champion(self) -> str:
        """Return the version of the champion; empty where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.get_model_version_by_alias(self.name, _CHAMPION).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return ""
            raise

    def baseline(self, version: str, table: str) -> int:
        """Return the snapshot of a table that a version was trained on. Raises RefusedError without a
        baseline."""
        text = self.tags(version).get(SNAPSHOTS)
        try:
            snapshots = json.loads(text) if text else {}
            return int(snapshots[table])
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError(
                f"version {version} of {self.name}: tag {SNAPSHOTS} is {text!r}; expected the snapshot "
                f"of {table} that it was trained on: without a baseline nothing is compared"
            ) from error

    def metric(self, version: str, metric: str) -> float:
        """Return what a version was registered with. Raises RefusedError for none."""
        text = self.tags(version).get(f"{_EVALUATED}{metric}")
        try:
            return float(text or "")
        except ValueError as error:
            raise RefusedError(
                f"version {version} of {self.name}: tag {_EVALUATED}{metric} is {text!r}; expected the "
                "number that its evaluation registered"
            ) from error

    def input_names(self, version: str) -> list[str] | None:
        """Return the names of the inputs in the order of the signature; None for a signature without names,
        and for no signature."""
        from mlflow.exceptions import MlflowException
        from mlflow.models import get_model_info

        try:
            signature = get_model_info(f"models:/{self.name}/{version}").signature
        except MlflowException as error:
            # An import is no version of MLflow, and a request states whatever version.
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        if signature is None or signature.inputs is None or not signature.inputs.has_input_names():
            return None
        return [str(name) for name in signature.inputs.input_names()]


def of_monitor(monitor: Monitor, name: str) -> Registry | Unregistered:
    """Return the model of a monitor. name: `TEAM.MODEL`."""
    return Registry(name) if monitor.baseline_table is not None else Unregistered()
