"""Checkpoints of training are deleted."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.related_resources import BUCKETS, RelatedResources, objects_expire

POLICY = Policy(
    title="Checkpoints expire",
    severity="medium",
    description="Each training writes hundreds of gigabytes of checkpoints, and nothing reads them once it "
    "has ended. A bucket with the tag or label `purpose: checkpoints` deletes every object after some days.",
    remediation="Add a lifecycle rule for the whole bucket with `expiration.days`; on Google Cloud one with "
    "the action `Delete` and the condition `age` alone.",
)

_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_KEEPS = "keeps checkpoints for good"


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """S3 buckets of checkpoints."""
    yield from check_each(stack.of(*BUCKETS), _check_bucket, RelatedResources(stack, "bucket", _LIFECYCLE))


def _check_bucket(bucket: Resource, lifecycles: RelatedResources) -> Iterator[Outcome]:
    if bucket.known("tags.purpose") == "checkpoints" and not objects_expire(lifecycles.of(bucket)):
        lifecycles.require_known_targets()
        yield Violation("", _KEEPS)


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Buckets of checkpoints on Google Cloud."""
    if resource.known("labels.purpose") != "checkpoints":
        return
    if not any_of(resource.entries("lifecycleRules"), _expires_every_object):
        yield Violation("lifecycleRules", _KEEPS)


def _expires_every_object(rule: Entry) -> bool:
    if rule.known("action.type") != "Delete":
        return False
    condition = rule.mapping("condition")
    # An unknown condition may limit the rule.
    return [key for key in condition if rule.raw(f"condition.{key}") not in (None, "", [], False)] == ["age"]
