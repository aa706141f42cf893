"""Versions and uploads of objects, where moto alone would fail."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from twin.tests.aws.api_servers import Clients


def test_an_object_whose_newest_version_is_a_marker_is_deleted_after_versioning_ended(
    clients: Clients,
) -> None:
    s3 = clients("s3")
    bucket = {"Bucket": "versions-data"}
    s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(**bucket, Key="file", Body=b"x")
    s3.delete_object(**bucket, Key="file")
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
    versions = s3.list_object_versions(**bucket)
    objects = [
        {"Key": version["Key"], "VersionId": version["VersionId"]}
        for version in [*versions["DeleteMarkers"], *versions["Versions"]]
    ]
    assert "Errors" not in s3.delete_objects(**bucket, Delete={"Objects": objects})
    s3.delete_bucket(**bucket)


def test_an_upload_that_was_not_begun_is_not_completed(clients: Clients) -> None:
    s3 = clients("s3")
    s3.create_bucket(Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    parts = {"Parts": [{"ETag": "x", "PartNumber": 1}]}
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.complete_multipart_upload(Bucket="uploads", Key="file", UploadId="x", MultipartUpload=parts)
