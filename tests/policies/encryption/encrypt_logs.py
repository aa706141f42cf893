"""Spec of encryption.encrypt_logs."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

SPEC = Spec(
    passes={
        "a group with a key": resource(_GROUP, {"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/a"}),
        "a bucket with a key": resource(
            _BUCKET, {"bucketId": "flow-logs", "cmekSettings": {"kmsKeyName": "projects/a/b"}}
        ),
        "the bucket of every project": resource(_BUCKET, {"bucketId": "_Default", "retentionDays": 30}),
    },
    fails={
        "a group without": Fails(resource(_GROUP, {"retentionInDays": 30}), "kmsKeyId", "names no key"),
        "a trail without": Fails(resource("aws:cloudtrail/trail:Trail", {"s3BucketName": "a"}), "kmsKeyId"),
        "a bucket without": Fails(resource(_BUCKET, {"bucketId": "flow-logs"}), "cmekSettings.kmsKeyName"),
    },
    unknown={"a key that does not exist yet": resource(_GROUP, {"kmsKeyId": UNKNOWN})},
)
