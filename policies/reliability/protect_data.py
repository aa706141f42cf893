"""No update of a program takes data away."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.deletion import GUARDS, guarded

POLICY = Policy(
    title="Data survives an update",
    severity="high",
    description="A renamed resource, or one that a changed property replaces, is deleted by the same update "
    "that makes its successor. A database is kept from it by `protect` or the cloud's own protection; a "
    "bucket and a registry as long as they may not be deleted with what is in them.",
    remediation="Set Pulumi's option `protect`, or drop `forceDestroy`, `forceDelete` and "
    "`deleteContentsOnDestroy`.",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    # These are made to be thrown away.
    levels={"dev": "disabled", "staging": "disabled"},
    retiring=True,
)

_FORCED = {
    "aws:s3/bucket:Bucket": "forceDestroy",
    "aws:s3/bucketV2:BucketV2": "forceDestroy",
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
    path = _FORCED[resource.type]
    forced = resource.get(path)
    # Tables that go by themselves are nobody's only copy.
    if resource.protect or resource.get("defaultTableExpirationMs") is not None:
        return
    if forced is UNKNOWN:
        yield Undecided(path)
    elif forced:
        yield Finding(path, "is set and nothing protects it: an update may delete it with all that is in it")
