"""S3 through the API server: what is configured on buckets, and what S3 refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.server import ApiServer
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.resources.life import make, refused

LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


@pytest.fixture(scope="module")
def data(clients: Clients) -> str:
    return lake.bucket(clients, "settings-data").id


def policy(**statement: Any) -> str:
    full = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::settings-data/*",
        **statement,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [full]})


@pytest.mark.parametrize(
    "name", ["Upper", "ab", "a..b", "10.0.0.1", "xn--bucket", "bucket-s3alias", "under_score", "-dash"]
)
def test_names_that_s3_does_not_take_are_refused(clients: Clients, name: str) -> None:
    assert "bucket" in refused(clients.context(), lake.BUCKET, bucket=name)


def test_a_name_that_is_taken_is_refused(clients: Clients, data: str) -> None:
    with pytest.raises(CloudError) as caught:
        lake.bucket(clients, data)
    assert (caught.value.code, caught.value.path) == ("BucketAlreadyOwnedByYou", "bucket")


def test_a_lifecycle_is_returned_as_it_was_put_after_a_kill_too(clients: Clients, data: str) -> None:
    rules = [
        {
            "id": "large",
            "status": "Enabled",
            "filter": {"and": {"prefix": "a/", "objectSizeGreaterThan": 1000, "tags": {"zone": "raw"}}},
            "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
            "expiration": {"days": 90},
            "noncurrentVersionExpiration": {"noncurrentDays": 7, "newerNoncurrentVersions": 2},
        },
        {
            "id": "rest",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        },
    ]
    lifecycle = make(clients.context(), LIFECYCLE, bucket=data, rules=rules)
    assert lifecycle.outputs["rules"] == rules, "moto forgets sizes and versions"
    assert lifecycle.outputs["transitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    on = make(clients.context(), NOTIFICATION, bucket=data, eventbridge=True)
    assert on.outputs["eventbridge"] is True
    forget()
    clients.server.close()
    clients.server = ApiServer(clients.server.instance)
    assert lifecycle.read() == lifecycle.outputs
    assert on.read() == on.outputs
    changed = lifecycle.update(rules=rules[1:])
    assert [rule["id"] for rule in changed["rules"]] == ["rest"]
    for resource in (lifecycle, on):
        resource.delete()
        assert resource.read() is None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "At least one action"),
        ({"transitions": [{"days": 7, "storageClass": "STANDARD_IA"}]}, "greater than or equal to 30"),
        (
            {"transitions": [{"days": 60, "storageClass": "GLACIER"}], "expiration": {"days": 60}},
            "must be greater than",
        ),
        ({"expiration": {"days": 0}}, "positive integer"),
    ],
)
def test_a_lifecycle_that_s3_does_not_take_is_refused(
    clients: Clients, data: str, rule: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words) as caught:
        make(clients.context(), LIFECYCLE, bucket=data, rules=[{"id": "x", "status": "Enabled", **rule}])
    assert caught.value.path == "rules"


def test_logs_go_to_a_bucket_that_lets_them_come(clients: Clients, data: str) -> None:
    logs = lake.bucket(clients, "settings-logs")
    context = clients.context()
    with pytest.raises(CloudError) as caught:
        make(context, LOGGING, bucket=data, targetBucket=logs.id, targetPrefix="data/")
    assert caught.value.path == "targetBucket"
    document = json.loads(policy(Resource="arn:aws:s3:::settings-logs/*"))
    document["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::settings-logs", "arn:aws:s3:::settings-logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
    make(context, POLICY, bucket=logs.id, policy=json.dumps(document))
    logging = make(context, LOGGING, bucket=data, targetBucket=logs.id, targetPrefix="data/")
    assert logging.outputs["targetPrefix"] == "data/"
    logging.delete()
    assert logging.read() is None


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Resource": "arn:aws:s3:::another/*"}, "invalid resource"),
        ({"Action": "ec2:RunInstances"}, "invalid action"),
        ({"Principal": {"AWS": "arn:aws:iam::{account}:role/absent"}}, "Invalid principal"),
        ({"Principal": "*"}, "BlockPublicPolicy"),
    ],
)
def test_a_bucket_policy_that_s3_does_not_take_is_refused(
    clients: Clients, data: str, statement: dict[str, Any], words: str
) -> None:
    context = clients.context()
    if not clients("s3").list_buckets()["Buckets"]:
        raise AssertionError("the bucket is there")
    make(context, BLOCK, bucket=data, blockPublicPolicy=True)
    text = policy(**statement).replace("{account}", clients.server.instance.account)
    with pytest.raises(CloudError, match=words):
        make(context, POLICY, bucket=data, policy=text)


def test_object_lock_keeps_what_is_written(clients: Clients) -> None:
    context = clients.context()
    plain = lake.bucket(clients, "settings-plain")
    retention = {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}
    with pytest.raises(CloudError) as caught:
        make(context, LOCK, bucket=plain.id, rule=retention)
    assert caught.value.path == "bucket"
    raw = lake.bucket(clients, "settings-raw", objectLockEnabled=True, forceDestroy=True)
    lock = make(context, LOCK, bucket=raw.id, rule=retention)
    put = context.call("s3", "PutObject", {"Bucket": raw.id, "Key": "k", "Body": b"x"})
    longer = lock.update(rule={"defaultRetention": {"mode": "GOVERNANCE", "days": 2}})
    assert longer["rule"]["defaultRetention"]["days"] == 2, "a bucket with objects takes another retention"
    with pytest.raises(Exception, match="AccessDenied"):
        context.call("s3", "DeleteObject", {"Bucket": raw.id, "Key": "k", "VersionId": put["VersionId"]})
    suspended = {"versioningConfiguration": {"status": "Suspended"}}
    with pytest.raises(CloudError, match="cannot be changed"):
        make(context, VERSIONING, bucket=raw.id, **suspended)
    enabled = make(context, VERSIONING, bucket=raw.id, versioningConfiguration={"status": "Enabled"})
    enabled.delete()
    assert enabled.read() is not None, "the provider leaves the bucket versioned"
    raw.delete()
    assert raw.read() is None, "the deployer may pass by governance"


def test_a_bucket_is_encrypted_by_a_key_that_is_there_and_owns_its_objects(
    clients: Clients, data: str
) -> None:
    context = clients.context()
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    for arn, algorithm in ((key[:-4] + "0000", "aws:kms"), (key, "AES256")):
        default = {"sseAlgorithm": algorithm, "kmsMasterKeyId": arn}
        with pytest.raises(CloudError):
            make(context, ENCRYPTION, bucket=data, rules=[{"applyServerSideEncryptionByDefault": default}])
    default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}
    rules = [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": True}]
    encryption = make(context, ENCRYPTION, bucket=data, rules=rules)
    assert encryption.outputs["rules"][0]["applyServerSideEncryptionByDefault"] == default
    owned = make(context, OWNERSHIP, bucket=data, rule={"objectOwnership": "BucketOwnerEnforced"})
    assert owned.outputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    owned.delete()
    assert owned.read() is None


def test_a_bucket_with_objects_is_not_deleted(clients: Clients) -> None:
    full = lake.bucket(clients, "settings-full")
    clients("s3").put_object(Bucket=full.id, Key="k", Body=b"x")
    with pytest.raises(CloudError) as caught:
        full.delete()
    assert (caught.value.code, caught.value.path) == ("BucketNotEmpty", "forceDestroy")
