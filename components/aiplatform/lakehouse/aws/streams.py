"""Streams of events on AWS: Firehose, which appends to Iceberg tables."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, iam, kinesis, lakeformation
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

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.logs import log_group
from aiplatform._shared.aws.policy_documents import document
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.catalog_entries import Catalog
from aiplatform.lakehouse.aws.context import FILES, Context
from aiplatform.lakehouse.aws.governance import grant_table_location
from aiplatform.lakehouse.aws.names import LOG_DAYS, PRODUCER_POLICY, STREAM_LOGS, stream_name
from aiplatform.lakehouse.aws.permissions import producers
from aiplatform.lakehouse.ingestion import LakehouseStreamSettings

_RETRY_SECONDS: Final = 3600
_BUFFER_SECONDS: Final = 300
_BUFFER_MIB: Final = 64
"""How long a failed commit is repeated before the events count as errors."""
APPENDS: Final = ("ALTER", "DESCRIBE", "INSERT")


def create_streams(
    context: Context, role: ServiceRole | None, key: Key, catalog: Catalog
) -> dict[str, kinesis.FirehoseDeliveryStream]:
    """Create the streams; returns them by their names. role: Firehose's, None without streams."""
    if role is None:
        return {}
    logs = log_group(
        f"{context.name}-streams",
        STREAM_LOGS.of(context.settings.prefix),
        LOG_DAYS,
        key,
        context.settings.tags,
        context.options(),
    )
    depends_on = [*role.policies, *_permissions(context, role, catalog)]
    return {
        stream.name: _stream(context, stream, role, key, logs, catalog, depends_on)
        for stream in context.settings.streams
    }


def _stream(
    context: Context,
    stream: LakehouseStreamSettings,
    role: ServiceRole,
    key: Key,
    logs: cloudwatch.LogGroup,
    catalog: Catalog,
    depends_on: Sequence[pulumi.Resource],
) -> kinesis.FirehoseDeliveryStream:
    table = catalog.tables[stream.table]
    name = f"{context.name}-stream-{stream.name}"
    log = cloudwatch.LogStream(
        name, name=stream.name, log_group_name=logs.name, opts=context.options(delete_before_replace=True)
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
            # Firehose scales a stream automatically only without updates and deletes.
            append_only=True,
            buffering_interval=_BUFFER_SECONDS if stream.buffer_seconds is None else stream.buffer_seconds,
            buffering_size=_BUFFER_MIB if stream.buffer_mib is None else stream.buffer_mib,
            retry_duration=_RETRY_SECONDS,
            s3_backup_mode="FailedDataOnly",
            destination_table_configurations=[
                FirehoseDeliveryStreamIcebergConfigurationDestinationTableConfigurationArgs(
                    database_name=table.database_name, table_name=table.name
                )
            ],
            cloudwatch_logging_options=Logging(
                enabled=True, log_group_name=logs.name, log_stream_name=log.name
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
                    enabled=True, log_group_name=logs.name, log_stream_name=log.name
                ),
            ),
        ),
        tags=context.tags(stream.name),
        opts=context.options(*depends_on, delete_before_replace=True),
    )


def _permissions(context: Context, role: ServiceRole, catalog: Catalog) -> list[pulumi.Resource]:
    """Lake Formation's permissions to append to the tables of streams and to no others."""
    streamed = {stream.table for stream in context.settings.streams}
    appends = [
        lakeformation.Permissions(
            f"{context.name}-streams-{path}",
            principal=role.arn,
            permissions=list(APPENDS),
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id,
                database_name=catalog.tables[path].database_name,
                name=catalog.tables[path].name,
            ),
            opts=context.options(catalog.tables[path].migration, delete_before_replace=True),
        )
        for path in sorted(streamed)
    ]
    locations = [
        grant_table_location(
            context, f"{context.name}-streams-{table.path}-location", role.arn, table, catalog.locations
        )
        for table in context.settings.tables
        if table.path in streamed and table.zone in catalog.locations
    ]
    return [*appends, *locations]


def create_producer_policy(
    context: Context, streams: Mapping[str, kinesis.FirehoseDeliveryStream]
) -> iam.Policy | None:
    """Create the policy that is attached to the roles of producers; None without streams."""
    if not streams:
        return None
    return iam.Policy(
        f"{context.name}-producer",
        name_prefix=PRODUCER_POLICY.of(context.settings.prefix),
        description=f"To send events to {context.settings.prefix}'s lakehouse",
        policy=pulumi.Output.all(*(stream.arn for stream in streams.values())).apply(
            lambda arns: document(producers([str(arn) for arn in arns]))
        ),
        tags=context.settings.tags,
        opts=context.options(),
    )
