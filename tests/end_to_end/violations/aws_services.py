"""More of the plain pulumi_aws program: tables, load balancers, machines, functions and notebooks, with
compliant ones."""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.aws_compliant import ACCOUNT, KEY, TAGS, document

SUBNETS: Final = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
GROUP: Final = "sg-0123456789abcdef0"


def program(violates: Violations) -> pulumi.Output[str]:
    """Declare everything. Returns the arn of a machine, which a preview does not know."""
    _addresses(violates)
    _older_bucket(violates)
    _keys(violates)
    _tables(violates)
    _caches(violates)
    _egress(violates)
    _users(violates)
    _callers(violates)
    _notebooks(violates)
    _cluster(violates)
    _places(violates)
    return _machines(violates)


def _addresses(violates: Violations) -> None:
    used = aws.ec2.Eip("right-address", domain="vpc", tags=TAGS)
    aws.ec2.NatGateway("right-gateway", allocation_id=used.id, subnet_id=SUBNETS[0], tags=TAGS)
    aws.ec2.Eip(violates("idle-address", "cost.attach_addresses"), domain="vpc", tags=TAGS)


def _older_bucket(violates: Violations) -> None:
    """Buckets of programs that were written for an older version of the provider."""
    bucket = aws.s3.BucketV2("right-older-bucket", bucket="acme-older", tags=TAGS)
    aws.s3.BucketServerSideEncryptionConfigurationV2(
        "right-older-encryption",
        bucket=bucket.id,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": KEY,
                }
            }
        ],
    )
    aws.s3.BucketVersioningV2(
        "right-older-versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
    )
    aws.s3.BucketLifecycleConfigurationV2(
        "right-older-lifecycle",
        bucket=bucket.id,
        rules=[
            {
                "id": "parts",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            }
        ],
    )
    aws.s3.BucketPolicy(
        "right-older-transport",
        bucket=bucket.id,
        policy=document(
            Effect="Deny",
            Principal="*",
            Action="s3:*",
            Resource=["arn:aws:s3:::acme-older", "arn:aws:s3:::acme-older/*"],
            Condition={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
    aws.s3.BucketPublicAccessBlock(
        "right-older-block",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    plain = aws.s3.Bucket(
        violates("bucket-as-it-comes", "encryption.encrypt_buckets", "cost.abort_abandoned_uploads"),
        tags=TAGS,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        violates("key-of-aws", "encryption.encrypt_buckets"),
        bucket=aws.s3.Bucket(
            violates("bucket-of-aws-key", "data.expire_checkpoints", "data.keep_object_versions"),
            tags={**TAGS, "purpose": "checkpoints"},
        ).id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}],
    )
    # Objects of a bucket expire, its unfinished uploads do not.
    aws.s3.BucketLifecycleConfiguration(
        "right-expiry-of-objects",
        bucket=plain.id,
        rules=[{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30}}],
    )


def _keys(violates: Violations) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/keys"

    def policy(action: Any) -> str:
        statements = [
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"},
            {"Principal": {"AWS": role}, "Action": action},
        ]
        body = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
        return json.dumps({"Version": "2012-10-17", "Statement": body})

    options: dict[str, Any] = {"enable_key_rotation": True, "deletion_window_in_days": 30, "tags": TAGS}
    ruled = aws.kms.Key("right-ruled-key", policy=policy(["kms:Describe*", "kms:Put*"]), **options)
    aws.cloudwatch.LogGroup("right-ruled-logs", retention_in_days=365, kms_key_id=ruled.arn, tags=TAGS)
    aws.kms.Key(
        violates("rules-and-reads", "identity.separate_key_duties", "encryption.forbid_unused_keys"),
        policy=policy("kms:*"),
        **options,
    )


def _tables(violates: Violations) -> None:
    def columns(*names: str) -> Any:
        return {"columns": [{"name": name, "type": "string"} for name in names]}

    riders = aws.glue.CatalogTable(
        "right-riders",
        database_name="curated",
        name="riders",
        storage_descriptor=columns("rider_id", "rider_email"),
    )
    aws.lakeformation.ResourceLfTags(
        "right-classification",
        lf_tags=[{"key": "classification", "value": "pii"}],
        table_with_columns={
            "database_name": "curated",
            "name": riders.name,
            "column_names": ["rider_email"],
        },
    )
    aws.glue.CatalogTable(
        violates("unmarked", "data.classify_personal_columns"),
        database_name="curated",
        name="drivers",
        storage_descriptor=columns("driver_id", "driver_phone"),
    )
    aws.dynamodb.Table(
        violates("gone-when-overwritten", "data.enable_point_in_time_recovery"),
        attributes=[{"name": "id", "type": "S"}],
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        server_side_encryption={"enabled": True, "kms_key_arn": KEY},
        deletion_protection_enabled=True,
        tags=TAGS,
    )
    aws.athena.Workgroup("right-queries", **_queries("SSE_KMS", kms_key_arn=KEY))
    aws.athena.Workgroup(violates("results-of-s3-key", "encryption.encrypt_results"), **_queries("SSE_S3"))


def _queries(option: str, **key: str) -> dict[str, Any]:
    """The arguments of a workgroup whose results are encrypted so."""
    results = {
        "output_location": "s3://acme-results/",
        "encryption_configuration": {"encryption_option": option, **key},
    }
    return {"configuration": {"result_configuration": results}, "tags": TAGS}


def _caches(violates: Violations) -> None:
    options: dict[str, Any] = {
        "description": "Features",
        "engine": "valkey",
        "kms_key_id": KEY,
        "at_rest_encryption_enabled": True,
        "automatic_failover_enabled": True,
        "multi_az_enabled": True,
        "num_cache_clusters": 2,
        "snapshot_retention_limit": 7,
        "tags": TAGS,
    }
    aws.elasticache.ReplicationGroup("right-cache", transit_encryption_enabled=True, **options)
    aws.elasticache.ReplicationGroup(
        violates("cache-in-the-clear", "encryption.encrypt_transport"), **options
    )


def _machines(violates: Violations) -> pulumi.Output[str]:
    disk: Any = {"encrypted": True, "kms_key_id": KEY, "volume_type": "gp3"}
    older: Any = {**disk, "volume_type": "gp2"}
    options: dict[str, Any] = {
        "ami": "ami-0123456789abcdef0",
        "instance_type": "m7i.large",
        "subnet_id": SUBNETS[0],
        "associate_public_ip_address": False,
        "metadata_options": {"http_tokens": "required", "http_put_response_hop_limit": 1},
        "tags": TAGS,
    }
    machine = aws.ec2.Instance("right-machine", root_block_device=disk, **options)
    aws.ec2.Instance(
        violates("router", "network.forbid_packet_forwarding"),
        root_block_device=disk,
        source_dest_check=False,
        **options,
    )
    aws.ec2.Instance(
        violates("older-disk", "cost.avoid_old_volumes"),
        root_block_device=older,
        **options,
    )
    volume: dict[str, Any] = {
        "availability_zone": "us-east-1a",
        "size": 100,
        "encrypted": True,
        "kms_key_id": KEY,
        "tags": TAGS,
    }
    aws.ebs.Volume("right-volume", type="gp3", **volume)
    aws.ebs.Volume(violates("older-volume", "cost.avoid_old_volumes"), **volume)
    aws.ec2.DefaultVpc(
        violates("network-that-was-there", "network.forbid_default_networks"),
        tags={**TAGS, "Name": "default"},
    )
    return machine.arn


def _egress(violates: Violations) -> None:
    aws.vpc.SecurityGroupEgressRule(
        "right-way-out",
        security_group_id=GROUP,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=TAGS,
    )
    aws.vpc.SecurityGroupEgressRule(
        violates("everything-leaves", "network.limit_egress"),
        security_group_id=GROUP,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1",
        tags=TAGS,
    )
    aws.ec2.SecurityGroup(
        violates("group-that-lets-out", "network.limit_egress"),
        description="As consoles make it",
        vpc_id="vpc-0123456789abcdef0",
        egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
        tags=TAGS,
    )


def _users(violates: Violations) -> None:
    user = aws.iam.User(violates("person", "identity.forbid_long_lived_keys"), tags=TAGS)
    aws.iam.AccessKey(violates("key-of-a-person", "identity.forbid_long_lived_keys"), user=user.name)


def _callers(violates: Violations) -> None:
    aws.lambda_.FunctionUrl("right-url", function_name="ingest", authorization_type="AWS_IAM")
    aws.lambda_.FunctionUrl(
        violates("everybody-calls", "network.restrict_functions"),
        function_name="ingest",
        authorization_type="NONE",
    )


def _notebooks(violates: Violations) -> None:
    options: dict[str, Any] = {
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/notebook",
        "instance_type": "ml.t3.medium",
        "kms_key_id": KEY,
        "subnet_id": SUBNETS[0],
        "security_groups": [GROUP],
        "tags": TAGS,
    }
    aws.sagemaker.NotebookInstance(
        "right-notebook",
        direct_internet_access="Disabled",
        root_access="Disabled",
        instance_metadata_service_configuration={"minimum_instance_metadata_service_version": "2"},
        **options,
    )
    aws.sagemaker.NotebookInstance(violates("notebook", "network.keep_workbenches_private"), **options)


def _cluster(violates: Violations) -> None:
    """Declare a cluster that violates only the policies for access, logs and support."""
    access = {
        "subnet_ids": list(SUBNETS),
        "endpoint_private_access": True,
        "endpoint_public_access": False,
    }
    options: dict[str, Any] = {
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/cluster",
        "vpc_config": access,
        "version": "1.34",
        "deletion_protection": True,
        "encryption_config": {"provider": {"key_arn": KEY}, "resources": ["secrets"]},
        "tags": TAGS,
    }
    aws.eks.Cluster(
        "right-cluster",
        access_config={"authentication_mode": "API"},
        enabled_cluster_log_types=["api", "audit", "authenticator"],
        upgrade_policy={"support_type": "STANDARD"},
        **options,
    )
    aws.eks.Cluster(
        violates(
            "cluster-as-it-comes",
            "kubernetes.forbid_legacy_access",
            "kubernetes.log_control_plane",
            "kubernetes.stay_supported",
        ),
        **options,
    )


def _places(violates: Violations) -> None:
    """What says another environment or another region than its own."""
    encrypted = _queries("SSE_KMS", kms_key_arn=KEY)
    aws.athena.Workgroup("right-name", name="acme-prod-queries", **encrypted)
    aws.athena.Workgroup(
        violates("name-of-dev", "environment.name_environments"), name="acme-dev-queries", **encrypted
    )
    aws.secretsmanager.Secret(
        violates("abroad", "environment.restrict_regions"), region="eu-west-1", kms_key_id=KEY, tags=TAGS
    )
    aws.secretsmanager.Secret(
        violates("copied-abroad", "environment.restrict_regions"),
        replicas=[{"region": "eu-west-1", "kms_key_id": KEY}],
        kms_key_id=KEY,
        tags=TAGS,
    )
