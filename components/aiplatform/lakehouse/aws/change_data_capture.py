"""Change data capture on AWS: serverless replications of DMS, from a database into files of raw.

Firehose replicates a database into a table, too, but only in preview and not for production (Amazon Data
Firehose developer guide, "Grant Firehose access to replicate database changes to Apache Iceberg Tables").
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi_aws import dms, ec2, vpc

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.buckets import Bucket
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.context import FILES, Context
from aiplatform.lakehouse.aws.names import CAPTURE, CAPTURE_GROUP
from aiplatform.lakehouse.ingestion import LakehouseCaptureSettings

_VPC_ROLE: Final = "dms-vpc-role"
"""The role by which DMS creates network interfaces: one in an account, with this name (DMS user guide,
"Creating the IAM roles to use with AWS DMS")."""
_ENGINES: Final = {"postgresql": "postgres", "mysql": "mysql"}
_LEAST_FILE_KB: Final = 32000


def capture_problems(context: Context) -> Iterator[Problem]:
    """Return what the account lacks for captures, before anything is created."""
    if not context.settings.captures:
        return
    roles = aws.iam.get_roles(name_regex=f"^{_VPC_ROLE}$", opts=context.invoke_options)
    if not roles.names:
        reason = (
            f"got some, and the account has no role {_VPC_ROLE}, by which DMS creates network interfaces; "
            "expected it to be created first, once for the account, trusted by dms.amazonaws.com and with "
            "the managed policy service-role/AmazonDMSVPCManagementRole"
        )
        yield Problem("LakehouseArgs.captures", reason)


def create_captures(
    context: Context, key: Key, roles: Mapping[str, ServiceRole], raw: Bucket
) -> ec2.SecurityGroup | None:
    """Create the replications; returns their security group, which the databases must allow. None without
    captures. raw: the bucket that they write to."""
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
    # The port is in the secret.
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
        _capture(context, capture, key, roles[capture.name], subnets, group, raw)
    return group


def _capture(
    context: Context,
    capture: LakehouseCaptureSettings,
    key: Key,
    role: ServiceRole,
    subnets: dms.ReplicationSubnetGroup,
    group: ec2.SecurityGroup,
    raw: Bucket,
) -> None:
    name = f"{context.name}-capture-{capture.name}"
    physical_name = f"{CAPTURE.of(context.settings.prefix)}-{capture.name}"
    source = dms.Endpoint(
        f"{name}-source",
        endpoint_id=f"{physical_name}-source",
        endpoint_type="source",
        engine_name=_ENGINES[capture.engine],
        # MySQL's databases are named with each table.
        database_name=capture.database,
        secrets_manager_arn=capture.secret,
        secrets_manager_access_role_arn=role.arn,
        ssl_mode="require" if capture.ca_certificate is None else "verify-full",
        certificate_arn=_certificate(context, capture, name, physical_name),
        kms_key_arn=key.arn,
        tags=context.tags(capture.name),
        opts=context.options(*role.policies, delete_before_replace=True),
    )
    target = dms.S3Endpoint(
        f"{name}-target",
        endpoint_id=f"{physical_name}-target",
        endpoint_type="target",
        bucket_name=context.bucket("raw"),
        bucket_folder=f"{FILES}/captures/{capture.name}",
        service_access_role_arn=role.arn,
        expected_bucket_owner=context.account.account_id,
        encryption_mode="SSE_KMS",
        server_side_encryption_kms_key_id=key.arn,
        data_format="parquet",
        parquet_version="parquet-2-0",
        compression_type="GZIP",
        # Each row states whether it was inserted, updated or deleted, and when.
        include_op_for_full_load=True,
        timestamp_column_name="captured_at",
        date_partition_enabled=True,
        cdc_max_batch_interval=capture.file_seconds,
        cdc_min_file_size=_LEAST_FILE_KB,
        kms_key_arn=key.arn,
        tags=context.tags(capture.name),
        opts=context.options(*role.policies, *raw.ready, delete_before_replace=True),
    )
    dms.ReplicationConfig(
        name,
        replication_config_identifier=physical_name,
        resource_identifier=physical_name,
        replication_type="full-load-and-cdc",
        source_endpoint_arn=source.endpoint_arn,
        target_endpoint_arn=target.endpoint_arn,
        table_mappings=_table_mappings(capture),
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
    context: Context, capture: LakehouseCaptureSettings, name: str, physical_name: str
) -> pulumi.Input[str] | None:
    if capture.ca_certificate is None:
        return None
    return dms.Certificate(
        name,
        certificate_id=physical_name,
        certificate_pem=capture.ca_certificate,
        tags=context.tags(capture.name),
        opts=context.options(delete_before_replace=True),
    ).certificate_arn


def _table_mappings(capture: LakehouseCaptureSettings) -> str:
    """Return the selection of tables (DMS user guide, "Selection rules and actions")."""
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
