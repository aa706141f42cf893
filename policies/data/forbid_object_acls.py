"""Policies and bindings alone decide on access to objects."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="No ACLs on objects",
    severity="medium",
    description="Policies and bindings alone decide on access to objects. With ACLs the writer of an object "
    "decides who else reads it, and a review of the policies does not show it.",
    remediation="Leave `objectOwnership` at `BucketOwnerEnforced`, S3's default; set "
    "`uniformBucketLevelAccess: true` on Google Cloud.",
    frameworks=("CIS GCP 5.2", "NIST 800-53 AC-3", "SOC 2 CC6.3"),
)


@POLICY.on("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Ownership controls that enable ACLs; they are disabled by default."""
    path = "rule.objectOwnership"
    value = resource.known(path)
    if value != "BucketOwnerEnforced":
        yield Violation(path, f"{describe(value)}, which enables ACLs")


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Buckets with ACLs, which are enabled by default."""
    value = resource.known("uniformBucketLevelAccess")
    if value is not True:
        yield Violation("uniformBucketLevelAccess", f"{describe(value)}, so ACLs of objects apply as well")
