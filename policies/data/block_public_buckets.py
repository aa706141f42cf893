"""No bucket can become public."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No public buckets",
    severity="critical",
    description="A bucket refuses to be public, whatever a policy, an ACL or a binding says later. S3 blocks "
    "it for a new bucket, and a program that says otherwise lifts that; Google Cloud blocks it where it is "
    "asked.",
    remediation="Set all four of `BucketPublicAccessBlock` to true and use no public ACL; set "
    "`publicAccessPrevention: enforced` on Google Cloud.",
    frameworks=("CIS AWS 2.1.4", "CIS GCP 5.1", "NIST 800-53 AC-3", "SOC 2 CC6.1"),
)

_FOUR = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
# Where an ACL's grants are, and where in one the group is.
_GRANTS = {"accessControlPolicy.grants": "grantee.uri", "grants": "uri"}
_STRANGERS = ("/global/AllUsers", "/global/AuthenticatedUsers")


@POLICY.on(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
def on_blocks(resource: Resource) -> Iterator[Judgement]:
    """What a block leaves out is false."""
    for key in _FOUR:
        value = resource.get(key)
        if value is UNKNOWN:
            yield Undecided(key)
        elif value is not True:
            yield Finding(
                key, f"{'is false' if value is False else 'is left out'}, which lifts what S3 blocks"
            )


@POLICY.on(
    "aws:s3/bucketAcl:BucketAcl",
    "aws:s3/bucketAclV2:BucketAclV2",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
)
def on_acls(resource: Resource) -> Iterator[Judgement]:
    """Canned ACLs that are public, and ACLs of one's own with a grant to everybody."""
    acl = resource.get("acl")
    if acl is UNKNOWN:
        yield Undecided("acl")
    elif acl in _PUBLIC_ACLS:
        yield Finding("acl", f"is {acl!r}, which opens every object to strangers")
    for key, group in _GRANTS.items():
        for path, _ in resource.items(key):
            to = resource.get(f"{path}.{group}")
            if to is UNKNOWN:
                yield Undecided(f"{path}.{group}")
            elif str(to).endswith(_STRANGERS):
                yield Finding(f"{path}.{group}", f"is {str(to).rpartition('/')[2]!r}, strangers")


@POLICY.on("gcp:storage/bucket:Bucket")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Without it the bucket does as its project's organisation says, if that says anything."""
    value = resource.get("publicAccessPrevention")
    if value is UNKNOWN:
        yield Undecided("publicAccessPrevention")
    elif value != "enforced":
        said = f"is {value!r}" if value else "is not set"
        yield Finding("publicAccessPrevention", f"{said}, so a binding to allUsers makes it public")
