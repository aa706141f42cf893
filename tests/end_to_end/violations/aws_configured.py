"""A program in plain pulumi_aws for policies that are configured to be stricter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS, document

FOREIGN: Final = "444455556666"
CONFIG: Final[Mapping[str, Mapping[str, Any]]] = {
    # Pulumi's key for every policy.
    "all": {"enforcementLevel": "mandatory"},
    "cost.limit_nat_gateways": {"most": 1},
    "environment.name_environments": {"required": True},
    "environment.restrict_regions": {"regions": ["us-east-1"]},
    "environment.separate_accounts": {"foreign": [FOREIGN]},
}
"""Policy -> its options in the configuration of the pack."""


def program(violates: Violations) -> None:
    """Declare everything."""
    _gateways(violates)
    _names(violates)
    _accounts(violates)
    _regions(violates)


def _gateways(violates: Violations) -> None:
    first = aws.ec2.NatGateway(
        "right-gateway",
        allocation_id="eipalloc-0123456789abcdef0",
        subnet_id="subnet-0123456789abcdef0",
        tags=TAGS,
    )
    aws.ec2.NatGateway(
        "right-inner-gateway",
        connectivity_type="private",
        subnet_id="subnet-0123456789abcdef0",
        tags=TAGS,
    )
    aws.ec2.NatGateway(
        violates("second-gateway", "cost.limit_nat_gateways"),
        allocation_id="eipalloc-0123456789abcdef1",
        subnet_id="subnet-0123456789abcdef1",
        tags=TAGS,
        opts=pulumi.ResourceOptions(depends_on=[first]),
    )


def _names(violates: Violations) -> None:
    configuration: Any = {
        "result_configuration": {
            "output_location": "s3://acme-results/",
            "encryption_configuration": {"encryption_option": "SSE_KMS", "kms_key_arn": KEY},
        }
    }

    def queries(resource: str, name: str) -> None:
        aws.athena.Workgroup(resource, name=name, configuration=configuration, tags=TAGS)

    queries("right-queries", "acme-prod-queries")
    queries(violates("of-no-environment", "environment.name_environments"), "acme-queries")


def _accounts(violates: Violations) -> None:
    def images(resource: str, account: str) -> None:
        arn = f"arn:aws:ecr:us-east-1:{account}:repository/images"
        statement = {"Action": "ecr:BatchGetImage", "Resource": arn}
        aws.iam.Policy(resource, policy=document(**statement), tags=TAGS)

    images("right-images", ACCOUNT)
    images(violates("images-of-another", "environment.separate_accounts"), FOREIGN)


def _regions(violates: Violations) -> None:
    def secret(resource: str, region: str) -> None:
        aws.secretsmanager.Secret(resource, region=region, kms_key_id=KEY, tags=TAGS)

    secret("right-secret", "us-east-1")
    secret(violates("abroad", "environment.restrict_regions"), "eu-west-1")
    aws.Provider(
        violates("provider-abroad", "environment.restrict_regions"),
        region="eu-west-1",
        allowed_account_ids=[ACCOUNT],
    )
