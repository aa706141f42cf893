"""Spec of data.expire_checkpoints."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, resource

_TAGS = {"tags": {"purpose": "checkpoints"}}
_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme", **_TAGS}, name="checkpoints")


def _lifecycle(bucket: Any = "acme", **rule: Any) -> Resource:
    return resource(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {"bucket": bucket, "rules": [{"status": "Enabled", **rule}]},
        name="lifecycle",
    )


def _google(*rules: Any, purpose: Any = "checkpoints") -> Resource:
    return resource("gcp:storage/bucket:Bucket", {"labels": {"purpose": purpose}, "lifecycleRules": [*rules]})


_DELETE = {"action": {"type": "Delete"}, "condition": {"age": 30}}

SPEC = Spec(
    passes={
        "a rule for every object": Stack([_BUCKET, _lifecycle(expiration={"days": 30})]),
        "another bucket": Stack([resource("aws:s3/bucket:Bucket", {"bucket": "acme"})]),
        "a rule by age": _google(_DELETE),
        "another bucket on Google Cloud": _google(purpose="releases"),
    },
    fails={
        "no lifecycle": Fails(Stack([_BUCKET]), "", "keeps checkpoints", of="checkpoints"),
        "the lifecycle of another": Fails(
            Stack([_BUCKET, _lifecycle("other", expiration={"days": 30})]), "", of="checkpoints"
        ),
        "a rule about a prefix": Fails(
            Stack([_BUCKET, _lifecycle(expiration={"days": 30}, filter={"prefix": "tmp/"})]),
            "",
            of="checkpoints",
        ),
        "a rule that deletes no object": Fails(
            Stack([_BUCKET, _lifecycle(abortIncompleteMultipartUpload={"daysAfterInitiation": 7})]),
            "",
            of="checkpoints",
        ),
        "no rules on Google Cloud": Fails(_google(), "lifecycleRules", "keeps checkpoints"),
        "a rule by age and prefix": Fails(
            _google({**_DELETE, "condition": {"age": 30, "matchesPrefixes": ["tmp/"]}}), "lifecycleRules"
        ),
    },
    unknown={
        "an unknown number of days": Stack([_BUCKET, _lifecycle(expiration={"days": UNKNOWN})]),
        "a lifecycle of an unknown bucket": Stack([_BUCKET, _lifecycle(UNKNOWN, expiration={"days": 30})]),
        "unknown rules on Google Cloud": resource(
            "gcp:storage/bucket:Bucket", {"labels": {"purpose": "checkpoints"}, "lifecycleRules": UNKNOWN}
        ),
    },
)
