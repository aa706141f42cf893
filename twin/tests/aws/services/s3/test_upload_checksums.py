"""Checksums of uploads, as S3 requires them (API reference, UploadPart and CompleteMultipartUpload)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import refused

BUCKET = "uploads-with-checksums"
PART = b"1" * (5 << 20)
LOCATION = {"LocationConstraint": "us-west-2"}


def digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


@pytest.fixture(scope="module")
def s3(clients: Clients) -> Any:
    client = clients("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=LOCATION)
    return client


@pytest.fixture
def without_checksums(clients: Clients, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that adds no checksum by itself."""
    del s3
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    return Clients(clients.server)("s3")


def begun(s3: Any, key: str, bucket: str = BUCKET, **algorithm: str) -> dict[str, Any]:
    """The place of an upload in parts."""
    place = {"Bucket": bucket, "Key": key}
    return {**place, "UploadId": s3.create_multipart_upload(**place, **algorithm)["UploadId"]}


def test_all_parts_have_the_algorithm_of_their_upload(s3: Any) -> None:
    place = begun(s3, "mixed", ChecksumAlgorithm="SHA256")
    code, text = refused(s3.upload_part, **place, PartNumber=1, Body=b"1")
    assert (code, text) == (
        "InvalidRequest",
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32",
    ), "the SDK's default"
    s3.upload_part(**place, PartNumber=1, Body=b"1", ChecksumSHA256=digest(b"1"))


def test_an_upload_with_an_algorithm_ends_with_the_checksums_of_its_parts(s3: Any) -> None:
    place = begun(s3, "parts", ChecksumAlgorithm="SHA256")
    parts: list[dict[str, Any]] = []
    for number, body in enumerate((PART, b"2"), 1):
        answer = s3.upload_part(**place, PartNumber=number, Body=body, ChecksumSHA256=digest(body))
        parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest(body)})
    bare = {"Parts": [parts[0], {key: parts[1][key] for key in ("PartNumber", "ETag")}]}
    code, text = refused(s3.complete_multipart_upload, **place, MultipartUpload=bare)
    assert code == "InvalidRequest"
    assert "created using a sha256 checksum" in text
    assert "missing for part 2" in text
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == PART + b"2"


def test_an_upload_without_an_algorithm_needs_no_checksums(s3: Any, without_checksums: Any) -> None:
    place = begun(s3, "plain")
    tag = without_checksums.upload_part(**place, PartNumber=1, Body=b"1")["ETag"]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})


def test_a_bucket_with_a_retention_takes_no_upload_without_a_checksum(
    s3: Any, without_checksums: Any
) -> None:
    bucket = "uploads-with-a-retention"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=LOCATION, ObjectLockEnabledForBucket=True)
    place = {"Bucket": bucket, "Key": "a", "Body": b"1"}
    without_checksums.put_object(**place)
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    code, text = refused(without_checksums.put_object, **place)
    assert code == "InvalidRequest"
    assert "required for Put Object requests with Object Lock" in text
    upload = begun(s3, "b", bucket)
    code, text = refused(without_checksums.upload_part, **upload, PartNumber=1, Body=b"1")
    assert "required for Put Part requests with Object Lock" in text
    s3.put_object(**place)
    without_checksums.put_object(**place, ChecksumAlgorithm="SHA256", ChecksumSHA256=digest(b"1"))
