"""More of the plain pulumi_aws program: notebooks and models of SageMaker, images, zones and node groups."""

from __future__ import annotations

from typing import Any, Final

import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS

ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/models"


def program(violates: Violations) -> None:
    """Declare everything."""
    _models(violates)
    _images(violates)
    _zones(violates)
    aws.eks.NodeGroup(
        violates("nodes-without-repair", "reliability.maintain_nodes"),
        cluster_name="main",
        node_role_arn=ROLE,
        subnet_ids=["subnet-0123456789abcdef0"],
        scaling_config={"desired_size": 1, "min_size": 1, "max_size": 2},
        node_repair_config={"enabled": False},
        tags=TAGS,
    )


def _models(violates: Violations) -> None:
    container: Any = {"image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
    options: dict[str, Any] = {"execution_role_arn": ROLE, "primary_container": container, "tags": TAGS}
    aws.sagemaker.Model("right-model", enable_network_isolation=True, **options)
    aws.sagemaker.Model(violates("model-on-the-internet", "network.isolate_models"), **options)
    variant: Any = {"model_name": "ranking", "instance_type": "ml.m5.xlarge", "initial_instance_count": 1}
    served: dict[str, Any] = {"production_variants": [variant], "tags": TAGS}
    aws.sagemaker.EndpointConfiguration("right-endpoint", kms_key_arn=KEY, **served)
    aws.sagemaker.EndpointConfiguration(
        violates("endpoint-of-aws-key", "encryption.encrypt_models"), **served
    )


def _images(violates: Violations) -> None:
    image = "ami-0123456789abcdef0"
    aws.ec2.AmiLaunchPermission("right-permission", image_id=image, account_id=ACCOUNT)
    aws.ec2.AmiLaunchPermission(
        violates("image-for-all", "data.forbid_public_images"), image_id=image, group="all"
    )


def _zones(violates: Violations) -> None:
    vpc: Any = {"vpc_id": "vpc-0123456789abcdef0"}
    aws.route53.Zone("right-private-zone", name="inner.shop.example", vpcs=[vpc], tags=TAGS)
    signed = aws.route53.Zone("right-zone", name="signed.shop.example", tags=TAGS)
    aws.route53.HostedZoneDnsSec("right-signing", hosted_zone_id=signed.zone_id)
    aws.route53.Zone(
        violates("zone-without-signatures", "network.sign_zones"), name="shop.example", tags=TAGS
    )
