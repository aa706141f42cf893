"""Spec of data.require_encrypted_transport."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, awaiting, resource

_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="raw")
_NAMELESS = resource("aws:s3/bucket:Bucket", {}, name="raw")


def _document(effect: str = "Deny", secure: str = "false") -> str:
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::acme", "arn:aws:s3:::acme/*"],
        "Condition": {"Bool": {"aws:SecureTransport": secure}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _policy(policy: Any, bucket: Any = "acme", **more: Any) -> Resource:
    return resource(
        "aws:s3/bucketPolicy:BucketPolicy", {"bucket": bucket, "policy": policy}, name="policy", **more
    )


SPEC = Spec(
    passes={
        "a policy that denies it": Stack([_BUCKET, _policy(_document())]),
        "a policy of a bucket that has no name yet": Stack(
            [_NAMELESS, _policy(_document(), UNKNOWN, property_dependencies={"bucket": [_NAMELESS.urn]})]
        ),
        "no bucket at all": Stack([_policy(_document(), bucket="other")]),
    },
    fails={
        "no policy": Fails(Stack([_BUCKET]), "policy", "no policy denies", of="raw"),
        "no policy, in a preview": Fails(
            Stack([resource("aws:s3/bucket:Bucket", {"policy": UNKNOWN}, name="raw")]),
            "policy",
            "no policy denies",
            of="raw",
        ),
        "no policy, as the provider reads it back": Fails(
            Stack([resource("aws:s3/bucket:Bucket", {"policy": ""}, name="raw")]),
            "policy",
            "no policy denies",
            of="raw",
        ),
        "the policy of another": Fails(
            Stack([_BUCKET, _policy(_document(), bucket="other")]), "policy", "no policy denies", of="raw"
        ),
        "a policy that allows it": Fails(
            Stack([_BUCKET, _policy(_document(effect="Allow"))]), "policy", "does not deny", of="raw"
        ),
        "a policy that denies TLS": Fails(
            Stack([_BUCKET, _policy(_document(secure="true"))]), "policy", "does not deny", of="raw"
        ),
    },
    unknown={
        "a policy that is unknown": Stack([_BUCKET, _policy(UNKNOWN)]),
        "a bucket's own policy": Stack([awaiting("aws:s3/bucket:Bucket", "policy")]),
        "a policy of an unknown bucket": Stack([_BUCKET, _policy(_document(), UNKNOWN)]),
    },
)
