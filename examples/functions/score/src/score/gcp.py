"""The function of Cloud Run. Cloud Run has authenticated the caller of each request."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import functions_framework
from google.cloud import storage

from score.model import Model, RequestError


@cache
def model() -> Model:
    """Return the model, loaded once by an instance. MODEL: `gs://bucket/team/model/version/`."""
    bucket, _, prefix = os.environ["MODEL"].removeprefix("gs://").partition("/")
    holder = storage.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"]).bucket(bucket)

    def read(name: str) -> bytes:
        return holder.blob(f"{prefix}{name}").download_as_bytes()

    return Model(read, prefix.rstrip("/").rpartition("/")[2])


@functions_framework.http
def handle(request: Any) -> tuple[dict[str, Any], int]:
    """Answer a request."""
    if request.method != "POST":
        return {"error": "expected POST"}, 405
    try:
        return model().answer(request.get_data()), 200
    except RequestError as error:
        return {"error": str(error)}, 400
