"""Versions of models in MLflow."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from model_release import card, lineage, names
from model_release.errors import RefusedError


@dataclass(frozen=True)
class Version:
    """A version of a registered model. tags: of its run and its own, which prevail. location: of its files.
    run_location: of its run's files; None without a run."""

    model: names.Model
    number: str
    run: str | None
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    location: str
    run_location: str | None

    def __str__(self) -> str:
        return f"version {self.number} of {self.model}"

    def lineage(self) -> lineage.Lineage:
        """Return what it was made of. Raises RefusedError, which names what is missing."""
        return lineage.read(self.tags, self.run, self.metrics, str(self))

    def files(self) -> list[str]:
        """Return the paths of its files. Raises RefusedError for one that leaves the model's folder."""
        with _errors(self):
            return [names.file_path(path) for path in sorted(_walk(get_artifact_repository(self.location)))]

    def download(self, path: str, folder: Path) -> Path:
        """Copy a file into a folder, and return where it is."""
        with _errors(self):
            return Path(get_artifact_repository(self.location).download_artifacts(path, str(folder)))

    def card(self, folder: Path) -> card.Card | None:
        """Return the model card among its files, or else among those of its run; None where neither has one.

        Raises RefusedError for one that is none."""
        for place in filter(None, (self.location, self.run_location)):
            with _errors(self):
                repository = get_artifact_repository(place)
                if card.FILE not in {str(entry.path) for entry in repository.list_artifacts()}:
                    continue
                file = Path(repository.download_artifacts(card.FILE, str(folder)))
            return card.parse(file.read_bytes(), f"{self}: {card.FILE}")
        return None


def _walk(repository: Any, path: str | None = None) -> Iterator[str]:
    for entry in repository.list_artifacts(path):
        if entry.is_dir:
            yield from _walk(repository, entry.path)
        else:
            yield str(entry.path)


class Registry:
    """The model registry that MLFLOW_TRACKING_URI names, as the account of this program."""

    def __init__(self) -> None:
        self._client = MlflowClient()
        self._is_server = urllib.parse.urlparse(mlflow.get_tracking_uri()).scheme in ("http", "https")

    def version(self, model: names.Model, number: str) -> Version:
        """Return a version. Raises RefusedError for one that does not exist or has files elsewhere."""
        name = model.registered_name
        with _errors(f"version {number} of {model} ({name} in MLflow)"):
            entry = self._client.get_model_version(name, number)
            location = self._client.get_model_version_download_uri(name, number)
            tags, metrics, run_location = dict[str, str](), dict[str, float](), None
            folders = list[str]()
            if entry.run_id:
                run = self._client.get_run(entry.run_id)
                tags, metrics, run_location = run.data.tags, run.data.metrics, run.info.artifact_uri
                folders = self._folders(run)
        for place in filter(None, (location, run_location)):
            self._check(place, f"version {number} of {model}")
        # The author states both the run and the files, and MLflow compares them on local disks only.
        if entry.run_id and not any(_is_below(location, folder) for folder in folders):
            raise RefusedError(
                f"version {number} of {model}: its files are at {location}, which is of another run; "
                f"expected files of its run {entry.run_id}, whose lineage and metrics are recorded"
            )
        return Version(
            model, number, entry.run_id or None, {**tags, **entry.tags}, metrics, location, run_location
        )

    def _folders(self, run: Run) -> list[str]:
        """Return where files of a run's versions are: in the run, or in a model that it logged."""
        folders, token = [run.info.artifact_uri], None
        while True:
            # A page has 100 by default: a training may log one with each checkpoint.
            logged = self._client.search_logged_models(
                [run.info.experiment_id],
                filter_string=f"source_run_id = '{run.info.run_id}'",
                page_token=token,
            )
            folders += [model.artifact_location for model in logged]
            token = logged.token
            if not token:
                return folders

    def _check(self, location: str, name: str) -> None:
        """Raise RefusedError for files that are not in the registry's bucket. The author of a version states
        where they are: `file:///` would be a file of this Pod, and another host would get the password."""
        place = urllib.parse.urlparse(location)
        if self._is_server and (place.scheme != "mlflow-artifacts" or place.netloc):
            raise RefusedError(f"{name}: its files are at {location}; expected the registry's bucket")

    def alias(self, model: names.Model, alias: str) -> str | None:
        """Return the version that has an alias; None where none has it."""
        with _errors(f"model {model} ({model.registered_name} in MLflow)"):
            number = self._client.get_registered_model(model.registered_name).aliases.get(alias)
        # A number where the store is not a server.
        return None if number is None else str(number)

    def set_alias(self, model: names.Model, alias: str, number: str) -> None:
        """Give a version an alias."""
        with _errors(f"alias {alias} of {model}"):
            self._client.set_registered_model_alias(model.registered_name, alias, number)


def _is_below(location: str, folder: str) -> bool:
    """Return whether a location is a folder or in it."""
    here, above = (urllib.parse.urlparse(place).path.rstrip("/") for place in (location, folder))
    return here == above or here.startswith(f"{above}/")


@contextmanager
def _errors(name: object) -> Iterator[None]:
    """Raise RefusedError where MLflow refuses a request: repeating it does not help."""
    try:
        yield
    except MlflowException as error:
        status = error.get_http_status_code()
        # 404 and 400 also for a version that is no number.
        if status in (400, 401, 403, 404):
            raise RefusedError(f"{name}: the model registry refuses it: {error.message}") from error
        raise
