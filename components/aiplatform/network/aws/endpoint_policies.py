"""Policies of the gateway endpoints of S3 and DynamoDB, and of the interface endpoints of services that store
data and keys. An endpoint's policy grants no permission; it prevents that permissions which are granted
elsewhere are used to copy data into other accounts.

All of the region's S3 traffic uses the endpoint, also in a network with NAT, so the policy has to list the
buckets of other accounts that nodes read: layers of images, and packages.
"""

from collections.abc import Sequence
from typing import Final

from pulumi import Input

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform._shared.outputs import checked, mapped_list
from aiplatform.network.aws.args import BUCKET

_READABLE: Final = (
    # The layers of images in ECR, EKS's own too (ECR user guide, "Minimum Amazon S3 bucket permissions for
    # Amazon ECR").
    "prod-{region}-starport-layer-bucket",
    # Packages of Amazon Linux 2023 (its user guide, "Deterministic upgrades"; one name in all regions).
    "al2023-repos-{region}-de612dc2",
    # To a node on AWS registry.k8s.io answers with the bucket of its region (kubernetes/registry.k8s.io,
    # cmd/archeio): the Cluster Autoscaler's image.
    "prod-registry-k8s-io-{region}",
    # Docker Hub answers clients on AWS with its bucket (docker/hub-feedback, issue 1318); where that is in
    # another region, its traffic does not pass here.
    "docker-images-prod",
    # Where CodeBuild keeps what it runs jobs of GitHub Actions with (the variable CODEBUILD_ACTION_RUNNER_URL
    # of a build); from a network whose endpoint shuts it out the download gets AccessDenied.
    "codefactory-{region}-prod-default-build-agent-executor",
)
"""Buckets of others that nodes read from."""

_READABLE_IN: Final = {
    # To clients in the region of its bucket quay.io answers with that instead of its CDN (quay/quay,
    # storage/cloud.py).
    "us-east-1": ("quayio-production-s3",),
}
"""Region -> buckets of others that nodes read from there alone."""


def s3(account: Account, readable: Input[Sequence[Input[str]]]) -> Input[str]:
    """Return a policy for principals and buckets of the account; all may read the buckets above and
    `readable`."""
    path = "NetworkArgs.aws.readable_buckets"
    return mapped_list(
        readable,
        lambda names: _s3(account, [checked(name, f"{path}[{i}]", BUCKET) for i, name in enumerate(names)]),
    )


def _s3(account: Account, readable: Sequence[str]) -> str:
    known = (*_READABLE, *_READABLE_IN.get(account.region, ()))
    buckets = [name.format(region=account.region) for name in known] + list(readable)
    arns = [f"arn:{account.partition}:s3:::{name}" for name in buckets]
    return document(
        _account_only(account, "s3:*"),
        {
            "Sid": "ReadOthers",
            "Effect": "Allow",
            "Principal": "*",
            # Requests are unsigned, or signed by the bucket's owner (ECR): no condition on the principal.
            "Action": ["s3:GetObject"],
            "Resource": [f"{arn}/*" for arn in arns],
        },
        *([_listing(account, readable)] if readable else []),
    )


def dynamodb(account: Account) -> str:
    """Return a policy for principals and tables of the account."""
    return document(_account_only(account, "dynamodb:*"))


DATA: Final[dict[str, str]] = {
    "athena": "athena",
    "dms": "dms",
    "glue": "glue",
    "kinesis-firehose": "firehose",
    "kinesis-streams": "kinesis",
    "kms": "kms",
    "lakeformation": "lakeformation",
    "s3tables": "s3tables",
    "secretsmanager": "secretsmanager",
}
"""Interface endpoint that carries data or secrets -> its service in policies."""


def interface(account: Account, endpoint: str) -> str | None:
    """Return a policy that allows only principals of the account, for endpoints that carry data: credentials
    of another account, which code could bring along, reach nothing through it. None for other services: nodes
    and images need them without conditions, and accounts of AWS answer there."""
    service = DATA.get(endpoint)
    if service is None:
        return None
    condition = {"StringEquals": {"aws:PrincipalAccount": account.account_id}}
    # No condition on the account of the resource: requests without one (lakeformation:GetDataAccess) would
    # fail it.
    return document({**_account_only(account, f"{service}:*"), "Condition": condition})


def _account_only(account: Account, action: str) -> Statement:
    return {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Principal": "*",
        # IAM decides what a principal may do; this decides on whose data.
        "Action": [action],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "aws:PrincipalAccount": account.account_id,
                "aws:ResourceAccount": account.account_id,
            }
        },
    }


def _listing(account: Account, readable: Sequence[str]) -> Statement:
    return {
        "Sid": "ListOthers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
        "Resource": [f"arn:{account.partition}:s3:::{name}" for name in readable],
    }
