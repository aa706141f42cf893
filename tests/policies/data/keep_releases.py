"""Spec of data.keep_releases."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource

_BUCKET = resource(
    "aws:s3/bucket:Bucket", {"bucket": "acme", "tags": {"purpose": "releases"}}, name="releases"
)
_GOOGLE = resource("gcp:storage/bucket:Bucket", {"name": "acme", "labels": {"purpose": "releases"}})
_OBJECTS = "arn:aws:s3:::acme/*"
_DELETIONS: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "Resource": _OBJECTS,
}
_OVERWRITES: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": _OBJECTS,
    "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
}


def _policy(*statements: Any, bucket: Any = "acme") -> Resource:
    document = json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
    policy = document if statements else UNKNOWN
    return resource("aws:s3/bucketPolicy:BucketPolicy", {"bucket": bucket, "policy": policy}, name="policy")


def _granted(role: Any, kind: str = "bucketIAMMember:BucketIAMMember", **more: Any) -> Stack:
    props = {
        "bucket": "acme",
        "role": role,
        "member": "serviceAccount:a@acme.iam.gserviceaccount.com",
        **more,
    }
    return Stack([_GOOGLE, resource(f"gcp:storage/{kind}", props, name="grant")])


SPEC = Spec(
    passes={
        "a policy that denies both": Stack([_BUCKET, _policy(_DELETIONS, _OVERWRITES)]),
        "another bucket": Stack([resource("aws:s3/bucket:Bucket", {"bucket": "other"})]),
        "a writer that cannot delete": _granted("roles/storage.objectCreator"),
        "a reader": _granted("roles/storage.objectViewer"),
        "a user of another bucket": _granted("roles/storage.objectUser", bucket="other"),
    },
    fails={
        "no policy": Fails(Stack([_BUCKET]), "policy", "no policy denies to", of="releases", count=2),
        "the policy of another": Fails(
            Stack([_BUCKET, _policy(_DELETIONS, _OVERWRITES, bucket="other")]),
            "policy",
            of="releases",
            count=2,
        ),
        "deletions": Fails(
            Stack([_BUCKET, _policy(_OVERWRITES)]), "policy", "to delete a release", of="releases"
        ),
        "deletions of versions": Fails(
            Stack([_BUCKET, _policy({**_DELETIONS, "Action": "s3:DeleteObject"}, _OVERWRITES)]),
            "policy",
            "to delete a release",
            of="releases",
        ),
        "deletions by one principal": Fails(
            Stack(
                [_BUCKET, _policy({**_DELETIONS, "Principal": {"AWS": "arn:aws:iam::1:root"}}, _OVERWRITES)]
            ),
            "policy",
            "to delete a release",
            of="releases",
        ),
        "overwrites": Fails(
            Stack([_BUCKET, _policy(_DELETIONS)]), "policy", "to replace a release", of="releases"
        ),
        "every write": Fails(
            Stack([_BUCKET, _policy(_DELETIONS, {**_OVERWRITES, "Condition": {}})]),
            "policy",
            "to replace a release",
            of="releases",
        ),
        "a writer that can delete": Fails(
            _granted("roles/storage.objectAdmin"), "role", "can replace and delete", of="grant"
        ),
        "a user of a folder": Fails(
            _granted(
                "roles/storage.objectUser",
                "managedFolderIamMember:ManagedFolderIamMember",
                managedFolder="search/",
            ),
            "role",
            of="grant",
        ),
    },
    unknown={
        "an unknown policy": Stack([_BUCKET, _policy()]),
        "a policy of an unknown bucket": Stack([_BUCKET, _policy(_DELETIONS, _OVERWRITES, bucket=UNKNOWN)]),
        "an unknown role": _granted(UNKNOWN),
    },
)
