"""The functions of both clouds, with a stand-in of the store of releases."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from example import release
from functions_framework import create_app

from score import aws, gcp

MAIN = Path(__file__).parents[1] / "main.py"
PREFIX = "search/score/3/"
ROW = {"rows": [{"amount": 10, "age": 1}]}
EXPECTED = {"version": "3", "predictions": [6.0]}


class Store:
    """The releases, by the calls of both SDKs that the functions make."""

    reads = 0

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert Bucket == "releases"
        Store.reads += 1
        return {"Body": io.BytesIO(release()[Key.removeprefix(PREFIX)])}

    def bucket(self, name: str) -> Store:
        assert name == "releases"
        return self

    def blob(self, name: str) -> Store:
        blob = Store()
        blob.name = name.removeprefix(PREFIX)
        return blob

    def download_as_bytes(self) -> bytes:
        Store.reads += 1
        return release()[self.name]

    name = ""


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    Store.reads = 0
    monkeypatch.setattr(aws.boto3, "client", lambda _: Store())
    monkeypatch.setattr(gcp.storage, "Client", lambda project: Store())
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme-dev")
    for cloud in (aws, gcp):
        cloud.model.cache_clear()


def event(content: Any, method: str = "POST") -> dict[str, Any]:
    body = json.dumps(content)
    return {"requestContext": {"http": {"method": method}}, "body": body, "isBase64Encoded": False}


def test_lambda_answers_requests_and_loads_the_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL", f"s3://releases/{PREFIX}")
    for _ in range(2):
        answer = aws.handle(event(ROW), None)
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, EXPECTED)
    assert Store.reads == 2, "two files, once"
    assert aws.handle(event({}), None)["statusCode"] == 400
    assert aws.handle(event(ROW, "GET"), None)["statusCode"] == 405


def test_cloud_run_answers_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL", f"gs://releases/{PREFIX}")
    client = create_app("handle", str(MAIN), "http").test_client()
    answer = client.post("/", json=ROW)
    assert (answer.status_code, answer.json) == (200, EXPECTED)
    assert client.post("/", data=b"{").status_code == 400
    assert client.get("/").status_code == 405
