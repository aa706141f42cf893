"""No bucket can become public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="No public buckets",
    severity="critical",
    description="A bucket stays private, whatever a policy, an ACL or a binding allows later. S3 blocks "
    "public access to a new bucket unless a program lifts the block; Google Cloud blocks it on request.",
    remediation="Set all four of `BucketPublicAccessBlock` to true and use no public ACL; set "
    "`publicAccessPrevention: enforced` on Google Cloud.",
    frameworks=("CIS AWS 2.1.4", "CIS GCP 5.1", "NIST 800-53 AC-3", "SOC 2 CC6.1"),
)

_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read")
_GRANTS: Final[Mapping[str, str]] = {"accessControlPolicy.grants": "grantee.uri", "grants": "uri"}
"""Property path of an ACL's grants -> the path of the group in a grant."""
_PUBLIC_GROUPS: Final = ("/global/AllUsers", "/global/AuthenticatedUsers")


@POLICY.on(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
def on_blocks(resource: Resource) -> Iterator[Outcome]:
    """Blocks with a part that is false, which is the default."""
    yield from check_each(_BLOCKS, _check_block, resource)


def _check_block(key: str, resource: Resource) -> Iterator[Outcome]:
    value = resource.known(key)
    if value is not True:
        yield Violation(key, f"{describe(value)}, which lifts the block of S3")


@POLICY.on(
    "aws:s3/bucketAcl:BucketAcl",
    "aws:s3/bucketAclV2:BucketAclV2",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
)
def on_acls(resource: Resource) -> Iterator[Outcome]:
    """Public canned ACLs, and ACLs with a grant to a public group."""
    yield from check_each(["acl"], _check_acl, resource)
    for path, group in _GRANTS.items():
        yield from check_each(resource.entries(path), _check_grant, group)


def _check_acl(path: str, resource: Resource) -> Iterator[Outcome]:
    acl = resource.known(path)
    if acl in _PUBLIC_ACLS:
        yield Violation(path, f"is {acl!r}, which makes every object public")


def _check_grant(grant: Entry, group: str) -> Iterator[Outcome]:
    grantee = str(grant.known(group))
    if grantee.endswith(_PUBLIC_GROUPS):
        yield Violation(grant.where(group), f"is {grantee.rpartition('/')[2]!r}, a public group")


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Buckets without public access prevention, unless the organization enforces it."""
    value = resource.known("publicAccessPrevention")
    if value != "enforced":
        yield Violation(
            "publicAccessPrevention", f"{describe(value)}, so a binding to allUsers makes it public"
        )
