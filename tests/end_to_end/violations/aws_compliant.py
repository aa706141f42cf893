"""The compliant resources of the plain pulumi_aws program, and the documents that all its parts use."""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi_aws as aws

ACCOUNT: Final = "123456789012"
KEY: Final = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TAGS: Final = {"owner": "ml@acme.example", "cost-center": "1234", "environment": "prod"}
GITHUB: Final = "token.actions.githubusercontent.com"


def document(**statement: Any) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]})


def trust(service: str, **conditions: Any) -> str:
    """A trust policy for a service."""
    condition = {"Condition": conditions} if conditions else {}
    return document(Principal={"Service": service}, Action="sts:AssumeRole", **condition)


def compliant() -> None:
    """Declare the resources that no policy may report."""
    key = aws.kms.Key("right-key", enable_key_rotation=True, deletion_window_in_days=30, tags=TAGS)
    aws.cloudwatch.LogGroup("right-logs", retention_in_days=365, kms_key_id=key.arn, tags=TAGS)
    aws.secretsmanager.Secret("right-secret", kms_key_id=KEY, tags=TAGS)
    aws.iam.Policy(
        "right-policy",
        policy=document(Action="s3:GetObject", Resource="arn:aws:s3:::acme-orders/*"),
        tags=TAGS,
    )
    aws.iam.Role(
        "right-role",
        assume_role_policy=trust("firehose.amazonaws.com", StringEquals={"aws:SourceAccount": ACCOUNT}),
        tags=TAGS,
    )
    aws.iam.Role(
        "right-deployer",
        assume_role_policy=document(
            Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={
                "StringEquals": {
                    f"{GITHUB}:aud": "sts.amazonaws.com",
                    f"{GITHUB}:sub": "repo:acme/platform:environment:prod",
                }
            },
        ),
        tags=TAGS,
    )
    vpc = aws.ec2.Vpc("right-network", cidr_block="10.1.0.0/16", tags=TAGS)
    aws.ec2.DefaultSecurityGroup("right-closed", vpc_id=vpc.id, tags=TAGS)
    group = aws.ec2.SecurityGroup("right-group", description="What serves", vpc_id=vpc.id, tags=TAGS)
    aws.vpc.SecurityGroupIngressRule(
        "right-opening",
        security_group_id=group.id,
        description="From the network itself",
        cidr_ipv4="10.1.0.0/16",
        ip_protocol="tcp",
        from_port=8443,
        to_port=8443,
        tags=TAGS,
    )
    aws.ec2.FlowLog(
        "right-flow-log",
        vpc_id=vpc.id,
        traffic_type="ALL",
        log_destination_type="s3",
        log_destination="arn:aws:s3:::acme-flow-logs",
        tags=TAGS,
    )
    aws.dynamodb.Table(
        "right-table",
        attributes=[{"name": "id", "type": "S"}],
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True, "kms_key_arn": KEY},
        deletion_protection_enabled=True,
        tags=TAGS,
    )
    images = aws.ecr.Repository(
        "right-images",
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
        encryption_configurations=[{"encryption_type": "KMS", "kms_key": KEY}],
        tags=TAGS,
    )
    aws.ecr.LifecyclePolicy(
        "right-expiry",
        repository=images.name,
        policy=json.dumps(
            {
                "rules": [
                    {
                        "rulePriority": 1,
                        "selection": {
                            "tagStatus": "untagged",
                            "countType": "sinceImagePushed",
                            "countUnit": "days",
                            "countNumber": 14,
                        },
                        "action": {"type": "expire"},
                    }
                ]
            }
        ),
    )


def compliant_bucket() -> None:
    """A bucket and what is said of it."""
    bucket = aws.s3.Bucket("right-bucket", bucket="acme-orders", tags=TAGS)
    aws.s3.BucketPublicAccessBlock(
        "right-block",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    aws.s3.BucketVersioning(
        "right-versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        "right-encryption",
        bucket=bucket.id,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": KEY,
                },
                "bucket_key_enabled": True,
            }
        ],
    )
    aws.s3.BucketPolicy(
        "right-transport",
        bucket=bucket.id,
        policy=document(
            Effect="Deny",
            Principal="*",
            Action="s3:*",
            Resource=["arn:aws:s3:::acme-orders", "arn:aws:s3:::acme-orders/*"],
            Condition={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
    aws.s3.BucketLifecycleConfiguration(
        "right-lifecycle",
        bucket=bucket.id,
        rules=[
            {
                "id": "old",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                "noncurrent_version_expiration": {"noncurrent_days": 30},
            }
        ],
    )
