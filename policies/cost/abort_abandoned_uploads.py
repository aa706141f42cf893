"""Parts of uploads that were never ended go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import BUCKETS, Companions

POLICY = Policy(
    title="Abandoned uploads are taken away",
    severity="low",
    description="A large upload that breaks off leaves its parts in the bucket: no listing shows them, no "
    "expiration of objects takes them, and they are paid for. Checkpoints of models are hundreds of "
    "gigabytes.",
    remediation="Add a lifecycle rule for the whole bucket with `abortIncompleteMultipartUpload`.",
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """Buckets without such a rule; but those that S3 delivers access logs to."""
    lifecycles = Companions(
        stack, "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    logged = Companions(stack, "targetBucket", "aws:s3/bucketLogging:BucketLogging")
    for bucket in stack.of(*BUCKETS):
        configured = lifecycles.of(bucket)
        if logged.of(bucket) or _aborts(configured):
            continue
        if lifecycles.strays or any(each.get("rules") is UNKNOWN for each in configured):
            yield Undecided("rules")
        else:
            yield Finding("", "keeps the parts of abandoned uploads for ever", bucket)


def _aborts(configured: Sequence[Resource]) -> bool:
    return any(
        each.get(f"{path}.status") == "Enabled"
        and each.get(f"{path}.abortIncompleteMultipartUpload.daysAfterInitiation") is not None
        and each.get(f"{path}.filter.prefix") in (None, "")
        for each in configured
        for path, _ in each.items("rules")
    )
