"""Streams: events that Pub/Sub appends to tables that BigQuery writes, in Iceberg's format in a bucket and a
dataset that contain nothing else."""

import json
from collections.abc import Mapping

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, pubsub, storage

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.principals import members
from aiplatform.lakehouse.gcp import bigquery_types
from aiplatform.lakehouse.gcp.buckets import BUCKET_READER, OBJECT_USER, create_streams_bucket
from aiplatform.lakehouse.gcp.context import FILES, TABLES, Context, ServiceAgents
from aiplatform.lakehouse.gcp.governance import ColumnPolicies
from aiplatform.lakehouse.gcp.query import create_streams_dataset
from aiplatform.lakehouse.gcp.topics import WEEK, allow_publishing, allow_subscribing, create_topic
from aiplatform.lakehouse.ingestion import LakehouseStreamSettings
from aiplatform.lakehouse.tables import LakehouseTableSettings

_ERRORS_SECONDS = 300

StreamTables = Mapping[str, bigquery.Table]
"""The path of a stream's table -> the table."""


def create_stream_tables(context: Context, key: DataKey, policies: ColumnPolicies) -> StreamTables:
    """Create the tables of streams, with their bucket and dataset. The schema is set once, with its policies:
    later columns are added by a statement, as the provider would drop columns that are no longer declared."""
    if not context.stream_tables:
        return {}
    bucket, dataset = create_streams_bucket(context, key), create_streams_dataset(context, key)
    connection = bigquery.Connection(
        f"{context.name}-files",
        project=context.project,
        location=context.region,
        connection_id=f"{context.settings.prefix}-lakehouse",
        description="BigQuery's way to the files of the tables that it writes",
        cloud_resource=bigquery.ConnectionCloudResourceArgs(),
        opts=context.options(context.apis["bigqueryconnection"], delete_before_replace=True),
    )
    member = connection.cloud_resource.apply(
        lambda resource: f"serviceAccount:{resource.service_account_id if resource else ''}"
    )
    # The roles that Google requires ("Apache Iceberg managed tables", required roles).
    file_roles = [
        storage.BucketIAMMember(
            f"{context.name}-files-{purpose}",
            bucket=bucket.name,
            role=role,
            member=member,
            opts=context.options(),
        )
        for purpose, role in (("objects", OBJECT_USER), ("bucket", BUCKET_READER))
    ]
    return {
        table.path: bigquery.Table(
            f"{context.name}-{table.zone}-{table.name}",
            project=context.project,
            dataset_id=dataset.dataset_id,
            table_id=table.name,
            description=table.description,
            schema=_schema(table, policies),
            clusterings=[part.column for part in table.sort_order] or None,
            biglake_configuration=bigquery.TableBiglakeConfigurationArgs(
                connection_id=connection.id,
                storage_uri=Output.concat("gs://", bucket.name, f"/{TABLES}/{table.name}/"),
                file_format="PARQUET",
                table_format="ICEBERG",
            ),
            # Environments state Pulumi's protection instead.
            deletion_protection=False,
            # The dataset's default: left out, the provider takes the key that BigQuery returns for a
            # difference, and replaces the table in every update.
            encryption_configuration=bigquery.TableEncryptionConfigurationArgs(kms_key_name=key.key.id),
            labels=context.labels,
            opts=context.options(
                *file_roles,
                *policies.of_table(table),
                data=True,
                delete_before_replace=True,
                ignore_changes=["schema"],
            ),
        )
        for table in context.stream_tables
    }


def _schema(table: LakehouseTableSettings, policies: ColumnPolicies) -> Output[str]:
    names = {
        policy.name: policies.resources[policy.name].name
        for column in table.columns
        for policy in policies.of_column(table, column.name)
    }

    def column_policies(column: str, known: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
        named = [{"name": known[policy.name]} for policy in policies.of_column(table, column)]
        return {"dataPolicies": named} if named else {}

    def schema(known: Mapping[str, str]) -> str:
        return json.dumps(
            [
                {
                    "name": column.name,
                    **bigquery_types.schema_type(column.field.type),
                    "mode": "REQUIRED" if column.required else "NULLABLE",
                    **({"description": column.doc} if column.doc else {}),
                    **column_policies(column.name, known),
                }
                for column in table.columns
            ]
        )

    return Output.all(**names).apply(schema)


def create_subscriptions(
    context: Context, key: DataKey, raw: storage.Bucket, tables: StreamTables, agents: ServiceAgents
) -> None:
    """Create a topic for each stream, whose messages become rows, and one for messages that do not fit the
    table. Writers publish."""
    if not tables:
        return
    agent = agents.pubsub_member
    appends = {
        path: bigquery.IamMember(
            f"{context.name}-{path}-appends",
            project=context.project,
            dataset_id=table.dataset_id,
            table_id=table.table_id,
            role="roles/bigquery.dataEditor",
            member=agent,
            opts=context.options(),
        )
        for path, table in tables.items()
    }
    errors_folder = _create_errors_folder(context, raw, agent)
    for stream in context.settings.streams:
        dead_letters = create_topic(context, key, f"stream-{stream.name}-errors")
        _subscribe_table(
            context, key, stream, tables[stream.table], appends[stream.table], dead_letters, agent
        )
        _store_errors(context, stream, dead_letters, raw, errors_folder)


def _subscribe_table(
    context: Context,
    key: DataKey,
    stream: LakehouseStreamSettings,
    table: bigquery.Table,
    append_role: pulumi.Resource,
    dead_letters: pubsub.Topic,
    agent: Output[str],
) -> None:
    name = f"stream-{stream.name}"
    topic = create_topic(context, key, name)
    for writer in members(context.settings.writers):
        allow_publishing(context, f"{name}-{writer.key}", topic, writer.principal, f"{name}-{writer.former}")
    dead_letter_publisher = allow_publishing(context, f"{name}-errors", dead_letters, agent)
    subscription = pubsub.Subscription(
        f"{context.name}-{name}",
        project=context.project,
        name=f"{context.settings.prefix}-{name}",
        topic=topic.name,
        message_retention_duration=WEEK,
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        bigquery_config=pubsub.SubscriptionBigqueryConfigArgs(
            table=Output.all(table.dataset_id, table.table_id).apply(
                lambda parts: f"{context.project}.{parts[0]}.{parts[1]}"
            ),
            use_table_schema=True,
            drop_unknown_fields=True,
        ),
        dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
            dead_letter_topic=dead_letters.id, max_delivery_attempts=5
        ),
        retry_policy=pubsub.SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
        labels=context.labels,
        opts=context.options(append_role, dead_letter_publisher, delete_before_replace=True),
    )
    allow_subscribing(context, f"{name}-agent", subscription, agent)


def _store_errors(
    context: Context,
    stream: LakehouseStreamSettings,
    dead_letters: pubsub.Topic,
    raw: storage.Bucket,
    errors_folder: list[pulumi.Resource],
) -> None:
    """Write messages that do not fit the table to files in raw."""
    name = f"stream-{stream.name}-errors"
    pubsub.Subscription(
        f"{context.name}-{name}",
        project=context.project,
        name=f"{context.settings.prefix}-{name}",
        topic=dead_letters.name,
        message_retention_duration=WEEK,
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        cloud_storage_config=pubsub.SubscriptionCloudStorageConfigArgs(
            bucket=raw.name,
            filename_prefix=f"{FILES}/errors/{stream.name}/",
            max_duration=f"{_ERRORS_SECONDS}s",
        ),
        labels=context.labels,
        opts=context.options(*errors_folder, delete_before_replace=True),
    )


def _create_errors_folder(context: Context, raw: storage.Bucket, agent: Output[str]) -> list[pulumi.Resource]:
    """Create the folder of errors and allow Pub/Sub to write in it and to get the bucket ("Create Cloud
    Storage subscriptions"); returns these roles."""
    folder = storage.ManagedFolder(
        f"{context.name}-errors",
        bucket=raw.name,
        name=f"{FILES}/errors/",
        force_destroy=True,
        opts=context.options(delete_before_replace=True),
    )
    create_role = storage.ManagedFolderIamMember(
        f"{context.name}-errors",
        bucket=raw.name,
        managed_folder=folder.name,
        role="roles/storage.objectCreator",
        member=agent,
        opts=context.options(),
    )
    read_role = storage.BucketIAMMember(
        f"{context.name}-errors",
        bucket=raw.name,
        role=BUCKET_READER,
        member=agent,
        opts=context.options(),
    )
    return [create_role, read_role]
