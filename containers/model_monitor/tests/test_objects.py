"""Folders of buckets on both clouds, and queues."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from model_monitor import queues
from model_monitor.errors import RefusedError
from model_monitor.objects import open_folder


class Google:
    """Cloud Storage and Pub/Sub, as far as the program calls them (their JSON APIs)."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.published: list[tuple[str, str]] = []
        self.denies = False
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status: int, body: Any) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _key(self) -> tuple[str, dict[str, list[str]]]:
                parsed = urllib.parse.urlparse(self.path)
                _, _, key = parsed.path.partition("/b/logs/o")
                return urllib.parse.unquote(key.lstrip("/")), urllib.parse.parse_qs(parsed.query)

            def do_GET(self) -> None:
                key, query = self._key()
                if key and owner.denies:
                    self._answer(403, {"error": {"message": "storage.objects.get denied"}})
                elif not key:
                    prefix = query.get("prefix", [""])[0]
                    names = sorted(name for name in owner.objects if name.startswith(prefix))
                    self._answer(200, {"items": [owner.resource(name) for name in names]})
                elif key not in owner.objects:
                    self._answer(404, {"error": {"message": "none"}})
                else:
                    self._answer(200, owner.objects[key])

            def do_DELETE(self) -> None:
                key, _ = self._key()
                known = owner.objects.pop(key, None) is not None
                self._answer(204 if known else 404, b"" if known else {"error": {}})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.endswith(":publish"):
                    [message] = json.loads(body)["messages"]
                    owner.published.append((self.path, base64.b64decode(message["data"]).decode()))
                    self._answer(200, {"messageIds": ["7"]})
                    return
                boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
                assert boundary is not None
                _, stated, content, _ = body.split(f"--{boundary[1]}".encode())
                name = json.loads(stated.partition(b"\r\n\r\n")[2])["name"]
                owner.objects[name] = content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
                self._answer(200, owner.resource(name))

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def resource(self, name: str) -> dict[str, Any]:
        """Return the metadata of an object."""
        size = str(len(self.objects[name]))
        return {"name": name, "bucket": "logs", "size": size, "updated": "2026-11-28T10:00:00.000Z"}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """Google's APIs, which clients find by a variable."""
    started = Google()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", started.address)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme-dev")
    yield started
    started.server.shutdown()


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_folder_of_each_cloud_is_listed_read_written_and_emptied(
    cloud: str, bucket: str, google: Google
) -> None:
    uri = f"s3://{bucket}" if cloud == "aws" else "gs://logs"
    folder, other = open_folder(f"{uri}/kserve/", "LOGS_URI"), open_folder(uri, "LOGS_URI")
    assert folder.write("pricing/a/1.json", b"one", "application/json") == f"{uri}/kserve/pricing/a/1.json"
    folder.write("pricing/a/2.json", b"three", "application/json")
    other.write("pricing/a/3.json", b"", "application/json")
    [first, second] = folder.entries("pricing/a/")
    assert (first.key, first.size, second.key) == ("pricing/a/1.json", 3, "pricing/a/2.json")
    assert first.modified.tzinfo is not None
    assert folder.read("pricing/a/1.json") == b"one"
    assert folder.read("pricing/a/none.json") is None
    folder.delete(["pricing/a/1.json", "pricing/a/none.json"])
    assert [entry.key for entry in folder.entries("")] == ["pricing/a/2.json"]
    assert [entry.key for entry in other.entries("pricing/")] == ["pricing/a/3.json"]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_object_that_another_run_has_deleted_is_none_where_the_cloud_denies_to_state_it(
    cloud: str, bucket: str, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Any = open_folder(f"s3://{bucket}/logs" if cloud == "aws" else "gs://logs/logs", "LOGS_URI")
    folder.write("pricing/a/1.json", b"one", "application/json")

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")

    if cloud == "aws":
        monkeypatch.setattr(folder._client, "get_object", denied)
    google.denies = True
    assert folder.read("pricing/a/2.json") is None
    with pytest.raises(Exception, match=r"AccessDenied|403"):
        folder.read("pricing/a/1.json")


def test_delete_that_is_denied_is_an_error(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Any = open_folder(f"s3://{bucket}", "LOGS_URI")
    denied = {"Errors": [{"Key": "a", "Code": "AccessDenied"}]}
    monkeypatch.setattr(folder._client, "delete_objects", lambda **_: denied)
    with pytest.raises(PermissionError, match="AccessDenied"):
        folder.delete(["a"])


@pytest.mark.parametrize("uri", ["", "bucket", "s3://", "file:///tmp", "https://bucket/x"])
def test_uri_of_no_bucket_is_refused(uri: str) -> None:
    with pytest.raises(RefusedError, match="LOGS_URI: got"):
        open_folder(uri, "LOGS_URI")


def test_training_is_requested_on_both_clouds(
    bucket: str, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    import google.auth as auth
    from google.auth.credentials import AnonymousCredentials

    text = queues.training("fares")
    client: Any = boto3.client("sqs")
    queue = queues.check(client.create_queue(QueueName=bucket)["QueueUrl"])
    queues.send(queue, text)
    assert client.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == text
    monkeypatch.setattr(auth, "default", lambda **_: (AnonymousCredentials(), "acme-dev"))
    monkeypatch.setattr(queues, "_PUBSUB", f"{google.address}/v1")
    topic = queues.check("projects/acme-dev/topics/training")
    assert queues.send(topic, text) == "7"
    assert google.published == [(f"/v1/{topic}:publish", text)]


@pytest.mark.parametrize("queue", ["training", "https://example.com/", "projects/acme/subscriptions/x"])
def test_queue_of_another_form_is_refused(queue: str) -> None:
    with pytest.raises(RefusedError, match="QUEUE: got"):
        queues.check(queue)
