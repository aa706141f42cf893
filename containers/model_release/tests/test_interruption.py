"""A promotion that is killed in mid-copy continues, and leaves no release before it has all files."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from conftest import FILES, Factory, Register, location

from model_release import names
from model_release.errors import RefusedError
from model_release.log import Log
from model_release.objects import ExistsError
from model_release.objects.s3 import S3Objects
from model_release.releases import Release

MIB = 1 << 20


def killed(task: Callable[[], Any], operation: str, count: int) -> None:
    """Run a task in a process that ends itself by SIGKILL at the `count`th request of an operation of S3."""
    process = os.fork()
    if process == 0:
        send: Any = BaseClient._make_api_call
        requests: list[str] = []

        def request(client: Any, name: str, parameters: Any) -> Any:
            requests.append(name)
            if requests.count(operation) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return send(client, name, parameters)

        BaseClient._make_api_call = request
        try:
            task()
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it ended before the request"


# 1: the card; then the files, the manifest and the log.
@pytest.mark.parametrize("put", [3, 5, 6], ids=["file", "manifest", "log"])
def test_promotion_that_is_killed_continues(
    register: Register, promoter: Factory, objects: S3Objects, name: str, put: int
) -> None:
    model = names.model(name)
    number = register(model.registered_name)
    killed(lambda: promoter().promote(model, number, "champion", "r1"), "PutObject", put)
    release = Release(objects, model, number)
    assert (release.manifest() is None) == (put < 6), "the manifest comes after all files"
    before = objects.sizes("")
    promoter().promote(model, number, "champion", "r1")
    manifest, _ = release.verify()
    assert set(manifest.files) == set(FILES)
    assert before.keys() < objects.sizes("").keys()


def test_upload_in_parts_that_is_killed_leaves_no_file(
    register: Register, promoter: Factory, bucket: str, name: str
) -> None:
    model = names.model(name)
    number = register(model.registered_name, files={"weights.bin": "w" * (11 * MIB)})
    maker = promoter()
    maker.objects = S3Objects(bucket, part=5 * MIB)
    killed(
        lambda: maker.promote(model, number, "champion", "r1"),
        "CompleteMultipartUpload",
        1,
    )
    assert not any(key.endswith("weights.bin") for key in maker.objects.sizes("")), "a whole file or none"
    maker.promote(model, number, "champion", "r1")
    manifest, _ = Release(maker.objects, model, number).verify()
    assert manifest.files["weights.bin"].size == 11 * MIB


def test_source_that_changed_after_the_interruption_is_refused(
    register: Register, promoter: Factory, objects: S3Objects, name: str
) -> None:
    model = names.model(name)
    number = register(model.registered_name)
    killed(lambda: promoter().promote(model, number, "champion", "r1"), "PutObject", 4)
    (location(name, number) / "MLmodel").write_text("flavors: other")
    with pytest.raises(RefusedError, match=r"MLmodel: the release has another content .*another version"):
        promoter().promote(model, number, "champion", "r2")
    (location(name, number) / "MLmodel").unlink()
    with pytest.raises(RefusedError, match="files of an interrupted attempt that its source no longer has"):
        promoter().promote(model, number, "champion", "r2")
    assert Release(objects, model, number).manifest() is None


def test_object_that_exists_is_not_overwritten_in_one_request_or_in_parts(
    objects: S3Objects, bucket: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a" * (6 * MIB))
    in_parts = S3Objects(bucket, part=5 * MIB)
    in_parts.create_file("large", file)
    objects.create_file("small", file)
    file.write_bytes(b"b" * (6 * MIB))
    for writer, key in ((in_parts, "large"), (objects, "small")):
        with pytest.raises(ExistsError):
            writer.create_file(key, file)
        assert b"".join(writer.chunks(key)) == b"a" * (6 * MIB)


def test_promotion_whose_answers_are_lost_has_one_entry(
    register: Register,
    promoter: Factory,
    objects: S3Objects,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client repeats a request without an answer, and the object is there: it is the entry itself."""
    model = names.model(name)
    number = register(model.registered_name)
    send, lost = URLLib3Session.send, list[str]()

    def without_answer(session: URLLib3Session, request: Any) -> Any:
        answer = send(session, request)
        if request.method == "PUT" and request.url not in lost:
            lost.append(request.url)
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(URLLib3Session, "send", without_answer)
    entry = promoter().promote(model, number, "champion", "r1")
    assert any("/promotions/" in url for url in lost)
    assert Log(objects, model).entries() == [entry]


def test_requests_state_the_digests_of_what_they_send(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket with a retention refuses others, and S3 a part with another algorithm than its upload."""
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    data = os.urandom(11 * MIB)
    file = tmp_path / "file"
    file.write_bytes(data)
    send, sent = URLLib3Session.send, dict[str, Any]()

    def recorded(session: URLLib3Session, request: Any) -> Any:
        sent[request.url.rpartition("partNumber=")[2]] = request
        return send(session, request)

    monkeypatch.setattr(URLLib3Session, "send", recorded)
    objects = S3Objects(bucket, part=5 * MIB)
    objects.create_bytes("whole", data)
    objects.create_file("parts", file)
    attributes: Any = boto3.client("s3").get_object_attributes(
        Bucket=bucket, Key="parts", ObjectAttributes=["Checksum"]
    )

    def digest(part: bytes) -> str:
        return base64.b64encode(hashlib.sha256(part).digest()).decode()

    stated = {url.rpartition("/")[2]: request.headers for url, request in sent.items()}
    assert stated["whole"]["x-amz-checksum-sha256"] == digest(data).encode()
    digests = [digest(data[start : start + 5 * MIB]) for start in range(0, len(data), 5 * MIB)]
    assert [stated[number]["x-amz-checksum-sha256"].decode() for number in "123"] == digests
    assert stated["parts?uploads"]["x-amz-checksum-algorithm"] == b"SHA256"
    [completion] = [request.body for url, request in sent.items() if "parts?uploadId" in url]
    for part in digests:
        assert f"<ChecksumSHA256>{part}</ChecksumSHA256>".encode() in completion
    checksum = attributes["Checksum"]
    assert checksum["ChecksumType"] == "COMPOSITE"
    assert not checksum["ChecksumSHA256"].startswith(digest(data)), "the manifest has the digest of the file"
