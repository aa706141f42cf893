"""No update of a program deletes data."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.deletion_protection import PROTECTION, is_protected
from ..framework.related_resources import BUCKETS, RelatedResources, objects_expire

POLICY = Policy(
    title="Data survives an update",
    severity="high",
    description="A renamed resource, or one that a changed property replaces, is deleted by the same update "
    "that creates its successor. `protect` or the cloud's own protection prevents that for a database; a "
    "bucket and a registry are safe while they cannot be deleted with their contents. A bucket in which "
    "every object expires within 30 days is exempt: its files are transient.",
    remediation="Set Pulumi's option `protect`, or remove `forceDestroy`, `forceDelete` and "
    "`deleteContentsOnDestroy`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    # Their data is not kept.
    levels={"dev": "disabled", "staging": "disabled"},
    teardown_exempt=True,
)

_TRANSIENT_DAYS = 30
"""The longest life of transient files."""
_FORCED = {
    "aws:ecr/repository:Repository": "forceDelete",
    "gcp:storage/bucket:Bucket": "forceDestroy",
    "gcp:bigquery/dataset:Dataset": "deleteContentsOnDestroy",
}
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_UNPROTECTED = "is set without protection: an update may delete the resource with its contents"


@POLICY.on(*PROTECTION)
def on_databases(resource: Resource) -> Iterator[Outcome]:
    """Databases and clusters that neither Pulumi nor the cloud protects."""
    if not resource.protect and not is_protected(resource):
        yield Violation("", "neither Pulumi nor the cloud prevents its deletion by an update")


@POLICY.on(*_FORCED)
def on_stores(resource: Resource) -> Iterator[Outcome]:
    """Stores that are deleted with their contents."""
    path = _FORCED[resource.type]
    # Tables that expire are no only copy.
    if resource.protect or resource.raw("defaultTableExpirationMs") is not None:
        return
    if resource.known(path) and not any_of(resource.entries("lifecycleRules"), _expires_soon):
        yield Violation(path, _UNPROTECTED)


def _expires_soon(rule: Entry) -> bool:
    """Return whether a rule deletes every object of a bucket of Google Cloud soon, by its age alone."""
    if rule.known("action.type") != "Delete":
        return False
    condition = rule.mapping("condition")
    keys = [key for key in condition if rule.known(f"condition.{key}") not in (None, "", [], False)]
    return keys == ["age"] and float(rule.known("condition.age")) <= _TRANSIENT_DAYS


@POLICY.on_stack
def on_buckets(stack: Stack) -> Iterator[Outcome]:
    """Buckets of S3, whose lifecycles are separate resources."""
    yield from check_each(stack.of(*BUCKETS), _check_bucket, RelatedResources(stack, "bucket", _LIFECYCLE))


def _check_bucket(bucket: Resource, lifecycles: RelatedResources) -> Iterator[Outcome]:
    if bucket.protect or not bucket.known("forceDestroy"):
        return
    if not objects_expire(lifecycles.of(bucket), _TRANSIENT_DAYS):
        lifecycles.require_known_targets()
        yield Violation("forceDestroy", _UNPROTECTED)
