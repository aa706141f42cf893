"""Spec of data.grant_without_acls."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _owner(value: Any) -> Resource:
    return resource(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "acme", "rule": {"objectOwnership": value}},
    )


def _google(**props: Any) -> Resource:
    return resource("gcp:storage/bucket:Bucket", {"location": "EU", **props})


SPEC = Spec(
    passes={
        "the bucket's owner decides": _owner("BucketOwnerEnforced"),
        "uniform access": _google(uniformBucketLevelAccess=True),
    },
    fails={
        "the writer's objects are the writer's": Fails(
            _owner("ObjectWriter"), "rule.objectOwnership", "'ObjectWriter'"
        ),
        "a bucket with defaults": Fails(_google(), "uniformBucketLevelAccess"),
    },
    unknown={
        "an owner": _owner(UNKNOWN),
        "a flag": _google(uniformBucketLevelAccess=UNKNOWN),
    },
)
