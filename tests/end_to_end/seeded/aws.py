"""A program in plain pulumi_aws: a dozen resources that are right, and faults beside them."""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi_aws as aws

from tests.end_to_end.seeded import Seeds

ACCOUNT: Final = "123456789012"
KEY: Final = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TAGS: Final = {"owner": "ml@acme.example", "cost-center": "1234", "environment": "prod"}
GITHUB: Final = "token.actions.githubusercontent.com"


def document(**statement: Any) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def trust(service: str, **conditions: Any) -> str:
    """A trust policy for a service."""
    condition = {"Condition": conditions} if conditions else {}
    return document(Principal={"Service": service}, Action="sts:AssumeRole", **condition)


def program(seed: Seeds) -> None:
    """Declare everything."""
    _right()
    _identities(seed)
    _network(seed)
    _data(seed)


def _right() -> None:
    """What no policy may accuse."""
    aws.kms.Key("right-key", enable_key_rotation=True, deletion_window_in_days=30, tags=TAGS)
    aws.cloudwatch.LogGroup("right-logs", retention_in_days=365, kms_key_id=KEY, tags=TAGS)
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
    aws.ecr.Repository(
        "right-images",
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
        encryption_configurations=[{"encryption_type": "KMS", "kms_key": KEY}],
        tags=TAGS,
    )


def _identities(seed: Seeds) -> None:
    aws.iam.Policy(
        seed("everything", "identity.forbid_wildcard_actions"),
        policy=document(Action="*", Resource="*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        seed("all-but-iam", "identity.forbid_inverted_grants"),
        policy=document(NotAction="iam:*", Resource="arn:aws:s3:::acme-orders/*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        seed("any-bucket", "identity.forbid_wildcard_resources"),
        policy=document(Action=["s3:ListBucket", "s3:PutObject"], Resource="*"),
        tags=TAGS,
    )
    aws.iam.Role(
        seed("anybody", "identity.forbid_wildcard_principals"),
        assume_role_policy=document(Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        tags=TAGS,
    )
    aws.iam.Role(
        seed("any-account", "identity.require_source_conditions"),
        assume_role_policy=trust("firehose.amazonaws.com"),
        tags=TAGS,
    )
    aws.iam.Role(
        seed("any-repository", "identity.restrict_oidc_trust"),
        assume_role_policy=document(
            Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}},
        ),
        tags=TAGS,
    )
    aws.s3.BucketPolicy(
        seed("public-bucket", "identity.forbid_wildcard_principals"),
        bucket="acme-public",
        policy=document(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::acme-public/*"),
    )
    aws.lambda_.Permission(
        seed("any-caller", "identity.require_source_conditions"),
        action="lambda:InvokeFunction",
        function="ingest",
        principal="s3.amazonaws.com",
    )


def _network(seed: Seeds) -> None:
    aws.ec2.SecurityGroup(
        seed("ssh-for-all", "network.forbid_public_administration"),
        description="Administration",
        vpc_id="vpc-0123456789abcdef0",
        ingress=[{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}],
        tags=TAGS,
    )
    aws.vpc.SecurityGroupIngressRule(
        seed("service-for-all", "network.restrict_ingress"),
        security_group_id="sg-0123456789abcdef0",
        description="A service",
        cidr_ipv6="::/0",
        ip_protocol="tcp",
        from_port=8080,
        to_port=8080,
        tags=TAGS,
    )
    aws.eks.Cluster(
        seed("open-cluster", "network.close_endpoints", "encryption.encrypt_secrets"),
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/cluster",
        vpc_config={"subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
        tags=TAGS,
    )


def _data(seed: Seeds) -> None:
    aws.rds.Instance(
        seed("open-database", "network.keep_databases_private", "encryption.encrypt_databases"),
        engine="postgres",
        engine_version="16",
        instance_class="db.t4g.medium",
        allocated_storage=20,
        username="registry",
        manage_master_user_password=True,
        publicly_accessible=True,
        skip_final_snapshot=True,
        tags=TAGS,
    )
    aws.dynamodb.Table(
        seed("table-of-aws-key", "encryption.encrypt_databases"),
        attributes=[{"name": "id", "type": "S"}],
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        point_in_time_recovery={"enabled": True},
        deletion_protection_enabled=True,
        tags=TAGS,
    )
    aws.secretsmanager.Secret(seed("secret-of-aws-key", "encryption.encrypt_secrets"), tags=TAGS)
    aws.ssm.Parameter(
        seed("parameter-of-aws-key", "encryption.encrypt_secrets"),
        type="SecureString",
        value="not a real one",
        tags=TAGS,
    )
    aws.cloudwatch.LogGroup(
        seed("logs-of-aws-key", "encryption.encrypt_logs"), retention_in_days=30, tags=TAGS
    )
    aws.kinesis.FirehoseDeliveryStream(
        seed("stream-in-the-clear", "encryption.encrypt_messages"),
        destination="extended_s3",
        extended_s3_configuration={
            "bucket_arn": "arn:aws:s3:::acme-landing",
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/delivery",
        },
        tags=TAGS,
    )
    aws.ec2.LaunchTemplate(
        seed("disk-in-the-clear", "encryption.encrypt_volumes"),
        block_device_mappings=[
            {"device_name": "/dev/xvda", "ebs": {"volume_size": 100, "volume_type": "gp3"}}
        ],
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
        tags=TAGS,
    )
    aws.kms.Key(seed("key-for-ever", "encryption.rotate_keys"), deletion_window_in_days=30, tags=TAGS)
