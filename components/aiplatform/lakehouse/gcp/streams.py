"""Streams: events that Pub/Sub appends to tables that BigQuery writes, in Iceberg's format in a bucket and a
dataset that contain nothing else."""

import json
from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Output
from pulumi_gcp import bigquery, pubsub, storage

from aiplatform._shared.principals import members
from aiplatform.lakehouse.gcp import bigquery_types
from aiplatform.lakehouse.gcp import buckets as gcp_buckets
from aiplatform.lakehouse.gcp import query as gcp_query
from aiplatform.lakehouse.gcp.access import Policy, on_column
from aiplatform.lakehouse.gcp.buckets import BUCKET_READER, OBJECT_USER
from aiplatform.lakehouse.gcp.context import FILES, TABLES, Context, Key
from aiplatform.lakehouse.gcp.governance import Policies, of_table
from aiplatform.lakehouse.gcp.topics import WEEK, publisher, topic
from aiplatform.lakehouse.tables import TableSettings

_ERRORS_SECONDS = 300


def tables(
    context: Context,
    key: Key,
    declared: Sequence[Policy],
    made: Policies,
) -> dict[str, bigquery.Table]:
    """The tables of streams by their path, with their bucket and dataset. The schema is set once, with its
    policies: what comes later is added by a statement, as the provider would drop the columns that are
    declared no more."""
    if not context.streamed:
        return {}
    bucket, dataset = gcp_buckets.streams(context, key), gcp_query.streams(context, key)
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
    # As Google asks for ("Apache Iceberg managed tables", required roles).
    lets = [
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
            schema=_schema(table, declared, made),
            clusterings=[part.column for part in table.sort_order] or None,
            biglake_configuration=bigquery.TableBiglakeConfigurationArgs(
                connection_id=connection.id,
                storage_uri=Output.concat("gs://", bucket.name, f"/{TABLES}/{table.name}/"),
                file_format="PARQUET",
                table_format="ICEBERG",
            ),
            # The engine's own protection is what an environment says.
            deletion_protection=False,
            # The dataset's own default: left out, the provider takes the key that BigQuery answers for a
            # difference, and replaces the table in every update.
            encryption_configuration=bigquery.TableEncryptionConfigurationArgs(kms_key_name=key.key.id),
            labels=context.labels,
            opts=context.options(
                *lets,
                *of_table(declared, made, table),
                data=True,
                delete_before_replace=True,
                ignore_changes=["schema"],
            ),
        )
        for table in context.streamed
    }


def _schema(table: TableSettings, declared: Sequence[Policy], made: Policies) -> Output[str]:
    names = {
        policy.name: made[policy.name].name
        for column in table.columns
        for policy in on_column(declared, table, column.name)
    }

    def written(known: Mapping[str, str]) -> str:
        return json.dumps(
            [
                {
                    "name": column.name,
                    **bigquery_types.in_schema(column.field.type),
                    "mode": "REQUIRED" if column.required else "NULLABLE",
                    **({"description": column.doc} if column.doc else {}),
                    **(
                        {"dataPolicies": policies}
                        if (
                            policies := [
                                {"name": known[each.name]} for each in on_column(declared, table, column.name)
                            ]
                        )
                        else {}
                    ),
                }
                for column in table.columns
            ]
        )

    return Output.all(**names).apply(written)


def streams(
    context: Context, key: Key, raw: storage.Bucket, made: Mapping[str, bigquery.Table], agent: Output[str]
) -> None:
    """A topic a stream, whose messages become rows, and a place for those that do not fit. Writers publish.
    agent: Pub/Sub's own account, as a member."""
    written = {
        path: bigquery.IamMember(
            f"{context.name}-{path}-appends",
            project=context.project,
            dataset_id=table.dataset_id,
            table_id=table.table_id,
            role="roles/bigquery.dataEditor",
            member=agent,
            opts=context.options(),
        )
        for path, table in made.items()
    }
    if not written:
        return
    errors = _errors(context, raw, agent)
    for stream in context.settings.streams:
        name, table = f"stream-{stream.name}", made[stream.table]
        arrives = topic(context, key, name)
        for writer in members(context.settings.writers):
            publisher(
                context, f"{name}-{writer.key}", arrives, writer.principal, formerly=f"{name}-{writer.former}"
            )
        dead = topic(context, key, f"{name}-errors")
        lets = publisher(context, f"{name}-errors", dead, agent)
        rows = pubsub.Subscription(
            f"{context.name}-{name}",
            project=context.project,
            name=f"{context.settings.prefix}-{name}",
            topic=arrives.name,
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
                dead_letter_topic=dead.id, max_delivery_attempts=5
            ),
            retry_policy=pubsub.SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
            labels=context.labels,
            opts=context.options(written[stream.table], lets, delete_before_replace=True),
        )
        pubsub.SubscriptionIAMMember(
            f"{context.name}-{name}-agent",
            project=context.project,
            subscription=rows.name,
            role="roles/pubsub.subscriber",
            member=agent,
            opts=context.options(),
        )
        pubsub.Subscription(
            f"{context.name}-{name}-errors",
            project=context.project,
            name=f"{context.settings.prefix}-{name}-errors",
            topic=dead.name,
            message_retention_duration=WEEK,
            expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
            cloud_storage_config=pubsub.SubscriptionCloudStorageConfigArgs(
                bucket=raw.name,
                filename_prefix=f"{FILES}/errors/{stream.name}/",
                max_duration=f"{_ERRORS_SECONDS}s",
            ),
            labels=context.labels,
            opts=context.options(*errors, delete_before_replace=True),
        )


def _errors(context: Context, raw: storage.Bucket, agent: Output[str]) -> list[pulumi.Resource]:
    """Let Pub/Sub write below the folder of errors, and see the bucket ("Create Cloud Storage
    subscriptions")."""
    folder = storage.ManagedFolder(
        f"{context.name}-errors",
        bucket=raw.name,
        name=f"{FILES}/errors/",
        force_destroy=True,
        opts=context.options(delete_before_replace=True),
    )
    creates = storage.ManagedFolderIamMember(
        f"{context.name}-errors",
        bucket=raw.name,
        managed_folder=folder.name,
        role="roles/storage.objectCreator",
        member=agent,
        opts=context.options(),
    )
    sees = storage.BucketIAMMember(
        f"{context.name}-errors",
        bucket=raw.name,
        role=BUCKET_READER,
        member=agent,
        opts=context.options(),
    )
    return [creates, sees]
