"""Conditional writes of S3 that a bucket's policy requires, as the S3 user guide has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import allow, document, refused, role, session

BUCKET = "immutable-releases"
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"


@pytest.fixture(scope="module")
def writer(clients: Clients) -> Any:
    """A client that may write, in a bucket whose policy requires conditional writes and denies deletions."""
    arn = role(clients, "release-writer", allow("s3:PutObject", "s3:GetObject", "s3:DeleteObject"))
    s3 = clients("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    everybody = {"Effect": "Deny", "Principal": "*", "Resource": OBJECTS}
    overwrites = {
        **everybody,
        "Action": "s3:PutObject",
        "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
    }
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=document(overwrites, {**everybody, "Action": "s3:DeleteObject"})
    )
    return session(clients, arn)("s3")


def test_a_write_without_the_header_is_refused(writer: Any) -> None:
    code, _ = refused(writer.put_object, Bucket=BUCKET, Key="plain", Body=b"1")
    assert code == "AccessDenied"


def test_a_write_with_the_header_creates_and_replaces_nothing(writer: Any) -> None:
    writer.put_object(Bucket=BUCKET, Key="a", Body=b"1", IfNoneMatch="*")
    code, _ = refused(writer.put_object, Bucket=BUCKET, Key="a", Body=b"2", IfNoneMatch="*")
    assert code == "PreconditionFailed"
    assert writer.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"1"


def test_parts_of_an_upload_need_no_header_and_its_end_does(writer: Any) -> None:
    upload = writer.create_multipart_upload(Bucket=BUCKET, Key="large")["UploadId"]
    common = {"Bucket": BUCKET, "Key": "large", "UploadId": upload}
    tag = writer.upload_part(**common, PartNumber=1, Body=b"1")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    code, _ = refused(writer.complete_multipart_upload, **common, MultipartUpload=parts)
    assert code == "AccessDenied"
    writer.complete_multipart_upload(**common, MultipartUpload=parts, IfNoneMatch="*")
    assert writer.get_object(Bucket=BUCKET, Key="large")["Body"].read() == b"1"


def test_a_copy_without_the_header_is_refused(writer: Any) -> None:
    writer.put_object(Bucket=BUCKET, Key="source", Body=b"1", IfNoneMatch="*")
    code, _ = refused(
        writer.copy_object, Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "source"}
    )
    assert code == "AccessDenied"


def test_the_deployer_is_denied_too(clients: Clients, writer: Any) -> None:
    s3 = clients("s3")
    writer.put_object(Bucket=BUCKET, Key="stays", Body=b"1", IfNoneMatch="*")
    assert refused(s3.put_object, Bucket=BUCKET, Key="stays", Body=b"2")[0] == "AccessDenied"
    assert refused(s3.delete_object, Bucket=BUCKET, Key="stays")[0] == "AccessDenied"


def test_a_policy_by_the_session_tag_of_a_namespace(clients: Clients) -> None:
    """As EKS Pod Identity tags sessions: another namespace's objects are denied whatever the role allows."""
    bucket = "tagged-checkpoints"
    s3 = clients("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    tag = "aws:PrincipalTag/kubernetes-namespace"
    others = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "NotResource": f"arn:aws:s3:::{bucket}/${{{tag}}}/*",
        "Condition": {"Null": {tag: "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [others]}))
    name = "checkpoint-writer"
    arn = role(clients, name, allow("s3:*"))
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{clients.server.instance.account}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    clients("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document(trust))
    tags = [{"Key": "kubernetes-namespace", "Value": "search"}]
    pod = session(clients, arn, Tags=tags)("s3")
    pod.put_object(Bucket=bucket, Key="search/1", Body=b"1")
    assert refused(pod.put_object, Bucket=bucket, Key="ads/1", Body=b"1")[0] == "AccessDenied"
    assert refused(pod.put_object, Bucket=bucket, Key="search-ads/1", Body=b"1")[0] == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="ads/1", Body=b"1")
    assert refused(pod.get_object, Bucket=bucket, Key="ads/1")[0] == "AccessDenied"
