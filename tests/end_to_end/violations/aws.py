"""A program in plain pulumi_aws: a dozen compliant resources, and violations."""

from __future__ import annotations

import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import (
    ACCOUNT,
    GITHUB,
    KEY,
    TAGS,
    compliant,
    compliant_bucket,
    document,
    trust,
)


def program(violates: Violations) -> None:
    """Declare everything."""
    aws.Provider(violates("any-account-at-hand", "environment.pin_accounts"), region="us-east-1")
    compliant()
    compliant_bucket()
    _identities(violates)
    _network(violates)
    _data(violates)
    _buckets(violates)
    _nodes(violates)


def _identities(violates: Violations) -> None:
    _rights(violates)
    _trust(violates)
    aws.s3.BucketPolicy(
        violates("public-bucket", "identity.forbid_wildcard_principals"),
        bucket="acme-public",
        policy=document(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::acme-public/*"),
    )
    aws.lambda_.Permission(
        violates("any-caller", "identity.require_source_conditions"),
        action="lambda:InvokeFunction",
        function="ingest",
        principal="s3.amazonaws.com",
    )
    aws.iam.RolePolicyAttachment(
        violates("administrator-of-all", "identity.forbid_admin_rights"),
        role="ingest",
        policy_arn="arn:aws:iam::aws:policy/AdministratorAccess",
    )


def _rights(violates: Violations) -> None:
    aws.iam.Policy(
        violates("everything", "identity.forbid_wildcard_actions", "identity.forbid_admin_rights"),
        policy=document(Action="*", Resource="*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        violates("all-but-iam", "identity.forbid_inverted_grants"),
        policy=document(NotAction="iam:*", Resource="arn:aws:s3:::acme-orders/*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        violates("any-bucket", "identity.forbid_wildcard_resources"),
        policy=document(Action=["s3:ListBucket", "s3:PutObject"], Resource="*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        violates("becomes-any-role", "identity.scope_impersonation"),
        policy=document(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        violates("gives-itself-rights", "identity.forbid_privilege_escalation"),
        policy=document(Action="iam:PutRolePolicy", Resource=f"arn:aws:iam::{ACCOUNT}:role/app"),
        tags=TAGS,
    )


def _trust(violates: Violations) -> None:
    aws.iam.Role(
        violates("whole-account", "identity.limit_account_trust"),
        assume_role_policy=document(
            Principal={"AWS": "arn:aws:iam::210987654321:root"}, Action="sts:AssumeRole"
        ),
        tags=TAGS,
    )
    aws.iam.Role(
        violates("anybody", "identity.forbid_wildcard_principals"),
        assume_role_policy=document(Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        tags=TAGS,
    )
    aws.iam.Role(
        violates("any-account", "identity.require_source_conditions"),
        assume_role_policy=trust("firehose.amazonaws.com"),
        tags=TAGS,
    )
    aws.iam.Role(
        violates("any-repository", "identity.restrict_oidc_trust"),
        assume_role_policy=document(
            Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
            Action="sts:AssumeRoleWithWebIdentity",
            Condition={"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}},
        ),
        tags=TAGS,
    )


def _network(violates: Violations) -> None:
    aws.ec2.SecurityGroup(
        violates("ssh-for-all", "network.forbid_public_administration"),
        description="Administration",
        vpc_id="vpc-0123456789abcdef0",
        ingress=[{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}],
        tags=TAGS,
    )
    aws.vpc.SecurityGroupIngressRule(
        violates("service-for-all", "network.restrict_ingress"),
        security_group_id="sg-0123456789abcdef0",
        description="A service",
        cidr_ipv6="::/0",
        ip_protocol="tcp",
        from_port=8080,
        to_port=8080,
        tags=TAGS,
    )
    vpc = aws.ec2.Vpc(
        violates("open-network", "network.restrict_default_security_groups", "network.log_flows"),
        cidr_block="10.2.0.0/16",
        tags=TAGS,
    )
    aws.ec2.Subnet(
        violates("public-addresses", "network.keep_nodes_private"),
        vpc_id=vpc.id,
        cidr_block="10.2.0.0/24",
        map_public_ip_on_launch=True,
        tags=TAGS,
    )
    aws.ec2.VpcEndpoint(
        violates("way-to-strangers", "network.restrict_endpoint_policies"),
        vpc_id=vpc.id,
        service_name="com.amazonaws.us-east-1.s3",
        tags=TAGS,
    )
    aws.eks.Addon(
        violates("no-network-policies", "kubernetes.enforce_network_policies", "supply_chain.pin_versions"),
        cluster_name="main",
        addon_name="vpc-cni",
        tags=TAGS,
    )
    aws.eks.Cluster(
        violates(
            "open-cluster",
            "network.restrict_cluster_endpoints",
            "encryption.encrypt_secrets",
            "supply_chain.pin_versions",
            "reliability.enable_deletion_protection",
        ),
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/cluster",
        vpc_config={"subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
        tags=TAGS,
    )


def _data(violates: Violations) -> None:
    aws.rds.Instance(
        violates(
            "open-database",
            "network.keep_databases_private",
            "encryption.encrypt_databases",
            "reliability.enable_deletion_protection",
            "reliability.keep_backups",
            "reliability.keep_last_backup",
            "reliability.protect_data",
            "reliability.span_zones",
            "cost.require_tags",
            "cost.avoid_old_volumes",
        ),
        engine="postgres",
        engine_version="16",
        instance_class="db.t4g.medium",
        allocated_storage=20,
        storage_type="gp2",
        username="registry",
        manage_master_user_password=True,
        publicly_accessible=True,
        skip_final_snapshot=True,
    )
    aws.dynamodb.Table(
        violates("table-of-aws-key", "encryption.encrypt_databases"),
        attributes=[{"name": "id", "type": "S"}],
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        point_in_time_recovery={"enabled": True},
        deletion_protection_enabled=True,
        tags=TAGS,
    )
    aws.secretsmanager.Secret(violates("secret-of-aws-key", "encryption.encrypt_secrets"), tags=TAGS)
    aws.ssm.Parameter(
        violates("parameter-of-aws-key", "encryption.encrypt_secrets"),
        type="SecureString",
        value="not a real one",
        tags=TAGS,
    )
    aws.cloudwatch.LogGroup(
        violates("logs-of-aws-key", "encryption.encrypt_logs", "reliability.keep_logs"),
        retention_in_days=30,
        tags=TAGS,
    )
    aws.kinesis.FirehoseDeliveryStream(
        violates("stream-in-the-clear", "encryption.encrypt_messages"),
        destination="extended_s3",
        extended_s3_configuration={
            "bucket_arn": "arn:aws:s3:::acme-landing",
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/delivery",
        },
        tags=TAGS,
    )
    aws.cloudwatch.LogGroup(violates("logs-for-ever", "cost.expire_logs"), kms_key_id=KEY, tags=TAGS)
    aws.ec2.LaunchTemplate(
        violates("credentials-for-all", "network.protect_metadata", "network.forbid_remote_shells"),
        key_name="administrator",
        metadata_options={"http_tokens": "optional"},
        tags=TAGS,
    )
    aws.ec2.LaunchTemplate(
        violates("disk-in-the-clear", "encryption.encrypt_volumes"),
        block_device_mappings=[
            {"device_name": "/dev/xvda", "ebs": {"volume_size": 100, "volume_type": "gp3"}}
        ],
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
        tags=TAGS,
    )
    aws.kms.Key(violates("key-for-ever", "encryption.rotate_keys"), deletion_window_in_days=30, tags=TAGS)


def _buckets(violates: Violations) -> None:
    bucket = aws.s3.Bucket(
        violates(
            "forgetful-bucket",
            "data.keep_object_versions",
            "data.keep_releases",
            "data.require_encrypted_transport",
            "reliability.protect_data",
            "encryption.encrypt_buckets",
            "cost.abort_abandoned_uploads",
        ),
        force_destroy=True,
        tags={**TAGS, "purpose": "releases"},
    )
    aws.s3.BucketPublicAccessBlock(
        violates("block-lifted", "data.block_public_buckets"), bucket=bucket.id, block_public_acls=True
    )
    aws.s3.BucketOwnershipControls(
        violates("acls-count", "data.forbid_object_acls"),
        bucket=bucket.id,
        rule={"object_ownership": "BucketOwnerPreferred"},
    )
    aws.lakeformation.Permissions(
        violates("table-for-all", "data.grant_data_by_name"),
        principal="IAM_ALLOWED_PRINCIPALS",
        permissions=["ALL"],
        database={"name": "orders"},
    )
    aws.ecr.Repository(
        violates(
            "moving-tags",
            "supply_chain.keep_tags",
            "supply_chain.scan_images",
            "cost.expire_images",
            "encryption.encrypt_results",
        ),
        tags=TAGS,
    )


def _nodes(violates: Violations) -> None:
    role = aws.iam.Role("right-nodes", assume_role_policy=trust("ec2.amazonaws.com"), tags=TAGS)
    aws.iam.RolePolicyAttachment(
        violates("rights-of-every-pod", "identity.use_workload_identity"),
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    )
    aws.eks.NodeGroup(
        violates(
            "serving",
            "gpu.approve_accelerators",
            "gpu.cap_gpu_nodes",
            "gpu.avoid_spot_for_serving",
            "gpu.taint_gpu_nodes",
        ),
        cluster_name="main",
        node_role_arn=role.arn,
        subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        instance_types=["p3.2xlarge"],
        ami_type="AL2023_x86_64_NVIDIA",
        capacity_type="SPOT",
        scaling_config={"desired_size": 0, "min_size": 0, "max_size": 100},
        tags=TAGS,
    )
