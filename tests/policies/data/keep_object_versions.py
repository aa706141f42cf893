"""Spec of data.keep_object_versions."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, awaiting, resource

_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="raw")


def _versioning(status: Any, bucket: Any = "acme") -> Resource:
    return resource(
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": bucket, "versioningConfiguration": {"status": status}},
        name="versioning",
    )


def _lifecycle(**rule: Any) -> Resource:
    return resource(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {"bucket": "acme", "rules": [{"id": "a", "status": "Enabled", **rule}]},
        name="lifecycle",
    )


def _google(**props: Any) -> Resource:
    return resource("gcp:storage/bucket:Bucket", {"location": "EU", **props})


_NOTHING_KEPT = {"softDeletePolicy": {"retentionDurationSeconds": 0}}

SPEC = Spec(
    passes={
        "versions": Stack([_BUCKET, _versioning("Enabled")]),
        "a bucket of which all expires, as the provider reads it back": Stack(
            [
                _BUCKET,
                _lifecycle(
                    prefix="", filter={"prefix": "", "objectSizeGreaterThan": 0}, expiration={"days": 1}
                ),
            ]
        ),
        "a bucket of which all expires": Stack(
            [_BUCKET, _lifecycle(filter={"prefix": ""}, expiration={"days": 1})]
        ),
        "a bucket with defaults": _google(),
        "versions in place of soft delete": _google(versioning={"enabled": True}, **_NOTHING_KEPT),
        "Google's, of which all expires": _google(
            lifecycleRules=[{"action": {"type": "Delete"}, "condition": {"age": 1}}], **_NOTHING_KEPT
        ),
    },
    fails={
        "a bucket with defaults": Fails(Stack([_BUCKET]), "versioning", of="raw"),
        "as S3 makes it, in a preview": Fails(
            Stack([resource("aws:s3/bucket:Bucket", {"versioning": UNKNOWN})]), "versioning"
        ),
        "suspended": Fails(Stack([_BUCKET, _versioning("Suspended")]), "versioning", of="raw"),
        "one folder expires": Fails(
            Stack([_BUCKET, _lifecycle(filter={"prefix": "tmp/"}, expiration={"days": 1})]), "versioning"
        ),
        "only old versions expire": Fails(
            Stack([_BUCKET, _lifecycle(noncurrentVersionExpiration={"noncurrentDays": 3})]), "versioning"
        ),
        "delete markers expire, and nothing else": Fails(
            Stack([_BUCKET, _lifecycle(expiration={"days": 0, "expiredObjectDeleteMarker": True})]),
            "versioning",
        ),
        "objects with a tag expire": Fails(
            Stack(
                [
                    _BUCKET,
                    _lifecycle(
                        filter={"prefix": UNKNOWN, "tag": {"key": "keep", "value": "no"}},
                        expiration={"days": 1},
                    ),
                ]
            ),
            "versioning",
        ),
        "no soft delete": Fails(_google(**_NOTHING_KEPT), "softDeletePolicy.retentionDurationSeconds"),
        "no soft delete and some expires": Fails(
            _google(
                lifecycleRules=[
                    {"action": {"type": "Delete"}, "condition": {"age": 1, "matchesPrefixes": ["tmp/"]}}
                ],
                **_NOTHING_KEPT,
            ),
            "softDeletePolicy.retentionDurationSeconds",
        ),
    },
    unknown={
        "a status": Stack([_BUCKET, _versioning(UNKNOWN)]),
        "a bucket's own versions": Stack([awaiting("aws:s3/bucket:Bucket", "versioning")]),
        "versions of an unknown bucket": Stack([_BUCKET, _versioning("Enabled", UNKNOWN)]),
        "which objects expire": Stack(
            [_BUCKET, _lifecycle(filter={"prefix": UNKNOWN}, expiration={"days": 1})]
        ),
        "Google's soft delete": _google(softDeletePolicy={"retentionDurationSeconds": UNKNOWN}),
    },
)
