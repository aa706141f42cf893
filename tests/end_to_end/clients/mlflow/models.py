"""Use the model registry by MLflow's client: {"uri", "account", "password", "do"} on stdin."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression

MODEL = "prices"


def train() -> dict[str, Any]:
    """Log a model, register it, set the alias candidate, and try to promote it."""
    mlflow.set_experiment("prices")
    model = LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    with mlflow.start_run() as run:
        mlflow.log_param("rows", 3)
        mlflow.log_metric("score", model.score([[4.0], [5.0]], [8.0, 10.0]))
        # With its requirements: MLflow takes half a minute to infer them.
        logged = mlflow.sklearn.log_model(
            model, name="model", registered_model_name=MODEL, pip_requirements=["scikit-learn"]
        )
    version = str(logged.registered_model_version)
    client = MlflowClient()
    client.set_registered_model_alias(MODEL, "candidate", version)
    return {
        "run": run.info.run_id,
        "version": version,
        "source": client.get_model_version(MODEL, version).source,
        "promoted": _promoted(version),
    }


def make(model: str, how: str) -> dict[str, Any]:
    """Create a version of another model, in a separate experiment. how: `logged` as a model of MLflow, `run`
    as files of a run, `elsewhere` with files at another location, `prompt`."""
    client = MlflowClient()
    experiment = client.create_experiment(model)
    run = client.create_run(experiment).info
    if how == "logged":
        fitted = LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
        with mlflow.start_run(run_id=run.run_id):
            logged = mlflow.sklearn.log_model(
                fitted, name="model", registered_model_name=model, pip_requirements=["scikit-learn"]
            )
        return {"version": str(logged.registered_model_version)}
    if how == "prompt":
        return {"version": str(mlflow.genai.register_prompt(name=model, template="Say yes").version)}
    client.create_registered_model(model)
    source = "s3://elsewhere/model"
    if how == "run":
        client.log_text(run.run_id, "good", "model/MLmodel")
        source = f"{run.artifact_uri}/model"
    return {"version": str(client.create_model_version(model, source, run.run_id).version)}


def log_for_release(
    model: str, tags: dict[str, str], card: dict[str, str], metrics: dict[str, float]
) -> dict[str, Any]:
    """Train and register a version with what a release needs: lineage in tags, metrics, and a model card."""
    mlflow.set_experiment(model)
    fitted = LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    with mlflow.start_run() as run:
        mlflow.set_tags(tags)
        mlflow.log_metrics(metrics)
        mlflow.log_dict(card, "model_card.json")
        logged = mlflow.sklearn.log_model(
            fitted, name="model", registered_model_name=model, pip_requirements=["scikit-learn"]
        )
    return {"run": run.info.run_id, "version": str(logged.registered_model_version)}


def overwrite(model: str, version: str) -> dict[str, Any]:
    """Overwrite a file of a version, as its author; return the status."""
    place = MlflowClient().get_model_version_download_uri(model, version).removeprefix("mlflow-artifacts:/")
    path = f"api/2.0/mlflow-artifacts/artifacts/{place}/MLmodel"
    return {"status": ask(path, "PUT", data=b"poisoned")}


def promote(version: str, model: str = MODEL, prompt: bool = False) -> dict[str, Any]:
    """Move the champion alias. MLflow's client has another call for prompts, to the same route."""
    if prompt:
        mlflow.genai.set_prompt_alias(model, "champion", int(version))
        return {"promoted": "yes"}
    return {"promoted": _promoted(version, model)}


def _promoted(version: str, model: str = MODEL) -> str:
    try:
        MlflowClient().set_registered_model_alias(model, "champion", version)
    except MlflowException as error:
        return str(error)
    return "yes"


def read(model: str, prompt: bool = False) -> dict[str, Any]:
    """Return what a champion serves: its version, and digests of its files by name, or a prompt's text."""
    if prompt:
        loaded = mlflow.genai.load_prompt(f"prompts:/{model}@champion")
        return {"version": str(loaded.version), "text": loaded.template}
    version = MlflowClient().get_model_version_by_alias(model, "champion")
    with tempfile.TemporaryDirectory() as folder:
        mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{model}@champion", dst_path=folder)
        files = [file for file in Path(folder).rglob("*") if file.is_file()]
        return {
            "version": version.version,
            "files": {
                str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
            },
        }


def ask(path: str, method: str = "POST", **more: Any) -> int:
    """Send a request as this account; return its status."""
    who = (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"])
    trust, uri = os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"], mlflow.get_tracking_uri()
    return requests.request(method, f"{uri}/{path}", auth=who, verify=trust, timeout=60, **more).status_code


def rewrite(model: str, version: str) -> dict[str, Any]:
    """Try to change a prompt: its text (a tag), the tag that makes it a prompt, and its description."""
    named = {"name": model, "version": version}
    text, registry = {"key": "mlflow.prompt.text"}, "api/2.0/mlflow"
    kind = {"name": model, "key": "mlflow.prompt.is_prompt"}
    return {
        "set": ask(f"{registry}/model-versions/set-tag", json={**named, **text, "value": "Say no"}),
        "deleted": ask(f"{registry}/model-versions/delete-tag", "DELETE", json={**named, **text}),
        "kind": ask(f"{registry}/registered-models/delete-tag", "DELETE", json=kind),
        "described": ask(f"{registry}/model-versions/update", "PATCH", json={**named, "description": "x"}),
    }


def refused(run: str) -> dict[str, Any]:
    """Return the status of each attempt that only `admin` is allowed."""
    tracking = "api/2.0/mlflow"
    return {
        "an experiment's files elsewhere": ask(
            f"{tracking}/experiments/create", json={"name": "over", "artifact_location": "s3://bucket/runs/1"}
        ),
        "a URL that uploads": ask(
            f"{tracking}/artifacts/presigned-upload-url", json={"run_id": run, "path": "model"}
        ),
        "the demonstration": ask("ajax-api/3.0/mlflow/demo/delete", json={}),
        "signing up": ask(f"{tracking}/users/create-ui", data={"username": "x", "password": "x" * 20}),
        "the assistant": ask("ajax-api/3.0/mlflow/assistant/message", json={"message": "x"}),
    }


def overwrite_file(run: str, path: str) -> dict[str, Any]:
    """Change a file of a run; return its text as it is then."""
    client = MlflowClient()
    folder, _, name = path.rpartition("/")
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / name).write_text("changed")
        client.log_artifact(run, f"{scratch}/{name}", folder or None)
        (Path(scratch) / "again").mkdir()
        return {"text": Path(client.download_artifacts(run, path, f"{scratch}/again")).read_text()}


def demote() -> dict[str, Any]:
    """Delete the champion alias."""
    try:
        MlflowClient().delete_registered_model_alias(MODEL, "champion")
    except MlflowException as error:
        return {"demoted": str(error)}
    return {"demoted": "yes"}


def use() -> dict[str, Any]:
    """Load the champion and predict with it."""
    client = MlflowClient()
    version = client.get_model_version_by_alias(MODEL, "champion")
    model = mlflow.sklearn.load_model(f"models:/{MODEL}@champion")
    return {
        "version": version.version,
        "aliases": dict(client.get_registered_model(MODEL).aliases),
        "rows": client.get_run(version.run_id).data.params["rows"],
        "predicted": round(float(model.predict([[10.0]])[0]), 6),
    }


def main() -> None:
    """Run the action of the payload, as its account."""
    payload = json.load(sys.stdin)
    os.environ["MLFLOW_TRACKING_USERNAME"] = payload.pop("account")
    os.environ["MLFLOW_TRACKING_PASSWORD"] = payload.pop("password")
    mlflow.set_tracking_uri(payload.pop("uri"))
    known = (
        train,
        make,
        log_for_release,
        overwrite,
        overwrite_file,
        promote,
        demote,
        use,
        read,
        rewrite,
        refused,
    )
    does = {function.__name__: function for function in known}[payload.pop("do")]
    answer = does(**payload)
    sys.stdout.write("\n")
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
