"""Spec of reliability.protect_data."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource


def _rds(protection: Any = None, **more: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"deletionProtection": protection}, **more)


def _bucket(forced: Any = None, *others: Resource, **more: Any) -> Stack:
    return Stack(
        [resource("aws:s3/bucket:Bucket", {"bucket": "acme", "forceDestroy": forced}, **more), *others]
    )


def _expiry(days: Any, bucket: Any = "acme", **rule: Any) -> Resource:
    return resource(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "bucket": bucket,
            "rules": [{"id": "left", "status": "Enabled", "expiration": {"days": days}, **rule}],
        },
        name="lifecycle",
    )


def _google(*conditions: dict[str, Any], action: str = "Delete") -> Resource:
    rules = [{"action": {"type": action}, "condition": condition} for condition in conditions]
    return resource("gcp:storage/bucket:Bucket", {"forceDestroy": True, "lifecycleRules": rules})


SPEC = Spec(
    passes={
        "a database that Pulumi protects": _rds(protect=True),
        "a database that the cloud protects": _rds(True),
        "a bucket that is not emptied": _bucket(),
        "a bucket that is emptied, and protected": _bucket(True, protect=True),
        "a bucket of transient files": _bucket(True, _expiry(1)),
        "one on Google Cloud": _google({"age": 1}),
        "a dataset of tables that expire": resource(
            "gcp:bigquery/dataset:Dataset",
            {"deleteContentsOnDestroy": True, "defaultTableExpirationMs": 86400000},
        ),
        "a database that Pulumi protects, whatever the cloud does": _rds(UNKNOWN, protect=True),
    },
    fails={
        "a database": Fails(_rds(), "", "neither Pulumi nor the cloud"),
        "a table": Fails(resource("aws:dynamodb/table:Table", {"deletionProtectionEnabled": False}), ""),
        "a bucket": Fails(_bucket(True), "forceDestroy", "with its contents", of="it"),
        "a bucket of which a folder expires": Fails(
            _bucket(True, _expiry(1, filter={"prefix": "tmp/"})), "forceDestroy"
        ),
        "a bucket of what is kept for months": Fails(_bucket(True, _expiry(90)), "forceDestroy"),
        "a bucket whose expiry is off": Fails(_bucket(True, _expiry(1, status="Disabled")), "forceDestroy"),
        "a bucket next to one that expires": Fails(_bucket(True, _expiry(1, "other")), "forceDestroy"),
        "a bucket on Google Cloud": Fails(_google(), "forceDestroy"),
        "a bucket on Google Cloud of what is kept": Fails(_google({"age": 90}), "forceDestroy"),
        "a bucket on Google Cloud of which some expires": Fails(
            _google({"age": 1, "matchesPrefixes": ["tmp/"]}), "forceDestroy"
        ),
        "a bucket on Google Cloud whose uploads expire": Fails(
            _google({"age": 1}, action="AbortIncompleteMultipartUpload"), "forceDestroy"
        ),
        "a registry": Fails(resource("aws:ecr/repository:Repository", {"forceDelete": True}), "forceDelete"),
        "a dataset": Fails(
            resource("gcp:bigquery/dataset:Dataset", {"deleteContentsOnDestroy": True}),
            "deleteContentsOnDestroy",
        ),
    },
    unknown={
        "whether the cloud protects it": _rds(UNKNOWN),
        "whether it is emptied": _bucket(UNKNOWN),
        "how soon it expires": _bucket(True, _expiry(UNKNOWN)),
        "what expires": _bucket(True, _expiry(1, UNKNOWN)),
    },
)
