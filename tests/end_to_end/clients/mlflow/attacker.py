"""Try each way to change a model version by the server's routes, as the account that created it.

{"uri", "account", "password", "model", "version", "unguarded", "prefix"} on stdin; prints {attempt: [status
and beginning of the answer]}. prefix: of the routes' paths, `api` or `ajax-api`. The order of the attempts is
one in which each can succeed after those before it did.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import requests
from mlflow import MlflowClient

payload = json.load(sys.stdin)
os.environ["MLFLOW_TRACKING_USERNAME"] = payload["account"]
os.environ["MLFLOW_TRACKING_PASSWORD"] = payload["password"]
URI, MODEL, VERSION = payload["uri"], payload["model"], payload["version"]
RENAMED = f"{MODEL}-renamed"
API: str = payload["prefix"]

Attempt = tuple[str, str, str, dict[str, Any]]
"""Its name, a method, a path, and arguments of `requests`."""


def attempts() -> Iterator[Attempt]:
    """Yield all attempts."""
    client = MlflowClient(URI)
    version = client.get_model_version(MODEL, VERSION)
    place, logged = str(version.source), None
    if place.startswith("models:/"):
        logged = client.get_logged_model(place.removeprefix("models:/"))
        place = logged.artifact_location
    folder = place.removeprefix("mlflow-artifacts:/")
    experiment = folder.partition("/")[0]
    yield from uploads(folder, version.run_id)
    named = {"name": MODEL, "version": VERSION}
    registry, models = f"{API}/2.0/mlflow/model-versions", f"{API}/2.0/mlflow/registered-models"
    for key in ("mlflow.prompt.text", "_mlflow_prompt_type"):
        yield change(f"{API} tag {key}", "POST", f"{registry}/set-tag", **named, key=key, value="x")
        yield change(f"{API} delete tag {key}", "DELETE", f"{registry}/delete-tag", **named, key=key)
    prompt_tag = {"name": MODEL, "key": "mlflow.prompt.is_prompt"}
    yield change(f"{API} tag model", "POST", f"{models}/set-tag", **prompt_tag, value="false")
    yield change(f"{API} delete tag of model", "DELETE", f"{models}/delete-tag", **prompt_tag)
    stage = {"stage": "Archived", "archive_existing_versions": False}
    yield change(f"{API} stage", "POST", f"{registry}/transition-stage", **named, **stage)
    if logged is not None:
        finished = f"{API}/2.0/mlflow/logged-models/{logged.model_id}"
        ready = {"model_id": logged.model_id, "status": "LOGGED_MODEL_READY"}
        yield change(f"{API} finalize", "PATCH", finished, **ready)
    yield from deletions(folder, version.run_id, experiment)
    if logged is not None:
        yield f"{API} delete logged model", "DELETE", f"{API}/2.0/mlflow/logged-models/{logged.model_id}", {}
    yield change(f"{API} rename", "POST", f"{models}/rename", name=MODEL, new_name=RENAMED)
    name = RENAMED if payload["unguarded"] else MODEL
    yield change(f"{API} delete version", "DELETE", f"{registry}/delete", name=name, version=VERSION)
    yield change(f"{API} delete model", "DELETE", f"{models}/delete", name=name)


def uploads(folder: str, run: str) -> Iterator[Attempt]:
    """Yield an attempt for every route that writes a file, and for spellings of its path."""
    file = f"{folder}/MLmodel"
    spellings = {
        "plain": file,
        "encoded": file.replace("MLmodel", "%4DLmodel"),
        "twice encoded": file.replace("MLmodel", "%254DLmodel"),
        "detour": file.replace("/models/", "/./models/"),
        "new": f"{folder}/another.pkl",
    }
    store = f"{API}/2.0/mlflow-artifacts"
    for name, path in spellings.items():
        yield f"{API} upload {name}", "PUT", f"{store}/artifacts/{path}", {"data": b"evil"}
    parts = {"path": "MLmodel", "num_parts": 1}
    yield change(f"{API} multipart create", "POST", f"{store}/mpu/create/{folder}", **parts)
    above = {"path": "artifacts", "num_parts": 1}
    up = folder.rpartition("/")[0]
    yield change(f"{API} multipart create above", "POST", f"{store}/mpu/create/{up}", **above)
    done = {"path": "MLmodel", "upload_id": "x", "parts": [{"part_number": 1, "etag": "x"}]}
    yield change(f"{API} multipart complete", "POST", f"{store}/mpu/complete/{folder}", **done)
    ended = {"path": "MLmodel", "upload_id": "x"}
    yield change(f"{API} multipart abort", "POST", f"{store}/mpu/abort/{folder}", **ended)
    _, of_run, path = file.partition(f"/{run}/artifacts/")
    if of_run:
        upload = {"params": {"run_uuid": run, "path": path}, "data": b"evil"}
        yield "user interface's upload", "POST", "ajax-api/2.0/mlflow/upload-artifact", upload


def deletions(folder: str, run: str, experiment: str) -> Iterator[Attempt]:
    """Yield an attempt for every route that deletes files or records of a version."""
    store = f"{API}/2.0/mlflow-artifacts/artifacts"
    yield f"{API} delete file", "DELETE", f"{store}/{folder}/MLmodel", {}
    yield f"{API} delete files that begin so", "DELETE", f"{store}/{folder.rpartition('/')[0][:-3]}", {}
    above = "/".join(folder.split("/")[:2])
    yield f"{API} delete folder above", "DELETE", f"{store}/{above}", {}
    tracking = f"{API}/2.0/mlflow"
    yield change(f"{API} delete run", "POST", f"{tracking}/runs/delete", run_id=run)
    named = {"experiment_id": experiment}
    yield change(f"{API} delete experiment", "POST", f"{tracking}/experiments/delete", **named)
    # What follows is in it, too.
    if payload["unguarded"]:
        yield change(f"{API} restore", "POST", f"{tracking}/experiments/restore", **named)


def change(attempt: str, method: str, route: str, /, **body: Any) -> Attempt:
    """Return an attempt with a JSON body."""
    return attempt, method, route, {"json": body}


def main() -> None:
    """Send all attempts."""
    session = requests.Session()
    session.auth = (payload["account"], payload["password"])
    answers: dict[str, Any] = {}
    for name, method, path, more in attempts():
        # The path is sent as it is: a client would normalize it.
        request = session.prepare_request(requests.Request(method, f"{URI}/{path}", **more))
        request.url = f"{URI}/{path}" + (f"?{urlencode(more['params'])}" if "params" in more else "")
        answer = session.send(request, timeout=60)
        answers[name] = [answer.status_code, answer.text[:300]]
    sys.stdout.write("\n")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
