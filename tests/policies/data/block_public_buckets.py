"""Spec of data.block_public_buckets."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_ALL = {
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}


def _block(**props: Any) -> Resource:
    return resource(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"bucket": "a", **_ALL, **props}
    )


def _google(**props: Any) -> Resource:
    return resource("gcp:storage/bucket:Bucket", {"location": "EU", **props})


SPEC = Spec(
    passes={
        "all four": _block(),
        "a bucket with defaults": resource("aws:s3/bucket:Bucket", {"bucket": "a"}),
        "a private ACL": resource("aws:s3/bucketAcl:BucketAcl", {"acl": "private"}),
        "enforced": _google(publicAccessPrevention="enforced"),
    },
    fails={
        "one that is false": Fails(_block(blockPublicPolicy=False), "blockPublicPolicy", "is false"),
        "three that are left out": Fails(
            resource(
                "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
                {"bucket": "a", "blockPublicAcls": True},
            ),
            "restrictPublicBuckets",
            "is not set",
            count=3,
        ),
        "a public ACL": Fails(
            resource("aws:s3/bucketAcl:BucketAcl", {"acl": "public-read"}), "acl", "'public-read'"
        ),
        "a public ACL by its older name": Fails(
            resource("aws:s3/bucketAclV2:BucketAclV2", {"acl": "public-read-write"}), "acl"
        ),
        "a grant to everyone in an ACL declared explicitly": Fails(
            resource(
                "aws:s3/bucketAcl:BucketAcl",
                {
                    "accessControlPolicy": {
                        "grants": [
                            {"grantee": {"type": "CanonicalUser", "id": "1"}, "permission": "FULL_CONTROL"},
                            {
                                "grantee": {
                                    "type": "Group",
                                    "uri": "http://acs.amazonaws.com/groups/global/AllUsers",
                                },
                                "permission": "READ",
                            },
                        ]
                    }
                },
            ),
            "accessControlPolicy.grants[1].grantee.uri",
            "'AllUsers'",
        ),
        "a bucket with defaults": Fails(_google(), "publicAccessPrevention", "is not set"),
        "inherited": Fails(
            _google(publicAccessPrevention="inherited"), "publicAccessPrevention", "'inherited'"
        ),
    },
    unknown={
        "a flag": _block(ignorePublicAcls=UNKNOWN),
        "an ACL declared explicitly": resource(
            "aws:s3/bucketAcl:BucketAcl", {"accessControlPolicy": UNKNOWN}
        ),
        "an ACL": resource("aws:s3/bucketAcl:BucketAcl", {"acl": UNKNOWN}),
        "Google's flag": _google(publicAccessPrevention=UNKNOWN),
    },
)
