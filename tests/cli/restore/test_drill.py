"""A drill on the twin's S3 and Cloud Storage: files of a table, overwritten and deleted, are restored to a
time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from typer.testing import CliRunner

from cli import clients
from cli.app import app
from cli.clients import aws, gcp
from cli.output import CommandError
from tests.cli.preflight.fakes import PROJECT
from twin.gcp.api_server.server import ApiServer
from twin.gcp.credentials import deployer
from twin.tests.aws.api_servers import Clients, opened
from twin.tests.gcp import api_servers

BUCKET = "acme-dev-curated-tables"
BEFORE = {"t/metadata.json": b"v1", "t/data/1.parquet": b"rows", "t/data/[2].parquet": b"more"}


class Bucket:
    """A bucket with versions of one of the clouds."""

    environment = ""

    def put(self, key: str, content: bytes) -> None:
        raise NotImplementedError

    def delete(self, key: str) -> None:
        raise NotImplementedError

    def content(self) -> dict[str, bytes]:
        raise NotImplementedError


class OfAws(Bucket):
    environment = "aws-dev"

    def __init__(self, clients: Clients) -> None:
        self.s3 = clients("s3")
        place = {"LocationConstraint": "us-west-2"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self.version("Enabled")

    def version(self, status: str) -> None:
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def content(self) -> dict[str, bytes]:
        entries = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        keys = [entry["Key"] for entry in entries]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


class OfGoogle(Bucket):
    environment = "gcp-dev"

    def __init__(self, server: ApiServer) -> None:
        self.storage = api_servers.client(server, "storage")
        body = {"name": BUCKET, "location": "US-CENTRAL1", "versioning": {"enabled": True}}
        self.storage.buckets().insert(project=PROJECT, body=body).execute()

    def put(self, key: str, content: bytes) -> None:
        from googleapiclient.http import MediaInMemoryUpload

        media = MediaInMemoryUpload(content)
        self.storage.objects().insert(bucket=BUCKET, name=key, media_body=media).execute()

    def delete(self, key: str) -> None:
        self.storage.objects().delete(bucket=BUCKET, object=key).execute()

    def content(self) -> dict[str, bytes]:
        objects = self.storage.objects()
        names = [entry["name"] for entry in objects.list(bucket=BUCKET).execute().get("items", ())]
        return {name: objects.get_media(bucket=BUCKET, object=name).execute() for name in names}


class Session:
    """requests' session, answered by a twin's server without a network."""

    def __init__(self, server: ApiServer) -> None:
        self.wire = api_servers.Wire(server, deployer(server.instance).access_token, {})

    def request(self, method: str, url: str, params: Any, timeout: float) -> requests.Response:
        assert timeout
        # A twin has one address for all hosts.
        address = url.replace("https://", f"{api_servers.BASE}/")
        head, body = self.wire.request(f"{address}?{urlencode(params)}", method)
        response = requests.Response()
        response.status_code = int(head["status"])
        response._content = body  # pyright: ignore[reportPrivateUsage]
        return response


@pytest.fixture(params=["aws", "gcp"])
def bucket(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bucket]:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    if request.param == "aws":
        with opened(tmp_path) as of_aws:
            client = aws.Client("us-west-2")
            monkeypatch.setattr(client, "_of", of_aws)
            monkeypatch.setattr(clients, "of", lambda *_, **__: client)  # pyright: ignore[reportUnknownLambdaType]
            yield OfAws(of_aws)
        return
    server = api_servers.make()
    api_servers.enable(server, "storage")
    google = gcp.Client(PROJECT, local=False)
    google.__dict__["_session"] = Session(server)
    monkeypatch.setattr(clients, "of", lambda *_, **__: google)  # pyright: ignore[reportUnknownLambdaType]
    yield OfGoogle(server)
    server.close()


def restored(bucket: Bucket, at: datetime | str, *options: str) -> Any:
    text = at if isinstance(at, str) else at.isoformat()
    arguments = ["restore", bucket.environment, BUCKET, "--at", text, "--cloud", *options]
    return CliRunner().invoke(app, arguments)


def damaged(bucket: Bucket) -> datetime:
    """Fill the bucket, then overwrite, delete and add objects. Returns the time between."""
    for key, content in BEFORE.items():
        bucket.put(key, content)
    at = _next_second()
    bucket.put("t/metadata.json", b"v2")
    bucket.delete("t/data/1.parquet")
    bucket.delete("t/data/[2].parquet")
    bucket.put("t/data/3.parquet", b"newer")
    return at


def _next_second() -> datetime:
    """Return a whole second between what was and what follows: S3 states times of versions in seconds."""
    at = datetime.fromtimestamp(int(time.time()) + 1, UTC)
    while datetime.now(UTC) <= at:
        time.sleep(0.05)
    time.sleep(1)
    return at


def test_objects_are_as_they_were_and_newer_ones_stay_unless_deleted(bucket: Bucket) -> None:
    at = damaged(bucket)
    after = bucket.content()
    preview = restored(bucket, at)
    assert preview.exit_code == 0, preview.output
    assert "3 objects would change; --apply changes them" in preview.stderr
    assert "t/data/[2].parquet" in preview.stdout, "brackets of a key are no markup"
    assert bucket.content() == after, "nothing changes without --apply"
    applied = restored(bucket, at, "--apply")
    assert applied.exit_code == 0, applied.output
    assert "1 objects did not exist at that time and stay" in applied.stderr
    assert bucket.content() == {**BEFORE, "t/data/3.parquet": b"newer"}
    assert restored(bucket, at, "--apply", "--delete-newer").exit_code == 0
    assert bucket.content() == BEFORE
    assert restored(bucket, at, "--delete-newer", "--json").stdout == "[]\n", "nothing is left to restore"


def test_prefix_limits_what_is_restored(bucket: Bucket) -> None:
    at = damaged(bucket)
    assert restored(bucket, at, "--apply", "--prefix", "t/data/1").exit_code == 0
    assert bucket.content() == {
        "t/metadata.json": b"v2",
        "t/data/1.parquet": b"rows",
        "t/data/3.parquet": b"newer",
    }


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("yesterday", "expected a time as in"),
        ("2026-11-29T10:00:00", "without a zone; expected one, as in 2026-11-29T10:00:00Z"),
        ("2999-01-01T00:00:00Z", "which is not past"),
    ],
)
def test_time_that_is_none_is_refused(bucket: Bucket, at: str, message: str) -> None:
    result = restored(bucket, at)
    assert isinstance(result.exception, CommandError)
    assert message in str(result.exception)


def test_bucket_without_versions_is_refused(bucket: Bucket) -> None:
    if isinstance(bucket, OfAws):
        bucket.version("Suspended")
    else:
        assert isinstance(bucket, OfGoogle)
        body = {"versioning": {"enabled": False}}
        bucket.storage.buckets().patch(bucket=BUCKET, body=body).execute()
    result = restored(bucket, "2026-11-29T10:00:00Z")
    assert isinstance(result.exception, CommandError)
    assert "expected a bucket with versions" in str(result.exception)


def test_bucket_that_does_not_exist_is_an_error(bucket: Bucket) -> None:
    result = CliRunner().invoke(
        app, ["restore", bucket.environment, "acme-none", "--at", "2026-11-29T10:00:00Z", "--cloud"]
    )
    assert isinstance(result.exception, CommandError)
