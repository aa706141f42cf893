"""The function of Cloud Run by functions-framework, with a table of PyIceberg and a stand-in of a bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from functions_framework import create_app
from google.api_core.exceptions import Forbidden, PreconditionFailed
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import DecimalType, NestedField, StringType, TimestamptzType

from ingest import gcp

MAIN = Path(__file__).parents[1] / "main.py"
GOOD = {"event_id": "a-1", "happened_at": "2026-11-29T10:00:00Z", "kind": "order", "amount": 12.5}
SCHEMA = Schema(
    NestedField(1, "event_id", StringType(), required=True),
    NestedField(2, "happened_at", TimestamptzType(), required=True),
    NestedField(3, "kind", StringType()),
    NestedField(4, "amount", DecimalType(10, 2)),
    NestedField(5, "source", StringType()),
)


class Storage:
    """Objects by name, with the calls that the function makes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.name = ""
        self.answer: Exception = PreconditionFailed("it exists")

    def __call__(self, project: str) -> Storage:
        return self

    def bucket(self, name: str) -> Storage:
        return self

    def blob(self, name: str) -> Storage:
        blob = Storage()
        blob.objects, blob.name, blob.answer = self.objects, name, self.answer
        return blob

    def download_as_bytes(self) -> bytes:
        return self.objects[self.name]

    def upload_from_string(self, content: bytes, if_generation_match: int) -> None:
        assert if_generation_match == 0
        if self.name in self.objects:
            raise self.answer
        self.objects[self.name] = content


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    storage = Storage()
    monkeypatch.setattr(gcp.storage, "Client", storage)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme-dev")
    monkeypatch.setenv("QUARANTINE", "files/quarantine/")
    return storage


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    catalog = SqlCatalog("lake", uri=f"sqlite:///{tmp_path}/lake.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("curated")
    table = catalog.create_table("curated.events", SCHEMA)
    monkeypatch.setattr(gcp, "_table", lambda: catalog.load_table("curated.events"))
    return table


def push(key: str) -> Any:
    """Send the message of an object as Pub/Sub does."""
    client = create_app("handle", str(MAIN), "http").test_client()
    attributes = {"bucketId": "raw", "objectId": key, "eventType": "OBJECT_FINALIZE"}
    return client.post("/", json={"message": {"attributes": attributes, "messageId": "1"}})


def test_an_object_ends_as_rows_once(storage: Storage, table: Any) -> None:
    storage.objects["files/incoming/a.json"] = json.dumps(GOOD).encode()
    for _ in range(2):
        answer = push("files/incoming/a.json")
        assert (answer.status_code, answer.json) == (200, {"registered": 1})
    rows = table.refresh().scan().to_arrow().to_pylist()
    assert [row["event_id"] for row in rows] == ["a-1"], "a repeated message changes nothing"


@pytest.mark.parametrize(
    "answer",
    [
        PreconditionFailed("it exists"),
        Forbidden("function@acme-dev does not have storage.objects.delete access to the object."),
    ],
)
def test_an_invalid_object_goes_to_quarantine_with_the_reason(
    storage: Storage, table: Any, answer: Exception
) -> None:
    storage.answer = answer
    storage.objects["files/incoming/b.json"] = b"{"
    for _ in range(2):
        answer = push("files/incoming/b.json")
        assert answer.status_code == 200, "another attempt would not make it valid"
    assert storage.objects["files/quarantine/files/incoming/b.json"] == b"{"
    assert b"not JSON" in storage.objects["files/quarantine/files/incoming/b.json.reason.txt"]
    assert table.refresh().scan().to_arrow().num_rows == 0


def test_a_missing_right_is_an_error_of_the_request(storage: Storage, table: Any) -> None:
    quarantined = "files/quarantine/files/incoming/b.json"
    storage.objects.update({"files/incoming/b.json": b"{", quarantined: b"other"})
    storage.answer = Forbidden("function@acme-dev does not have storage.objects.create access to the bucket.")
    assert push("files/incoming/b.json").status_code == 500, "nothing is in quarantine"


def test_a_failure_is_an_error_of_the_request(storage: Storage, table: Any) -> None:
    assert push("files/incoming/none.json").status_code == 500, "Pub/Sub repeats it"
