"""Try each way to change a model version by the server's routes, as the account that created it.

{"uri", "account", "password", "model", "version", "unguarded", "prefixes"} on stdin; prints {attempt: [status
and beginning of the answer]}. prefixes: of the paths of routes; by default both. The order of the attempts is
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
PREFIXES: list[str] = payload.get("prefixes", ["api", "ajax-api"])

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
    for api in PREFIXES:
        registry, models = f"{api}/2.0/mlflow/model-versions", f"{api}/2.0/mlflow/registered-models"
        for key in ("mlflow.prompt.text", "_mlflow_prompt_type"):
            yield change(f"{api} tag {key}", "POST", f"{registry}/set-tag", **named, key=key, value="x")
            yield change(f"{api} delete tag {key}", "DELETE", f"{registry}/delete-tag", **named, key=key)
        prompt_tag = {"name": MODEL, "key": "mlflow.prompt.is_prompt"}
        yield change(f"{api} tag model", "POST", f"{models}/set-tag", **prompt_tag, value="false")
        yield change(f"{api} delete tag of model", "DELETE", f"{models}/delete-tag", **prompt_tag)
        stage = {"stage": "Archived", "archive_existing_versions": False}
        yield change(f"{api} stage", "POST", f"{registry}/transition-stage", **named, **stage)
        if logged is not None:
            finished = f"{api}/2.0/mlflow/logged-models/{logged.model_id}"
            ready = {"model_id": logged.model_id, "status": "LOGGED_MODEL_READY"}
            yield change(f"{api} finalize", "PATCH", finished, **ready)
    yield from deletions(folder, version.run_id, experiment)
    for api in PREFIXES if logged is not None else ():
        gone = f"{api}/2.0/mlflow/logged-models/{logged.model_id}"
        yield f"{api} delete logged model", "DELETE", gone, {}
    # Each of these removes the model where it succeeds: the other spelling of the route then has none.
    for api in PREFIXES:
        models = f"{api}/2.0/mlflow/registered-models"
        yield change(f"{api} rename", "POST", f"{models}/rename", name=MODEL, new_name=RENAMED)
    name = RENAMED if payload["unguarded"] else MODEL
    for api in PREFIXES:
        gone = f"{api}/2.0/mlflow/model-versions/delete"
        yield change(f"{api} delete version", "DELETE", gone, name=name, version=VERSION)
        models = f"{api}/2.0/mlflow/registered-models"
        yield change(f"{api} delete model", "DELETE", f"{models}/delete", name=name)


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
    for api in PREFIXES:
        store = f"{api}/2.0/mlflow-artifacts"
        for name, path in spellings.items():
            yield f"{api} upload {name}", "PUT", f"{store}/artifacts/{path}", {"data": b"evil"}
        parts = {"path": "MLmodel", "num_parts": 1}
        yield change(f"{api} multipart create", "POST", f"{store}/mpu/create/{folder}", **parts)
        above = {"path": "artifacts", "num_parts": 1}
        up = folder.rpartition("/")[0]
        yield change(f"{api} multipart create above", "POST", f"{store}/mpu/create/{up}", **above)
        done = {"path": "MLmodel", "upload_id": "x", "parts": [{"part_number": 1, "etag": "x"}]}
        yield change(f"{api} multipart complete", "POST", f"{store}/mpu/complete/{folder}", **done)
        ended = {"path": "MLmodel", "upload_id": "x"}
        yield change(f"{api} multipart abort", "POST", f"{store}/mpu/abort/{folder}", **ended)
    _, of_run, path = file.partition(f"/{run}/artifacts/")
    if of_run:
        upload = {"params": {"run_uuid": run, "path": path}, "data": b"evil"}
        yield "user interface's upload", "POST", "ajax-api/2.0/mlflow/upload-artifact", upload


def deletions(folder: str, run: str, experiment: str) -> Iterator[Attempt]:
    """Yield an attempt for every route that deletes files or records of a version."""
    for api in PREFIXES:
        store = f"{api}/2.0/mlflow-artifacts/artifacts"
        yield f"{api} delete file", "DELETE", f"{store}/{folder}/MLmodel", {}
        yield f"{api} delete files that begin so", "DELETE", f"{store}/{folder.rpartition('/')[0][:-3]}", {}
        above = "/".join(folder.split("/")[:2])
        yield f"{api} delete folder above", "DELETE", f"{store}/{above}", {}
        tracking = f"{api}/2.0/mlflow"
        yield change(f"{api} delete run", "POST", f"{tracking}/runs/delete", run_id=run)
        named = {"experiment_id": experiment}
        yield change(f"{api} delete experiment", "POST", f"{tracking}/experiments/delete", **named)
        # Restored for the other spelling of the route.
        if payload["unguarded"]:
            yield change(f"{api} restore", "POST", f"{tracking}/experiments/restore", **named)


def change(attempt: str, method: str, route: str, /, **body: Any) -> Attempt:
    """Return an attempt with a JSON body."""
    return attempt, method, route, {"json": body}


def main() -> None:
    """Send all attempts."""
    session = requests.Session()
    session.auth = (payload["account"], payload["password"])
    session.verify = os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"]
    answers: dict[str, Any] = {}
    for name, method, path, more in attempts():
        # The path is sent as it is: a client would normalize it.
        request = session.prepare_request(requests.Request(method, f"{URI}/{path}", **more))
        request.url = f"{URI}/{path}" + (f"?{urlencode(more['params'])}" if "params" in more else "")
        answer = session.send(request, verify=session.verify, timeout=60)
        answers[name] = [answer.status_code, answer.text[:300]]
    sys.stdout.write("\n")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
