"""Streams of events on AWS: Firehose, which appends to Iceberg tables."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, iam, kinesis, kms, lakeformation
from pulumi_aws.kinesis import (
    FirehoseDeliveryStreamIcebergConfigurationArgs,
    FirehoseDeliveryStreamIcebergConfigurationDestinationTableConfigurationArgs,
    FirehoseDeliveryStreamServerSideEncryptionArgs,
)
from pulumi_aws.kinesis import (
    FirehoseDeliveryStreamIcebergConfigurationCloudwatchLoggingOptionsArgs as Logging,
)
from pulumi_aws.kinesis import (
    FirehoseDeliveryStreamIcebergConfigurationS3ConfigurationArgs as Errors,
)
from pulumi_aws.kinesis import (
    FirehoseDeliveryStreamIcebergConfigurationS3ConfigurationCloudwatchLoggingOptionsArgs as ErrorLogging,
)

from aiplatform._shared.aws.logs import log_group
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.catalog_entries import Entry
from aiplatform.lakehouse.aws.context import FILES, TABLES, Context
from aiplatform.lakehouse.aws.governance import place_of_table
from aiplatform.lakehouse.aws.names import PRODUCER_POLICY, STREAM_LOGS, stream_name
from aiplatform.lakehouse.aws.roles import GET_DATA_ACCESS
from aiplatform.lakehouse.ingestion import StreamSettings
from aiplatform.lakehouse.tables import Zone

_RETRY_SECONDS: Final = 3600
"""How long what cannot be committed is tried again before it counts as an error."""
_LOG_DAYS: Final = 90
APPENDS: Final = ("ALTER", "DESCRIBE", "INSERT")


def streams(
    context: Context,
    role: iam.Role,
    key: kms.Key,
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
    locations: Mapping[Zone, lakeformation.Resource],
) -> dict[str, kinesis.FirehoseDeliveryStream]:
    """The streams, by their names. kept: what has brought each table to its declaration. locations: those of
    the zones, none in S3 Tables."""
    prefix = context.settings.prefix
    group = log_group(
        f"{context.name}-streams",
        STREAM_LOGS.of(prefix),
        _LOG_DAYS,
        key,
        context.settings.tags,
        context.options(),
    )
    rights = iam.RolePolicy(
        f"{context.name}-streams",
        name="streams",
        role=role.name,
        policy=key.arn.apply(lambda arn: document(*feeder_rights(context, arn))),
        opts=context.options(),
    )
    let = [*_let(context, role, tables, kept), *_let_place(context, role, locations)]
    return {
        stream.name: _stream(context, stream, role, key, group, tables[stream.table], [rights, *let])
        for stream in context.settings.streams
    }


def _stream(
    context: Context,
    stream: StreamSettings,
    role: iam.Role,
    key: kms.Key,
    group: cloudwatch.LogGroup,
    table: Entry,
    after: Sequence[pulumi.Resource],
) -> kinesis.FirehoseDeliveryStream:
    name = f"{context.name}-stream-{stream.name}"
    log = cloudwatch.LogStream(
        name, name=stream.name, log_group_name=group.name, opts=context.options(delete_before_replace=True)
    )
    return kinesis.FirehoseDeliveryStream(
        name,
        name=stream_name(context.settings.prefix, stream),
        destination="iceberg",
        server_side_encryption=FirehoseDeliveryStreamServerSideEncryptionArgs(
            enabled=True, key_type="CUSTOMER_MANAGED_CMK", key_arn=key.arn
        ),
        iceberg_configuration=FirehoseDeliveryStreamIcebergConfigurationArgs(
            catalog_arn=context.catalog_arn,
            role_arn=role.arn,
            # Without updates and deletes it scales by itself.
            append_only=True,
            buffering_interval=stream.buffer_seconds,
            buffering_size=stream.buffer_mib,
            retry_duration=_RETRY_SECONDS,
            s3_backup_mode="FailedDataOnly",
            destination_table_configurations=[
                FirehoseDeliveryStreamIcebergConfigurationDestinationTableConfigurationArgs(
                    database_name=table.database_name, table_name=table.name
                )
            ],
            cloudwatch_logging_options=Logging(
                enabled=True, log_group_name=group.name, log_stream_name=log.name
            ),
            s3_configuration=Errors(
                bucket_arn=context.bucket_arn("raw"),
                role_arn=role.arn,
                kms_key_arn=key.arn,
                compression_format="GZIP",
                error_output_prefix=(
                    f"{FILES}/errors/{stream.name}/!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd}}/"
                ),
                cloudwatch_logging_options=ErrorLogging(
                    enabled=True, log_group_name=group.name, log_stream_name=log.name
                ),
            ),
        ),
        tags=context.tags(stream.name),
        opts=context.options(*after, delete_before_replace=True),
    )


def _let(
    context: Context,
    role: iam.Role,
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
) -> list[pulumi.Resource]:
    """Lake Formation's leave to append to these tables and no others."""
    return [
        lakeformation.Permissions(
            f"{context.name}-streams-{path}",
            principal=role.arn,
            permissions=list(APPENDS),
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id,
                database_name=tables[path].database_name,
                name=tables[path].name,
            ),
            opts=context.options(kept[path], delete_before_replace=True),
        )
        for path in sorted({stream.table for stream in context.settings.streams})
    ]


def _let_place(
    context: Context, role: iam.Role, locations: Mapping[Zone, lakeformation.Resource]
) -> list[pulumi.Resource]:
    streamed = {stream.table for stream in context.settings.streams}
    return [
        place_of_table(context, f"{context.name}-streams-{table.path}-location", role.arn, table, locations)
        for table in context.settings.tables
        if table.path in streamed and table.zone in locations
    ]


def feeder_rights(context: Context, key_arn: str) -> list[Statement]:
    """As Firehose asks for (Amazon Data Firehose developer guide, "Grant Firehose access to an Apache Iceberg
    Tables destination"), for raw and its streams alone."""
    prefix = context.settings.prefix
    declared = {table.path: table.name for table in context.settings.tables}
    names = sorted({declared[stream.table] for stream in context.settings.streams})
    arn = context.place.arn
    files = [context.bucket_arn("raw", f"/{TABLES}/{name}/*") for name in names]
    in_bucket = [] if context.in_s3_tables else files
    return [
        allow(
            ["glue:GetTable", "glue:GetDatabase", "glue:UpdateTable"],
            [
                *(each for each in context.catalog_arns if ":catalog" in each),
                *context.table_arns("raw", *names),
            ],
            sid="Tables",
        ),
        allow(
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            [*in_bucket, context.bucket_arn("raw", f"/{FILES}/errors/*")],
            sid="Files",
        ),
        allow(
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            context.bucket_arn("raw"),
            sid="FindFiles",
        ),
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            {"StringEquals": {"kms:ViaService": f"s3.{context.place.region}.{context.place.dns_suffix}"}},
            sid="UseKey",
        ),
        allow(["logs:PutLogEvents"], arn("logs", f"log-group:{STREAM_LOGS.of(prefix)}:*"), sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]


def producer_policy(
    context: Context, made: Mapping[str, kinesis.FirehoseDeliveryStream]
) -> iam.Policy | None:
    """What whoever sends events needs, for its role to be attached to."""
    if not made:
        return None
    return iam.Policy(
        f"{context.name}-producer",
        name_prefix=PRODUCER_POLICY.of(context.settings.prefix),
        description=f"To send events to {context.settings.prefix}'s lakehouse",
        policy=pulumi.Output.all(*(stream.arn for stream in made.values())).apply(
            lambda arns: document(producer_rights([str(arn) for arn in arns]))
        ),
        tags=context.settings.tags,
        opts=context.options(),
    )


def producer_rights(streams: Sequence[str]) -> Statement:
    """To send events to streams, by their arns."""
    actions = ["firehose:DescribeDeliveryStream", "firehose:PutRecord", "firehose:PutRecordBatch"]
    return allow(actions, streams, sid="Send")
