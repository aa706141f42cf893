"""A promotion that is killed in mid-copy continues, and leaves no release before it has all files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from conftest import FILES, Factory, Register, location

from model_release import names
from model_release.errors import RefusedError
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
