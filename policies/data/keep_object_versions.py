"""What is overwritten or deleted in a bucket can be had again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import BUCKETS, Companions, expire

POLICY = Policy(
    title="Buckets keep versions",
    severity="medium",
    description="An object that is overwritten or deleted by mistake can be had again. A bucket of which "
    "every object expires, such as one of logs or of temporary files, needs no versions.",
    remediation="Add a BucketVersioning with `status: Enabled`; set `versioning.enabled` or leave soft "
    "delete on with Google Cloud; or let everything in it expire.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """S3 keeps no versions unless it is said."""
    versions = Companions(stack, "bucket", "aws:s3/bucketVersioning:BucketVersioning")
    lifecycles = Companions(
        stack, "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    for bucket in stack.of(*BUCKETS):
        said = [each.get("versioningConfiguration.status") for each in versions.of(bucket)]
        own = [key for key in ("versioning", "versionings") if bucket.said(key) is not None]
        said += [each.get("enabled") for _, each in _objects(bucket, *own)]
        said.append(bucket.said("versioning"))
        if any(each is True or each == "Enabled" for each in said):
            continue
        expires = expire(lifecycles.of(bucket))
        if expires:
            continue
        if expires is None or versions.strays or UNKNOWN in said:
            yield Undecided("versioning")
        else:
            yield Finding("versioning", "is not enabled, so what is overwritten or deleted is gone", bucket)


def _objects(resource: Resource, *paths: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        for where, entry in resource.items(path):
            yield where, cast("dict[str, Any]", entry)


def _said(condition: Any) -> Iterator[str]:
    """The keys of a condition that are set."""
    if isinstance(condition, Mapping):
        for key, value in cast("Mapping[str, Any]", condition).items():
            if value is UNKNOWN or value not in (None, "", [], False):
                yield key


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Google Cloud keeps what is deleted for seven days unless it is told not to."""
    versioned = resource.get("versioning.enabled")
    kept = resource.get("softDeletePolicy.retentionDurationSeconds")
    if versioned is True or (kept is not UNKNOWN and (kept is None or float(kept) > 0)):
        return
    if any(
        resource.get(f"{path}.action.type") == "Delete"
        and list(_said(resource.get(f"{path}.condition"))) == ["age"]
        for path, _ in resource.items("lifecycleRules")
    ):
        return
    if UNKNOWN in (versioned, kept):
        yield Undecided("softDeletePolicy.retentionDurationSeconds")
    else:
        yield Finding(
            "softDeletePolicy.retentionDurationSeconds",
            "is 0 and no versions are kept, so what is overwritten or deleted is gone",
        )
