"""A program in plain pulumi_aws: a dozen resources that are right, and faults beside them."""

from __future__ import annotations

import pulumi_aws as aws

from tests.end_to_end.seeded import Seeds
from tests.end_to_end.seeded.aws_right import ACCOUNT, GITHUB, KEY, TAGS, document, right, right_bucket, trust


def program(seed: Seeds) -> None:
    """Declare everything."""
    aws.Provider(seed("any-account-at-hand", "environment.pin_accounts"), region="us-east-1")
    right()
    right_bucket()
    _identities(seed)
    _network(seed)
    _data(seed)
    _buckets(seed)
    _nodes(seed)


def _identities(seed: Seeds) -> None:
    _rights(seed)
    _trust(seed)
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
    aws.iam.RolePolicyAttachment(
        seed("administrator-of-all", "identity.forbid_admin_rights"),
        role="ingest",
        policy_arn="arn:aws:iam::aws:policy/AdministratorAccess",
    )


def _rights(seed: Seeds) -> None:
    aws.iam.Policy(
        seed("everything", "identity.forbid_wildcard_actions", "identity.forbid_admin_rights"),
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
    aws.iam.Policy(
        seed("becomes-any-role", "identity.scope_impersonation"),
        policy=document(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/*"),
        tags=TAGS,
    )
    aws.iam.Policy(
        seed("gives-itself-rights", "identity.forbid_privilege_escalation"),
        policy=document(Action="iam:PutRolePolicy", Resource=f"arn:aws:iam::{ACCOUNT}:role/app"),
        tags=TAGS,
    )


def _trust(seed: Seeds) -> None:
    aws.iam.Role(
        seed("whole-account", "identity.limit_account_trust"),
        assume_role_policy=document(
            Principal={"AWS": "arn:aws:iam::210987654321:root"}, Action="sts:AssumeRole"
        ),
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
    vpc = aws.ec2.Vpc(
        seed("open-network", "network.close_default_security_groups", "network.log_flows"),
        cidr_block="10.2.0.0/16",
        tags=TAGS,
    )
    aws.ec2.Subnet(
        seed("public-addresses", "network.keep_nodes_private"),
        vpc_id=vpc.id,
        cidr_block="10.2.0.0/24",
        map_public_ip_on_launch=True,
        tags=TAGS,
    )
    aws.ec2.VpcEndpoint(
        seed("way-to-strangers", "network.restrict_endpoint_policies"),
        vpc_id=vpc.id,
        service_name="com.amazonaws.us-east-1.s3",
        tags=TAGS,
    )
    aws.eks.Addon(
        seed("no-network-policies", "kubernetes.enforce_network_policies", "supply_chain.pin_versions"),
        cluster_name="main",
        addon_name="vpc-cni",
        tags=TAGS,
    )
    aws.eks.Cluster(
        seed(
            "open-cluster",
            "network.close_endpoints",
            "encryption.encrypt_secrets",
            "supply_chain.pin_versions",
            "reliability.guard_deletion",
        ),
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/cluster",
        vpc_config={"subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
        tags=TAGS,
    )


def _data(seed: Seeds) -> None:
    aws.rds.Instance(
        seed(
            "open-database",
            "network.keep_databases_private",
            "encryption.encrypt_databases",
            "reliability.guard_deletion",
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
        seed("logs-of-aws-key", "encryption.encrypt_logs", "reliability.keep_logs"),
        retention_in_days=30,
        tags=TAGS,
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
    aws.cloudwatch.LogGroup(seed("logs-for-ever", "cost.expire_logs"), kms_key_id=KEY, tags=TAGS)
    aws.ec2.LaunchTemplate(
        seed("credentials-for-all", "network.protect_metadata", "network.forbid_remote_shells"),
        key_name="administrator",
        metadata_options={"http_tokens": "optional"},
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


def _buckets(seed: Seeds) -> None:
    bucket = aws.s3.Bucket(
        seed(
            "forgetful-bucket",
            "data.keep_object_versions",
            "data.require_encrypted_transport",
            "reliability.protect_data",
            "encryption.encrypt_buckets",
            "cost.abort_abandoned_uploads",
        ),
        force_destroy=True,
        tags=TAGS,
    )
    aws.s3.BucketPublicAccessBlock(
        seed("block-lifted", "data.block_public_buckets"), bucket=bucket.id, block_public_acls=True
    )
    aws.s3.BucketOwnershipControls(
        seed("acls-count", "data.grant_without_acls"),
        bucket=bucket.id,
        rule={"object_ownership": "BucketOwnerPreferred"},
    )
    aws.lakeformation.Permissions(
        seed("table-for-all", "data.grant_data_by_name"),
        principal="IAM_ALLOWED_PRINCIPALS",
        permissions=["ALL"],
        database={"name": "orders"},
    )
    aws.ecr.Repository(
        seed(
            "moving-tags",
            "supply_chain.keep_tags",
            "supply_chain.scan_images",
            "cost.expire_images",
            "encryption.encrypt_results",
        ),
        tags=TAGS,
    )


def _nodes(seed: Seeds) -> None:
    role = aws.iam.Role("right-nodes", assume_role_policy=trust("ec2.amazonaws.com"), tags=TAGS)
    aws.iam.RolePolicyAttachment(
        seed("rights-of-every-pod", "identity.use_workload_identity"),
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    )
    aws.eks.NodeGroup(
        seed(
            "serving",
            "gpu.approve_accelerators",
            "gpu.cap_gpu_nodes",
            "gpu.serve_on_lasting_nodes",
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
