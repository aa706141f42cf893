"""Objects that a program writes, through the API server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from twin.property_values import Asset
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


def test_an_object_is_written_changed_and_goes_with_all_its_versions(
    clients: Clients, tmp_path: Path
) -> None:
    context = clients.context()
    bucket = make(context, BUCKET, bucket="objects-123")
    s3 = clients("s3")
    s3.put_bucket_versioning(Bucket="objects-123", VersioningConfiguration={"Status": "Enabled"})
    registry = make(
        context, OBJECT, bucket="objects-123", key="a/registry.db", content="one", contentType="text/plain"
    )
    outputs = registry.outputs
    assert outputs["arn"] == "arn:aws:s3:::objects-123/a/registry.db"
    assert outputs["etag"] == hashlib.md5(b"one", usedforsecurity=False).hexdigest()
    assert (outputs["contentType"], outputs["storageClass"]) == ("text/plain", "STANDARD")
    first = outputs["versionId"]
    assert first
    file = tmp_path / "file"
    file.write_bytes(b"two")
    changed = registry.update(content=None, source=Asset(path=str(file)), tags={"a": "b"})
    assert changed["versionId"] != first
    assert s3.get_object(Bucket="objects-123", Key="a/registry.db")["Body"].read() == b"two"
    assert registry.read() == registry.outputs
    other = make(context, OBJECT, bucket="objects-123", key="a/registry.db.bak", content="kept")
    registry.delete()
    assert registry.read() is None
    left = s3.list_object_versions(Bucket="objects-123").get("Versions", [])
    assert [version["Key"] for version in left] == ["a/registry.db.bak"]
    other.delete()
    bucket.delete()


def test_what_s3_and_the_provider_refuse_of_an_object(clients: Clients) -> None:
    context = clients.context()
    both = refused(context, OBJECT, bucket="b", key="k", content="x", contentBase64="eA==")
    assert "conflicts with contentBase64" in both["content"]
    assert "lowercase" in refused(context, OBJECT, bucket="b", key="k", metadata={"A": "b"})["metadata.A"]
    with pytest.raises(CloudError, match="The specified bucket does not exist") as error:
        make(context, OBJECT, bucket="no-such-bucket-1", key="k", content="x")
    assert error.value.path == "bucket"
