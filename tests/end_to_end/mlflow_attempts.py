"""Attempts to read and change what an account of MLflow created, as requests (test_mlflow_isolation.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

OWNER, OTHER, READER, PROMOTER = "search", "search-ads", "audit", "release"
ACCOUNTS: Final = ("admin", OWNER, OTHER, READER, PROMOTER)
HUSH: Final = "hush"
"""A word that is in everything that the owner created: in names, values, tags and files."""
API, API3, AJAX, AJAX3 = "/api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api/2.0/mlflow", "/ajax-api/3.0/mlflow"
FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
REFUSED: Final = (400, 401, 403, 404)
NOW: Final = 1_780_000_000_000


@dataclass(frozen=True)
class Things:
    """What the owner created. place: of the run's files, relative to the root of all files."""

    experiment: str
    run: str
    model: str
    logged: str
    trace: str
    prompt: str

    @property
    def place(self) -> str:
        """The folder of the run's files."""
        return f"{self.experiment}/{self.run}/artifacts"


Attempt = tuple[str, str, Any, dict[str, Any] | None]
"""Method, path, body and query."""


def reads(of: Things) -> dict[str, Attempt]:
    """Requests whose answers contain HUSH for accounts that read it."""
    run, experiment = {"run_id": of.run}, {"experiment_id": of.experiment}
    version = {"name": of.model, "version": "1"}
    located = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": experiment}]
    query = (
        f'query {{ mlflowGetRun(input: {{runId: "{of.run}"}}) {{ run {{ info {{ runName }} }} }} '
        f'mlflowGetExperiment(input: {{experimentId: "{of.experiment}"}}) {{ experiment {{ name }} }} }}'
    )
    return {
        "experiment": ("GET", f"{API}/experiments/get", None, experiment),
        "experiment by name": ("GET", f"{API}/experiments/get-by-name", None, {"experiment_name": of.model}),
        "experiments": ("POST", f"{API}/experiments/search", {"max_results": 100}, None),
        "run": ("GET", f"{API}/runs/get", None, run),
        "run of the interface": ("GET", f"{AJAX}/runs/get", None, run),
        "run by its former key": ("GET", f"{API}/runs/get", None, {"run_uuid": of.run}),
        "runs": ("POST", f"{API}/runs/search", {"experiment_ids": [of.experiment]}, None),
        "metric": ("GET", f"{API}/metrics/get-history", None, {**run, "metric_key": HUSH}),
        "metrics of runs": (
            "GET",
            f"{AJAX}/metrics/get-history-bulk-interval",
            None,
            {"run_ids": [of.run], "metric_key": HUSH, "max_results": 10},
        ),
        "list of files": ("GET", f"{API}/artifacts/list", None, {**run, "path": "model"}),
        "file of a run": ("GET", "/get-artifact", None, {**run, "path": f"model/{HUSH}.txt"}),
        "file by its path": ("GET", f"{FILES}/{of.place}/model/{HUSH}.txt", None, None),
        "list by path": ("GET", FILES, None, {"path": f"{of.place}/model"}),
        "file of a version": (
            "GET",
            "/model-versions/get-artifact",
            None,
            {**version, "path": f"{HUSH}.txt"},
        ),
        "model": ("GET", f"{API}/registered-models/get", None, {"name": of.model}),
        "models": ("GET", f"{API}/registered-models/search", None, {"max_results": 100}),
        "version": ("GET", f"{API}/model-versions/get", None, version),
        "versions": ("GET", f"{API}/model-versions/search", None, {"max_results": 100}),
        "files of a version": ("GET", f"{API}/model-versions/get-download-uri", None, version),
        "prompt": ("GET", f"{API}/model-versions/get", None, {"name": of.prompt, "version": "1"}),
        "logged model": ("GET", f"{API}/logged-models/{of.logged}", None, None),
        "logged models": ("POST", f"{API}/logged-models/search", {"experiment_ids": [of.experiment]}, None),
        "trace": ("GET", f"{API3}/traces/{of.trace}", None, None),
        "traces": ("POST", f"{API3}/traces/search", {"locations": located}, None),
        "graphql": ("POST", "/graphql", {"query": query, "variables": {}, "operationName": None}, None),
    }


def writes(of: Things) -> dict[str, Attempt]:
    """Requests that change or delete what an account created."""
    run, experiment, model = {"run_id": of.run}, {"experiment_id": of.experiment}, {"name": of.model}
    version, tag = {**model, "version": "1"}, {"key": "k", "value": "evil"}
    info = {
        "trace_id": f"{of.trace}-evil",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": experiment},
        "request_time": "2026-11-29T10:00:00Z",
        "state": "OK",
    }
    return {
        "create a run": ("POST", f"{API}/runs/create", experiment, None),
        "log a metric": (
            "POST",
            f"{API}/runs/log-metric",
            {**run, "key": "k", "value": 1, "timestamp": 1},
            None,
        ),
        "log a batch": ("POST", f"{API}/runs/log-batch", {**run, "tags": [tag]}, None),
        "tag a run": ("POST", f"{API}/runs/set-tag", {**run, **tag}, None),
        "tag an experiment": ("POST", f"{API}/experiments/set-experiment-tag", {**experiment, **tag}, None),
        "upload": ("PUT", f"{FILES}/{of.place}/model/evil.txt", b"evil", None),
        "upload of the interface": (
            "POST",
            f"{AJAX}/upload-artifact",
            b"evil",
            {"run_uuid": of.run, "path": "evil.txt"},
        ),
        "delete a file": ("DELETE", f"{FILES}/{of.place}/model/evil.txt", None, None),
        "tag a model": ("POST", f"{API}/registered-models/set-tag", {**model, **tag}, None),
        "tag a version": ("POST", f"{API}/model-versions/set-tag", {**version, **tag}, None),
        "set an alias": (
            "POST",
            f"{API}/registered-models/alias",
            {**version, "alias": "candidate"},
            None,
        ),
        "create a version": (
            "POST",
            f"{API}/model-versions/create",
            {**model, "source": f"runs:/{of.run}/model", **run},
            None,
        ),
        "tag a logged model": (
            "PATCH",
            f"{API}/logged-models/{of.logged}/tags",
            {"tags": [tag]},
            None,
        ),
        "log a trace": ("POST", f"{API3}/traces", {"trace": {"trace_info": info}}, None),
        "tag a trace": ("PATCH", f"{API3}/traces/{of.trace}/tags", tag, None),
        "delete traces": (
            "POST",
            f"{API3}/traces/delete-traces",
            {**experiment, "request_ids": [f"{of.trace}-evil"]},
            None,
        ),
        "rename an experiment": (
            "POST",
            f"{API}/experiments/update",
            {**experiment, "new_name": f"{of.model}-evil"},
            None,
        ),
        "delete a logged model": ("DELETE", f"{API}/logged-models/{of.logged}", None, None),
        "delete a run": ("POST", f"{API}/runs/delete", run, None),
        "delete an experiment": ("POST", f"{API}/experiments/delete", experiment, None),
        "delete a version": ("DELETE", f"{API}/model-versions/delete", version, None),
        "delete a model": ("DELETE", f"{API}/registered-models/delete", model, None),
    }


def version_of(attacker: Things, source: str, **more: str) -> Attempt:
    """Return a request to create a version of the other account's model with files of that source."""
    return "POST", f"{API}/model-versions/create", {"name": attacker.model, "source": source, **more}, None


def detours(of: Things, attacker: Things) -> dict[str, Attempt]:
    """Requests by which MLflow alone lets an account read or change what another one created."""
    twice = {"run_id": attacker.run, "runId": of.run, "key": "k", "value": "evil"}
    place, within = f"{of.place}/model", {"path": f"{attacker.experiment}/x"}
    moved = {
        "trace_id": of.trace,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": attacker.experiment},
        },
        "request_time": "2026-11-29T10:00:00Z",
        "state": "OK",
    }
    grant = {"username": OTHER, "resource_type": "experiment", "resource_id": of.experiment}
    models = f"{API}/registered-models"
    file = f"{FILES}/./{place}/{HUSH}.txt"
    return {
        "a field in two spellings": ("POST", f"{API}/runs/set-tag", twice, None),
        "query and body": (
            "DELETE",
            f"{API}/model-versions/delete",
            {"name": of.model, "version": "1"},
            {"name": attacker.model, "version": "1"},
        ),
        "a path that is not normal": ("GET", file, None, within),
        "a path that is encoded": (
            "GET",
            file.replace("/./", "/%2e/"),
            None,
            within,
        ),
        "an upload by such a path": ("PUT", file, b"evil", within),
        "all that begins so": ("DELETE", f"{FILES}/{attacker.experiment}/", None, None),
        "all files": ("GET", FILES, None, None),
        "a version of another run's files": version_of(attacker, f"mlflow-artifacts:/{place}"),
        "the same with an own run": version_of(attacker, f"mlflow-artifacts:/{place}", run_id=attacker.run),
        "the same by a host": version_of(attacker, f"mlflow-artifacts://elsewhere/{place}"),
        "the same by http": version_of(attacker, f"http://elsewhere{FILES}/{place}"),
        "a version of a run": version_of(attacker, f"runs:/{of.run}/model"),
        "a version of a logged model": version_of(attacker, f"models:/{of.logged}"),
        "a version of a version": version_of(attacker, f"models:/{of.model}/1"),
        "a version of a run, in another spelling": (
            "POST",
            f"{API}/model-versions/create",
            {"name": attacker.model, "source": "s3://elsewhere/x", "runId": of.run},
            None,
        ),
        "a trace that is another one's": ("POST", f"{API3}/traces", {"trace": {"trace_info": moved}}, None),
        "the name of another account": (
            "POST",
            f"{models}/create",
            {"name": f"{OWNER}.x"},
            None,
        ),
        "an experiment with such a name": ("POST", f"{API}/experiments/create", {"name": f"{OWNER}.x"}, None),
        "a model that gets such a name": (
            "POST",
            f"{models}/rename",
            {"name": attacker.model, "new_name": f"{OWNER}.x"},
            None,
        ),
        "a right on another one's": (
            "POST",
            f"{API3}/users/permissions/grant",
            {**grant, "permission": "READ"},
            None,
        ),
    }
