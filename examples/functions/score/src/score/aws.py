"""The function of Lambda: requests of a URL that have the signature of a caller."""

from __future__ import annotations

import base64
import json
import os
from functools import cache
from typing import Any

import boto3

from score.model import Model, RequestError


@cache
def model() -> Model:
    """Return the model, loaded once by an instance. MODEL: `s3://bucket/team/model/version/`."""
    bucket, _, prefix = os.environ["MODEL"].removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")

    def read(name: str) -> bytes:
        return s3.get_object(Bucket=bucket, Key=f"{prefix}{name}")["Body"].read()

    return Model(read, prefix.rstrip("/").rpartition("/")[2])


def handle(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Answer a request (payload format 2.0)."""
    if event["requestContext"]["http"]["method"] != "POST":
        return _answer(405, {"error": "expected POST"})
    body = event.get("body") or ""
    content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    try:
        return _answer(200, model().answer(content))
    except RequestError as error:
        return _answer(400, {"error": str(error)})


def _answer(status: int, content: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(content)}
