"""Spec of cost.abort_abandoned_uploads."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, Stack, awaiting, resource, stack

_BUCKET = resource("aws:s3/bucket:Bucket", {"bucket": "acme"}, name="raw")
_LOGGING = resource("aws:s3/bucketLogging:BucketLogging", {"bucket": "other", "targetBucket": "acme"})


def _lifecycle(rules: Any, bucket: Any = "acme") -> Resource:
    return resource(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {"bucket": bucket, "rules": rules}
    )


def _rule(prefix: Any = "", status: str = "Enabled") -> dict[str, Any]:
    abort = {"daysAfterInitiation": 7}
    return {"status": status, "filter": {"prefix": prefix}, "abortIncompleteMultipartUpload": abort}


def _google(*rules: Any, **more: Any) -> Resource:
    return resource(
        "gcp:storage/bucket:Bucket", {"name": "raw", "lifecycleRules": [*rules], **more}, name="raw"
    )


def _google_rule(action: str = "AbortIncompleteMultipartUpload", **condition: Any) -> dict[str, Any]:
    return {"action": {"type": action}, "condition": {"age": 7, **condition}}


_USAGE = resource("gcp:storage/bucket:Bucket", {"name": "other", "lifecycleRules": [_google_rule()]})

SPEC = Spec(
    passes={
        "a rule": Stack([_BUCKET, _lifecycle([_rule()])]),
        "a bucket of access logs": Stack([_BUCKET, _LOGGING]),
        "a rule of the bucket's own": Stack(
            [
                resource(
                    "aws:s3/bucket:Bucket",
                    {"lifecycleRules": [{"enabled": True, "abortIncompleteMultipartUploadDays": 7}]},
                )
            ]
        ),
        "a rule on Google Cloud": Stack([_google(_google_rule("Delete"), _google_rule())]),
        "a rule on Google Cloud, in a preview": Stack([_google(_google_rule(withState=UNKNOWN))]),
        "a bucket of usage logs": stack(
            _google(), dataclasses.replace(_USAGE, props={**_USAGE.props, "logging": {"logBucket": "raw"}})
        ),
        "a bucket of usage logs that has no name yet": Stack(
            [
                dataclasses.replace(_google(), props={"name": UNKNOWN}),
                dataclasses.replace(
                    _USAGE,
                    props={**_USAGE.props, "logging": {"logBucket": UNKNOWN}},
                    property_dependencies={"logging": [_google().urn]},
                ),
            ]
        ),
    },
    fails={
        "no rule": Fails(Stack([_BUCKET]), "", "incomplete uploads", of="raw"),
        "objects expire, and nothing else": Fails(
            Stack([_BUCKET, _lifecycle([{"status": "Enabled", "expiration": {"days": 1}}])]), "", of="raw"
        ),
        "a rule for one folder": Fails(Stack([_BUCKET, _lifecycle([_rule("tmp/")])]), "", of="raw"),
        "no rule, in a preview": Fails(
            Stack([resource("aws:s3/bucket:Bucket", {"lifecycleRules": UNKNOWN})]), ""
        ),
        "a rule on Google Cloud that deletes alone": Fails(
            Stack([_google(_google_rule("Delete", withState=UNKNOWN))]),
            "lifecycleRules",
            "incomplete uploads",
            of="raw",
        ),
        "a rule on Google Cloud for one folder": Fails(
            Stack([_google(_google_rule(matchesPrefixes=["tmp/"]))]), "lifecycleRules", of="raw"
        ),
        "a rule for one folder, in the older form": Fails(
            Stack([_BUCKET, _lifecycle([{**_rule(), "filter": {}, "prefix": "tmp/"}])]), "", of="raw"
        ),
        "a rule that is off": Fails(Stack([_BUCKET, _lifecycle([_rule(status="Disabled")])]), "", of="raw"),
    },
    unknown={
        "Google's rules": Stack([_google({"action": {"type": UNKNOWN}, "condition": {"age": 7}})]),
        "a bucket's own rules": Stack([awaiting("aws:s3/bucket:Bucket", "lifecycleRules")]),
        "a rule for unknown objects": Stack([_BUCKET, _lifecycle([_rule(UNKNOWN)])]),
        "rules": Stack([_BUCKET, _lifecycle(UNKNOWN)]),
        "rules of an unknown bucket": Stack([_BUCKET, _lifecycle([_rule()], UNKNOWN)]),
    },
)
