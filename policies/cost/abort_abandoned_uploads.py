"""Parts of uploads that were never ended go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided, holds_unknown
from ..pack.companions import BUCKETS, Companions, is_narrow
from ..pack.values import at

POLICY = Policy(
    title="Abandoned uploads are taken away",
    severity="low",
    description="A large upload that breaks off leaves its parts in the bucket: no listing shows them, no "
    "expiration of objects takes them, and they are paid for. Checkpoints of models are hundreds of "
    "gigabytes.",
    remediation="Add a lifecycle rule for the whole bucket with `abortIncompleteMultipartUpload`; on Google "
    "Cloud one with the action `AbortIncompleteMultipartUpload`.",
)

_KEPT: Final = "keeps the parts of abandoned uploads for ever"


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """Buckets without such a rule; but those that S3 delivers access logs to."""
    lifecycles = Companions(
        stack, "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    logged = Companions(stack, "targetBucket", "aws:s3/bucketLogging:BucketLogging")
    for bucket in stack.of(*BUCKETS):
        configured = lifecycles.of(bucket)
        aborts = _aborts(configured)
        if logged.of(bucket) or aborts or _aborts_itself(bucket):
            continue
        unknown = any(each.get("rules") is UNKNOWN for each in configured)
        if lifecycles.strays or unknown or aborts is None or bucket.said("lifecycleRules") is UNKNOWN:
            yield Undecided("rules")
        else:
            yield Finding("", _KEPT, bucket)


def _aborts(configured: Sequence[Resource]) -> bool | None:
    """Whether a rule takes the parts of every upload; None where that is not known yet."""
    narrow = [
        is_narrow(cast("Mapping[str, Any]", rule))
        for each in configured
        for path, rule in each.items("rules")
        if each.get(f"{path}.status") == "Enabled"
        and each.get(f"{path}.abortIncompleteMultipartUpload.daysAfterInitiation") is not None
    ]
    return True if False in narrow else None if None in narrow else False


def _aborts_itself(bucket: Resource) -> bool:
    """Whether a rule in the bucket's own properties does, as older programs have it."""
    return any(
        bucket.get(f"{path}.enabled") is True
        and bucket.get(f"{path}.abortIncompleteMultipartUploadDays") is not None
        and bucket.get(f"{path}.prefix") in (None, "")
        for path, _ in bucket.items("lifecycleRules")
    )


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Judgement]:
    """Buckets of Google Cloud, where the parts of an XML multipart upload stay, too: S3's clients make them,
    and Google's own for large files. But those that others deliver their usage logs to."""
    buckets = stack.of("gcp:storage/bucket:Bucket")
    delivered = Companions(stack, "logging", "gcp:storage/bucket:Bucket")
    names: list[Any] = [each.get("logging.logBucket") for each in buckets]
    for bucket in buckets:
        name = bucket.get("name")
        if delivered.of(bucket) or (isinstance(name, str) and name in names):
            continue
        rules = [bucket.get(path) for path, _ in bucket.items("lifecycleRules")]
        aborting = [_aborts_on_google(each) for each in rules]
        if True in aborting:
            continue
        if None in aborting or bucket.said("lifecycleRules") is UNKNOWN:
            yield Undecided("lifecycleRules")
        else:
            yield Finding("lifecycleRules", _KEPT, bucket)


def _aborts_on_google(rule: Any) -> bool | None:
    """Whether it takes the parts of every upload; None where that is not known yet."""
    action = at(rule, "action.type")
    narrow = [at(rule, f"condition.{key}") for key in ("matchesPrefixes", "matchesSuffixes")]
    if action is not UNKNOWN and action != "AbortIncompleteMultipartUpload":
        return False
    if action is UNKNOWN or any(map(holds_unknown, narrow)):
        return None
    return not any(narrow)
