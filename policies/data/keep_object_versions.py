"""Overwritten and deleted objects can be restored."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.related_resources import BUCKETS, RelatedResources, objects_expire

POLICY = Policy(
    title="Buckets keep versions",
    severity="medium",
    description="An object that is overwritten or deleted by mistake can be restored. A bucket in which "
    "every object expires, such as one for logs or temporary files, needs no versions.",
    remediation="Add a BucketVersioning with `status: Enabled`; set `versioning.enabled` or leave soft "
    "delete on with Google Cloud; or let every object expire.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
)

_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_SOFT_DELETE = "softDeletePolicy.retentionDurationSeconds"


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """S3 buckets, which keep no versions by default."""
    versioning = RelatedResources(stack, "bucket", "aws:s3/bucketVersioning:BucketVersioning")
    lifecycles = RelatedResources(stack, "bucket", _LIFECYCLE)
    yield from check_each(stack.of(*BUCKETS), _check_bucket, versioning, lifecycles)


def _check_bucket(
    bucket: Resource, versioning: RelatedResources, lifecycles: RelatedResources
) -> Iterator[Outcome]:
    enabled = [lambda: any_of(versioning.of(bucket), _is_enabled), lambda: _is_enabled_inline(bucket)]
    conditions = [*enabled, lambda: objects_expire(lifecycles.of(bucket))]
    if not any_of(conditions, lambda test: test()):
        versioning.require_known_targets()
        yield Violation("versioning", "is not enabled, so overwritten and deleted objects are lost")


def _is_enabled(versioning: Resource) -> bool:
    return versioning.known("versioningConfiguration.status") == "Enabled"


def _is_enabled_inline(bucket: Resource) -> bool:
    """Return whether the bucket's inline configuration enables versions, as in older programs."""
    if bucket.declared("versioning") == "Enabled":
        return True
    keys = [key for key in ("versioning", "versionings") if bucket.declared(key) is not None]
    return any_of(keys, lambda key: any_of(bucket.entries(key), lambda entry: entry.known("enabled") is True))


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Buckets of Google Cloud, which keep deleted objects for seven days by default."""
    if resource.raw("versioning.enabled") is True:
        return
    if any_of(resource.entries("lifecycleRules"), _expires_every_object):
        return
    retention = resource.known(_SOFT_DELETE)
    if retention is not None and float(retention) <= 0:
        resource.known("versioning.enabled")
        yield Violation(
            _SOFT_DELETE, "is 0 and no versions are kept, so overwritten and deleted objects are lost"
        )


def _expires_every_object(rule: Entry) -> bool:
    if rule.known("action.type") != "Delete":
        return False
    condition = rule.mapping("condition")
    # An unknown condition may limit the rule.
    return [key for key in condition if rule.raw(f"condition.{key}") not in (None, "", [], False)] == ["age"]
