"""Spec of cost.abort_abandoned_uploads."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource

_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="raw")
_LOGGING = resource("aws:s3/bucketLogging:BucketLogging", {"bucket": "other", "targetBucket": "acme"})


def _lifecycle(rules: Any, bucket: Any = "acme") -> Resource:
    return resource(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {"bucket": bucket, "rules": rules}
    )


def _rule(prefix: str = "", status: str = "Enabled") -> dict[str, Any]:
    abort = {"daysAfterInitiation": 7}
    return {"status": status, "filter": {"prefix": prefix}, "abortIncompleteMultipartUpload": abort}


SPEC = Spec(
    passes={
        "a rule": Stack([_BUCKET, _lifecycle([_rule()])]),
        "a bucket of access logs": Stack([_BUCKET, _LOGGING]),
    },
    fails={
        "no rule": Fails(Stack([_BUCKET]), "", "abandoned uploads", of="raw"),
        "objects expire, and nothing else": Fails(
            Stack([_BUCKET, _lifecycle([{"status": "Enabled", "expiration": {"days": 1}}])]), "", of="raw"
        ),
        "a rule for one folder": Fails(Stack([_BUCKET, _lifecycle([_rule("tmp/")])]), "", of="raw"),
        "a rule that is off": Fails(Stack([_BUCKET, _lifecycle([_rule(status="Disabled")])]), "", of="raw"),
    },
    unknown={
        "rules": Stack([_BUCKET, _lifecycle(UNKNOWN)]),
        "rules of who knows which bucket": Stack([_BUCKET, _lifecycle([_rule()], UNKNOWN)]),
    },
)
