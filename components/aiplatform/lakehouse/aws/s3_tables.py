"""S3 Tables as the store: a table bucket, which looks after its tables itself, and its place in Glue's
catalog.

The account's table buckets are one federated catalog of Glue's, `s3tablescatalog`, which Lake Formation
governs by a location with federation (Amazon S3 user guide, "Integrating Amazon S3 Tables with AWS analytics
services"). Both are of the whole account and region, as the data lake's settings are: `account_settings` says
who makes them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import glue, iam, kms, lakeformation, s3tables
from pulumi_aws.s3tables import (
    TableBucketEncryptionConfigurationArgs,
    TableBucketMaintenanceConfigurationArgs,
    TableEncryptionConfigurationArgs,
    TableMaintenanceConfigurationArgs,
    TableMaintenanceConfigurationIcebergCompactionArgs,
    TableMaintenanceConfigurationIcebergCompactionSettingsArgs,
    TableMaintenanceConfigurationIcebergSnapshotManagementArgs,
    TableMaintenanceConfigurationIcebergSnapshotManagementSettingsArgs,
    TableMetadataArgs,
    TableMetadataIcebergArgs,
    TableMetadataIcebergSchemaArgs,
    TableMetadataIcebergSchemaFieldArgs,
)
from pulumi_aws.s3tables import (
    TableBucketMaintenanceConfigurationIcebergUnreferencedFileRemovalArgs as Unreferenced,
)
from pulumi_aws.s3tables import (
    TableBucketMaintenanceConfigurationIcebergUnreferencedFileRemovalSettingsArgs as UnreferencedDays,
)

from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.catalog_entries import Database, Entry
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.table_spec import first_properties
from aiplatform.lakehouse.tables import ZONES, TableSettings, Zone
from aiplatform.lakehouse.types import numbered

_ORPHAN_DAYS: Final = 7
_FILE_MIB: Final = 512
CATALOG: Final = "s3tablescatalog"


def bucket(context: Context, key: kms.Key, readers: Sequence[pulumi.Input[str]]) -> s3tables.TableBucket:
    """The table bucket under the key, closed to whoever would pass by Lake Formation. readers: who may touch
    data."""
    made = s3tables.TableBucket(
        f"{context.name}-tables",
        name=context.table_bucket,
        encryption_configuration=TableBucketEncryptionConfigurationArgs(
            sse_algorithm="aws:kms", kms_key_arn=key.arn
        ),
        maintenance_configuration=TableBucketMaintenanceConfigurationArgs(
            iceberg_unreferenced_file_removal=Unreferenced(
                status="enabled",
                settings=UnreferencedDays(
                    unreferenced_days=_ORPHAN_DAYS, non_current_days=context.settings.deleted_days("raw")
                ),
            )
        ),
        force_destroy=context.settings.force_destroy,
        tags=context.tags("lakehouse"),
        opts=context.options(data=True, delete_before_replace=True),
    )
    s3tables.TableBucketPolicy(
        f"{context.name}-tables",
        table_bucket_arn=made.arn,
        resource_policy=pulumi.Output.all(*readers).apply(
            lambda arns: document(*_policy(context, [str(arn) for arn in arns]))
        ),
        opts=context.options(data=True),
    )
    return made


def _policy(context: Context, readers: Sequence[str]) -> list[Statement]:
    """As the zones' buckets have it: TLS alone, and data by the roles alone that Lake Formation works by."""
    everything = [context.table_bucket_arn, f"{context.table_bucket_arn}/*"]
    common = {"Effect": "Deny", "Principal": "*"}
    return [
        {
            "Sid": "PlainHttp",
            **common,
            "Action": ["s3tables:*"],
            "Resource": everything,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "PastGovernance",
            **common,
            "Action": ["s3tables:GetTableData", "s3tables:PutTableData"],
            "Resource": f"{context.table_bucket_arn}/table/*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(readers)}},
        },
    ]


def maintenance_may_use_key(context: Context) -> Statement:
    """A statement of the key's policy: upkeep of tables (Amazon S3 user guide, "Permission requirements for
    S3 Tables SSE-KMS encryption")."""
    return {
        "Sid": "TablesAreKept",
        "Effect": "Allow",
        "Principal": {"Service": "maintenance.s3tables.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        # No aws:SourceAccount: the guide's policy has none, and without the key upkeep stops unnoticed. The
        # context names a bucket of this account.
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": f"{context.table_bucket_arn}/*"}},
    }


def governed(
    context: Context, role: iam.Role, key: kms.Key, after: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """The account's table buckets in Glue's catalog, and Lake Formation's location of them; answers what must
    stand before grants are made. role: what Lake Formation works as."""
    rights = iam.RolePolicy(
        f"{context.name}-tables",
        name="tables",
        role=role.name,
        policy=key.arn.apply(lambda arn: document(*_access(context, arn))),
        opts=context.options(),
    )
    if not context.settings.account_settings:
        return [rights]
    every = context.place.arn("s3tables", "bucket/*")
    location = lakeformation.Resource(
        f"{context.name}-tables",
        arn=every,
        role_arn=role.arn,
        with_federation=True,
        with_privileged_access=True,
        hybrid_access_enabled=False,
        opts=context.options(*after, rights),
    )
    catalog = glue.Catalog(
        f"{context.name}-tables",
        name=CATALOG,
        description="The account's table buckets",
        federated_catalog=glue.CatalogFederatedCatalogArgs(connection_name="aws:s3tables", identifier=every),
        allow_full_table_external_data_access="True",
        # None: IAM alone decides on nothing.
        create_database_default_permissions=[],
        create_table_default_permissions=[],
        opts=context.options(location, delete_before_replace=True),
    )
    return [rights, location, catalog]


def _access(context: Context, key_arn: str) -> list[Statement]:
    """What Lake Formation hands on, for this lakehouse's table bucket."""
    arn = context.table_bucket_arn
    return [
        # Of no bucket in particular (Lake Formation developer guide, "Prerequisites for integrating Amazon S3
        # tables catalog with the Data Catalog and Lake Formation").
        allow(["s3tables:ListTableBuckets"], "*", sid="FindTableBuckets"),
        allow(
            [
                "s3tables:GetTableBucket",
                "s3tables:ListNamespaces",
                "s3tables:GetNamespace",
                "s3tables:ListTables",
            ],
            arn,
            sid="FindTables",
        ),
        allow(
            [
                "s3tables:GetTable",
                "s3tables:GetTableMetadataLocation",
                "s3tables:UpdateTableMetadataLocation",
                "s3tables:GetTableData",
                "s3tables:PutTableData",
            ],
            f"{arn}/table/*",
            sid="Tables",
        ),
        allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], key_arn, sid="UseKeyOfTables"),
    ]


def databases(
    context: Context, made: s3tables.TableBucket, after: Sequence[pulumi.Resource]
) -> dict[Zone, Database]:
    """A namespace a zone. after: what makes it a database of Glue's catalog."""
    namespaces: dict[Zone, s3tables.Namespace] = {
        zone: s3tables.Namespace(
            f"{context.name}-{zone}",
            namespace=context.database(zone),
            table_bucket_arn=made.arn,
            opts=context.options(*after, data=True, delete_before_replace=True),
        )
        for zone in ZONES
    }
    return {zone: Database(made, made.namespace) for zone, made in namespaces.items()}


def tables(
    context: Context,
    made: s3tables.TableBucket,
    databases: Mapping[Zone, Database],
    key: kms.Key,
) -> dict[str, Entry]:
    """The tables by their path. They are made with their columns; the keeper brings all else of the
    declaration."""
    entries: dict[str, Entry] = {}
    for table in context.settings.tables:
        there = s3tables.Table(
            f"{context.name}-{table.zone}-{table.name}",
            name=table.name,
            namespace=databases[table.zone].name,
            table_bucket_arn=made.arn,
            format="ICEBERG",
            encryption_configuration=TableEncryptionConfigurationArgs(
                sse_algorithm="aws:kms", kms_key_arn=key.arn
            ),
            maintenance_configuration=_upkeep(context, table),
            metadata=TableMetadataArgs(iceberg=_declared(context, table)),
            # Iceberg's from now on, as in a bucket of one's own.
            opts=context.options(data=True, delete_before_replace=True, ignore_changes=["metadata"]),
        )
        entries[table.path] = Entry(there, there.namespace, there.name, there.warehouse_location)
    return entries


def _declared(context: Context, table: TableSettings) -> TableMetadataIcebergArgs:
    # S3 Tables numbers the columns itself, from 1 in their order, as Iceberg's libraries do.
    schema = numbered(table.fields)
    return TableMetadataIcebergArgs(
        schema=TableMetadataIcebergSchemaArgs(
            fields=[
                TableMetadataIcebergSchemaFieldArgs(
                    name=field["name"], type=field["type"], required=field["required"]
                )
                for field in schema.fields
            ]
        ),
        properties=first_properties(context.settings, table, schema, unpartitioned=True),
    )


def _upkeep(context: Context, table: TableSettings) -> TableMaintenanceConfigurationArgs:
    days = table.snapshot_days or context.settings.zones.of(table.zone).snapshot_days
    return TableMaintenanceConfigurationArgs(
        iceberg_compaction=TableMaintenanceConfigurationIcebergCompactionArgs(
            status="enabled",
            settings=TableMaintenanceConfigurationIcebergCompactionSettingsArgs(
                target_file_size_mb=_FILE_MIB
            ),
        ),
        iceberg_snapshot_management=TableMaintenanceConfigurationIcebergSnapshotManagementArgs(
            status="enabled",
            settings=TableMaintenanceConfigurationIcebergSnapshotManagementSettingsArgs(
                max_snapshot_age_hours=days * 24, min_snapshots_to_keep=1
            ),
        ),
    )
