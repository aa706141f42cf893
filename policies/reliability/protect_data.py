"""No update of a program takes data away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import BUCKETS, Companions, expire
from ..pack.deletion import GUARDS, guarded

POLICY = Policy(
    title="Data survives an update",
    severity="high",
    description="A renamed resource, or one that a changed property replaces, is deleted by the same update "
    "that makes its successor. A database is kept from it by `protect` or the cloud's own protection; a "
    "bucket and a registry as long as they may not be deleted with what is in them. A bucket in which "
    "nothing becomes older than 30 days is for files on their way, which are made again.",
    remediation="Set Pulumi's option `protect`, or drop `forceDestroy`, `forceDelete` and "
    "`deleteContentsOnDestroy`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    # These are made to be thrown away.
    levels={"dev": "disabled", "staging": "disabled"},
    retiring=True,
)

_DAYS = 30
"""What goes by itself so soon is no data that is kept."""
_FORCED = {
    "aws:ecr/repository:Repository": "forceDelete",
    "gcp:storage/bucket:Bucket": "forceDestroy",
    "gcp:bigquery/dataset:Dataset": "deleteContentsOnDestroy",
}


@POLICY.on(*GUARDS)
def on_databases(resource: Resource) -> Iterator[Judgement]:
    """Databases and clusters that neither side protects."""
    path, on = GUARDS[resource.type][0], guarded(resource)
    if resource.protect:
        return
    if on is UNKNOWN:
        yield Undecided(path)
    elif not on:
        yield Finding("", "neither Pulumi nor the cloud keeps an update from deleting it")


@POLICY.on(*_FORCED)
def on_stores(resource: Resource) -> Iterator[Judgement]:
    """Stores that go with what is in them."""
    # Tables that go by themselves are nobody's only copy.
    if resource.get("defaultTableExpirationMs") is None and not _soon_gone(resource):
        yield from _forced(resource, _FORCED[resource.type])


@POLICY.on_stack
def on_buckets(stack: Stack) -> Iterator[Judgement]:
    """Buckets of S3, whose lifecycles are resources of their own."""
    lifecycles = Companions(
        stack, "bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    for bucket in stack.of(*BUCKETS):
        soon = expire(lifecycles.of(bucket), _DAYS)
        if soon:
            continue
        for found in _forced(bucket, "forceDestroy"):
            if soon is None or lifecycles.strays or isinstance(found, Undecided):
                yield Undecided(found.path)
            else:
                yield Finding(found.path, found.problem, bucket)


def _forced(resource: Resource, path: str) -> Iterator[Finding | Undecided]:
    forced = resource.get(path)
    if resource.protect:
        return
    if forced is UNKNOWN:
        yield Undecided(path)
    elif forced:
        yield Finding(path, "is set and nothing protects it: an update may delete it with all that is in it")


def _soon_gone(resource: Resource) -> bool:
    """Whether a bucket of Google Cloud deletes every object soon, by a rule about its age alone."""
    for path, _ in resource.items("lifecycleRules"):
        condition = resource.get(f"{path}.condition")
        if resource.get(f"{path}.action.type") != "Delete" or not isinstance(condition, Mapping):
            continue
        asked = cast("Mapping[str, Any]", condition)
        said = [key for key, value in asked.items() if value not in (None, "", [], False)]
        age = asked.get("age")
        if said == ["age"] and age is not UNKNOWN and float(age or 0) <= _DAYS:
            return True
    return False
