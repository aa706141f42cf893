"""Who reads a bucket is said in one place."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No ACLs on objects",
    severity="medium",
    description="Access to objects is decided by policies and bindings alone. With ACLs a writer of one "
    "object decides who else reads it, and no review of the policies sees that.",
    remediation="Leave `objectOwnership` at `BucketOwnerEnforced`, S3's default; set "
    "`uniformBucketLevelAccess: true` on Google Cloud.",
    frameworks=("CIS GCP 5.2", "NIST 800-53 AC-3", "SOC 2 CC6.3"),
)


@POLICY.on("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """A new bucket has no ACLs until it is told otherwise."""
    path = "rule.objectOwnership"
    value = resource.get(path)
    if value is UNKNOWN:
        yield Undecided(path)
    elif value != "BucketOwnerEnforced":
        yield Finding(path, f"is {value!r}, with which ACLs count")


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """A new bucket has ACLs unless it is told otherwise."""
    value = resource.get("uniformBucketLevelAccess")
    if value is UNKNOWN:
        yield Undecided("uniformBucketLevelAccess")
    elif value is not True:
        yield Finding("uniformBucketLevelAccess", "is not set, so ACLs of objects count beside the bindings")
