"""Change capture on AWS: serverless replications of DMS, from a database into files of raw.

Firehose could do it too, from a database into a table: that is in preview, and not for production (Amazon
Data Firehose developer guide, "Grant Firehose access to replicate database changes to Apache Iceberg
Tables").
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi_aws import dms, ec2, iam, kms, vpc

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.context import FILES, Context
from aiplatform.lakehouse.aws.names import CAPTURE, CAPTURE_GROUP, CAPTURE_ROLE
from aiplatform.lakehouse.ingestion import CaptureSettings

_VPC_ROLE: Final = "dms-vpc-role"
"""The role by which DMS makes network interfaces: one for an account, by this name (DMS user guide, "Creating
the IAM roles to use with AWS DMS")."""
_ENGINES: Final = {"postgresql": "postgres", "mysql": "mysql"}
_LEAST_FILE_KB: Final = 32000


def unprepared(context: Context) -> Iterator[Problem]:
    """What the account must have first, asked before anything is made."""
    if not context.settings.captures:
        return
    found = aws.iam.get_roles(name_regex=f"^{_VPC_ROLE}$", opts=pulumi.InvokeOptions(parent=context.parent))
    if not found.names:
        reason = (
            f"got some, and the account has no role {_VPC_ROLE}, by which DMS makes network interfaces; "
            "expected it to be made first, once for the account, trusted by dms.amazonaws.com and with the "
            "managed policy service-role/AmazonDMSVPCManagementRole"
        )
        yield Problem("LakehouseArgs.captures", reason)


def roles(context: Context) -> dict[str, iam.Role]:
    """What each capture works as, by its name. The policy of raw's bucket names them, so they come first."""
    return {
        capture.name: iam.Role(
            f"{context.name}-capture-{capture.name}",
            name_prefix=CAPTURE_ROLE.of(context.settings.prefix),
            description=f"Captures {capture.name} into raw",
            assume_role_policy=_trust(context),
            tags=context.settings.tags,
            opts=context.options(),
        )
        for capture in context.settings.captures
    }


def captures(
    context: Context, key: kms.Key, roles: Mapping[str, iam.Role], after: Sequence[pulumi.Resource]
) -> ec2.SecurityGroup | None:
    """The replications, and the security group that they come from: whom a database has to let in. after:
    what raw must have before files come in."""
    network = context.settings.network
    if not context.settings.captures or network is None:
        return None
    subnets = dms.ReplicationSubnetGroup(
        f"{context.name}-captures",
        replication_subnet_group_id=CAPTURE.of(context.settings.prefix),
        replication_subnet_group_description=f"Captures of {context.settings.prefix}'s lakehouse",
        subnet_ids=network.private_subnet_ids,
        tags=context.tags("captures"),
        opts=context.options(delete_before_replace=True),
    )
    group = ec2.SecurityGroup(
        f"{context.name}-captures",
        name_prefix=CAPTURE_GROUP.of(context.settings.prefix),
        description="Captures reach databases",
        vpc_id=network.vpc_id,
        tags=context.tags("captures"),
        opts=context.options(),
    )
    # The port stands in the secret.
    for purpose, first, last, cidr in (
        ("databases", 1, 65535, network.cidr),
        ("services", 443, 443, "0.0.0.0/0"),
    ):
        vpc.SecurityGroupEgressRule(
            f"{context.name}-captures-{purpose}",
            security_group_id=group.id,
            description=f"To {purpose}",
            ip_protocol="tcp",
            from_port=first,
            to_port=last,
            cidr_ipv4=cidr,
            opts=context.options(),
        )
    for capture in context.settings.captures:
        _capture(context, capture, key, roles[capture.name], subnets, group, after)
    return group


def _capture(
    context: Context,
    capture: CaptureSettings,
    key: kms.Key,
    role: iam.Role,
    subnets: dms.ReplicationSubnetGroup,
    group: ec2.SecurityGroup,
    after: Sequence[pulumi.Resource],
) -> None:
    name = f"{context.name}-capture-{capture.name}"
    called = f"{CAPTURE.of(context.settings.prefix)}-{capture.name}"
    rights = iam.RolePolicy(
        name,
        name="capture",
        role=role.name,
        policy=pulumi.Output.all(key.arn, capture.secret, capture.secret_key).apply(
            lambda arns: document(*_rights(context, capture, arns[0], arns[1], arns[2]))
        ),
        opts=context.options(),
    )
    source = dms.Endpoint(
        f"{name}-source",
        endpoint_id=f"{called}-source",
        endpoint_type="source",
        engine_name=_ENGINES[capture.engine],
        # MySQL's is said with each table.
        database_name=capture.database,
        secrets_manager_arn=capture.secret,
        secrets_manager_access_role_arn=role.arn,
        ssl_mode="require" if capture.ca_certificate is None else "verify-full",
        certificate_arn=_certificate(context, capture, name, called),
        kms_key_arn=key.arn,
        tags=context.tags(capture.name),
        opts=context.options(rights, delete_before_replace=True),
    )
    target = dms.S3Endpoint(
        f"{name}-target",
        endpoint_id=f"{called}-target",
        endpoint_type="target",
        bucket_name=context.bucket("raw"),
        bucket_folder=f"{FILES}/captures/{capture.name}",
        service_access_role_arn=role.arn,
        expected_bucket_owner=context.place.account_id,
        encryption_mode="SSE_KMS",
        server_side_encryption_kms_key_id=key.arn,
        data_format="parquet",
        parquet_version="parquet-2-0",
        compression_type="GZIP",
        # Each row says whether it was inserted, updated or deleted, and when.
        include_op_for_full_load=True,
        timestamp_column_name="captured_at",
        date_partition_enabled=True,
        cdc_max_batch_interval=capture.file_seconds,
        cdc_min_file_size=_LEAST_FILE_KB,
        kms_key_arn=key.arn,
        tags=context.tags(capture.name),
        opts=context.options(rights, *after, delete_before_replace=True),
    )
    dms.ReplicationConfig(
        name,
        replication_config_identifier=called,
        resource_identifier=called,
        replication_type="full-load-and-cdc",
        source_endpoint_arn=source.endpoint_arn,
        target_endpoint_arn=target.endpoint_arn,
        table_mappings=_tables(capture),
        start_replication=True,
        compute_config=dms.ReplicationConfigComputeConfigArgs(
            replication_subnet_group_id=subnets.replication_subnet_group_id,
            min_capacity_units=1,
            max_capacity_units=capture.capacity,
            multi_az=capture.multi_zone,
            vpc_security_group_ids=[group.id],
            kms_key_id=key.arn,
        ),
        tags=context.tags(capture.name),
        opts=context.options(delete_before_replace=True),
    )


def _certificate(
    context: Context, capture: CaptureSettings, name: str, called: str
) -> pulumi.Input[str] | None:
    if capture.ca_certificate is None:
        return None
    return dms.Certificate(
        name,
        certificate_id=called,
        certificate_pem=capture.ca_certificate,
        tags=context.tags(capture.name),
        opts=context.options(delete_before_replace=True),
    ).certificate_arn


def _trust(context: Context) -> str:
    """DMS, and DMS of this region: only the latter asks for secrets (DMS user guide, "Using secrets to access
    AWS Database Migration Service endpoints")."""
    services = ["dms.amazonaws.com", f"dms.{context.place.region}.amazonaws.com"]
    return document({"Effect": "Allow", "Principal": {"Service": services}, "Action": ["sts:AssumeRole"]})


def _rights(
    context: Context, capture: CaptureSettings, key_arn: str, secret: str, secret_key: str | None
) -> list[Statement]:
    by_secrets = f"secretsmanager.{context.place.region}.{context.place.dns_suffix}"
    return [
        allow(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], secret, sid="Credentials"),
        *(
            [
                allow(
                    ["kms:Decrypt", "kms:DescribeKey"],
                    secret_key,
                    {"StringEquals": {"kms:ViaService": by_secrets}},
                    sid="OpenSecret",
                )
            ]
            if secret_key
            else []
        ),
        allow(
            ["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"],
            context.bucket_arn("raw", f"/{FILES}/captures/{capture.name}/*"),
            sid="Files",
        ),
        allow(["s3:ListBucket", "s3:GetBucketLocation"], context.bucket_arn("raw"), sid="FindFiles"),
        allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], key_arn, sid="UseKey"),
    ]


def _tables(capture: CaptureSettings) -> str:
    """The selection of tables (DMS user guide, "Selection rules and actions")."""
    rules = [
        {
            "rule-type": "selection",
            "rule-id": str(number),
            "rule-name": str(number),
            "object-locator": dict(zip(("schema-name", "table-name"), table.split(".", 1), strict=True)),
            "rule-action": "include",
        }
        for number, table in enumerate(capture.tables, start=1)
    ]
    return json.dumps({"rules": rules})
