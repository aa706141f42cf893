"""Parts of incomplete uploads are deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.related_resources import BUCKETS, RelatedResources, applies_to_some_objects, rules

POLICY = Policy(
    title="Incomplete uploads are deleted",
    severity="low",
    description="A large upload that is interrupted leaves its parts in the bucket: no listing shows them, "
    "no expiration of objects deletes them, and they are billed. Checkpoints of models are hundreds of "
    "gigabytes.",
    remediation="Add a lifecycle rule for the whole bucket with `abortIncompleteMultipartUpload`; on Google "
    "Cloud one with the action `AbortIncompleteMultipartUpload`.",
)

_KEEPS: Final = "keeps the parts of incomplete uploads"


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """Buckets without such a rule, except those for S3's access logs."""
    lifecycles = RelatedResources(
        stack, "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    logging = RelatedResources(stack, "targetBucket", "aws:s3/bucketLogging:BucketLogging")
    yield from check_each(stack.of(*BUCKETS), _check_bucket, lifecycles, logging)


def _check_bucket(
    bucket: Resource, lifecycles: RelatedResources, logging: RelatedResources
) -> Iterator[Outcome]:
    if logging.of(bucket) or any_of(_tests(bucket, lifecycles), lambda test: test()):
        return
    lifecycles.require_known_targets()
    yield Violation("", _KEEPS)


def _tests(bucket: Resource, lifecycles: RelatedResources) -> Sequence[Any]:
    return [lambda: any_of(rules(lifecycles.of(bucket)), _aborts), lambda: _aborts_inline(bucket)]


def _aborts(rule: Entry) -> bool:
    """Return whether a rule deletes the parts of every upload."""
    return (
        rule.known("status") == "Enabled"
        and rule.known("abortIncompleteMultipartUpload.daysAfterInitiation") is not None
        and not applies_to_some_objects(rule)
    )


def _aborts_inline(bucket: Resource) -> bool:
    """Return whether a rule in the bucket's inline configuration does, as in older programs."""
    return bucket.declared("lifecycleRules") is not None and any_of(
        bucket.entries("lifecycleRules"),
        lambda rule: (
            rule.known("enabled") is True
            and rule.known("abortIncompleteMultipartUploadDays") is not None
            and not rule.known("prefix")
        ),
    )


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Outcome]:
    """Buckets of Google Cloud, except those for usage logs of other buckets. They also keep the parts of XML
    multipart uploads, which S3 clients create, and Google's own for large files."""
    buckets = stack.of("gcp:storage/bucket:Bucket")
    logging = RelatedResources(stack, "logging", "gcp:storage/bucket:Bucket")
    names = [bucket.raw("logging.logBucket") for bucket in buckets]
    yield from check_each(buckets, _check_google_bucket, logging, names)


def _check_google_bucket(
    bucket: Resource, logging: RelatedResources, log_names: list[Any]
) -> Iterator[Outcome]:
    name = bucket.raw("name")
    if logging.of(bucket) or (isinstance(name, str) and name in log_names):
        return
    declared = bucket.declared("lifecycleRules") is not None
    if not (declared and any_of(bucket.entries("lifecycleRules"), _aborts_on_google)):
        yield Violation("lifecycleRules", _KEEPS)


def _aborts_on_google(rule: Entry) -> bool:
    if rule.known("action.type") != "AbortIncompleteMultipartUpload":
        return False
    conditions = ("condition.matchesPrefixes", "condition.matchesSuffixes")
    return not any_of(conditions, lambda path: bool(rule.fully_known(path)))
