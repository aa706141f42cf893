"""Spec of encryption.encrypt_buckets."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, awaiting, resource

_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="raw")
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


_MADE = resource("aws:kms/key:Key", {"arn": UNKNOWN}, name="key")


def _configured(key: Any, bucket: Any = "acme", **more: Any) -> Resource:
    default = {"sseAlgorithm": "aws:kms", **({} if key is None else {"kmsMasterKeyId": key})}
    return resource(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {"bucket": bucket, "rules": [{"applyServerSideEncryptionByDefault": default}]},
        name="encryption",
        **more,
    )


def _older(today: Resource) -> Resource:
    """The same as a program of older days calls it."""
    token = today.type.partition("/")[0] + "/" + today.type.partition("/")[2].replace(":", "V2:") + "V2"
    return resource(token, today.props, name=today.name)


def _google(name: str, **props: Any) -> Resource:
    return resource("gcp:storage/bucket:Bucket", {"name": name, **props}, name=name)


_LOGGING = resource(
    "aws:s3/bucketLogging:BucketLogging", {"bucket": "other", "targetBucket": "acme"}, name="logs"
)

SPEC = Spec(
    passes={
        "a key": Stack([_BUCKET, _configured(_KEY)]),
        "a key that is created by the program": Stack(
            [_BUCKET, _configured(UNKNOWN, property_dependencies={"rules": [_MADE.urn]}), _MADE]
        ),
        "a key that an older program gives": Stack([_BUCKET, _older(_configured(_KEY))]),
        "a key that a bucket names itself": Stack(
            [
                resource(
                    "aws:s3/bucketV2:BucketV2",
                    {
                        "serverSideEncryptionConfigurations": [
                            {"rules": [{"applyServerSideEncryptionByDefaults": [{"kmsMasterKeyId": _KEY}]}]}
                        ]
                    },
                )
            ]
        ),
        "a bucket of access logs": Stack([_BUCKET, _LOGGING]),
        "a key on Google Cloud": Stack([_google("raw", encryption={"defaultKmsKeyName": "projects/a/b"})]),
        "a bucket of usage logs": Stack(
            [
                _google("raw", encryption={"defaultKmsKeyName": "a"}, logging={"logBucket": "logs"}),
                _google("logs"),
            ]
        ),
    },
    fails={
        "a bucket with defaults": Fails(Stack([_BUCKET]), "", "no customer-managed key", of="raw"),
        "a bucket of which a preview knows no more": Fails(
            Stack([resource("aws:s3/bucket:Bucket", {"serverSideEncryptionConfiguration": UNKNOWN})]),
            "",
            "no customer-managed key",
        ),
        "AWS's key": Fails(
            Stack([_BUCKET, _configured(None)]),
            "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId",
            of="encryption",
        ),
        "AWS's alias": Fails(
            Stack([_BUCKET, _configured("alias/aws/s3")]),
            "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId",
            "alias/aws/s3",
        ),
        "a bucket with defaults on Google Cloud": Fails(
            Stack([_google("raw")]), "encryption.defaultKmsKeyName", of="raw"
        ),
    },
    unknown={
        "a key": Stack([_BUCKET, _configured(UNKNOWN)]),
        "a key from something else": Stack(
            [_BUCKET, _configured(UNKNOWN, property_dependencies={"rules": ["elsewhere"]})]
        ),
        "a key of an unknown bucket": Stack([_BUCKET, _configured(_KEY, UNKNOWN)]),
        "what a bucket says itself": Stack(
            [awaiting("aws:s3/bucket:Bucket", "serverSideEncryptionConfiguration")]
        ),
        "Google's key": Stack([_google("raw", encryption={"defaultKmsKeyName": UNKNOWN})]),
    },
)
