"""S3 Tables as the store: a table bucket, which maintains its tables itself, and its entry in Glue's catalog.

The account's table buckets are one federated catalog of Glue's, `s3tablescatalog`, which Lake Formation
governs by a location with federation (Amazon S3 user guide, "Integrating Amazon S3 Tables with AWS analytics
services"). Account and region have one of each, as of the data lake's settings: `account_settings` states
whether this lakehouse creates them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import glue, iam, lakeformation, s3tables
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

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.aws.catalog_entries import Database, Table
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.table_spec import first_properties
from aiplatform.lakehouse.tables import ZONES, LakehouseTableSettings, Zone
from aiplatform.lakehouse.types import numbered

_ORPHAN_DAYS: Final = 7
_FILE_MIB: Final = 512
CATALOG: Final = "s3tablescatalog"


def create_table_bucket(context: Context, key: Key, role: ServiceRole) -> s3tables.TableBucket:
    """Create the table bucket, encrypted by the key. Only Lake Formation's role and the deployer access data;
    all others would circumvent Lake Formation."""
    bucket = s3tables.TableBucket(
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
        table_bucket_arn=bucket.arn,
        resource_policy=Output.all(role.arn, context.deployer_arn).apply(
            lambda arns: document(*_policy(context, [str(arn) for arn in arns]))
        ),
        opts=context.options(data=True),
    )
    return bucket


def _policy(context: Context, readers: Sequence[str]) -> list[Statement]:
    """Require TLS, and deny data to all but the readers, as in the zones' buckets."""
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
    """Return a statement of the key's policy: S3 Tables maintains tables (Amazon S3 user guide, "Permission
    requirements for S3 Tables SSE-KMS encryption")."""
    return {
        "Sid": "TablesAreKept",
        "Effect": "Allow",
        "Principal": {"Service": "maintenance.s3tables.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        # No aws:SourceAccount: the guide's policy has none, and without the key maintenance stops without a
        # notice. The context names a bucket of this account.
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": f"{context.table_bucket_arn}/*"}},
    }


def register_with_lake_formation(
    context: Context, role: ServiceRole, key: Key, depends_on: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """Add the account's table buckets to Glue's catalog and to Lake Formation's locations; returns what
    databases depend on. role: Lake Formation's."""
    policy = iam.RolePolicy(
        f"{context.name}-tables",
        name="tables",
        role=role.name,
        policy=key.arn.apply(lambda arn: document(*_access(context, arn))),
        opts=context.options(),
    )
    if not context.settings.account_settings:
        return [policy]
    all_buckets = context.account.arn("s3tables", "bucket/*")
    location = lakeformation.Resource(
        f"{context.name}-tables",
        arn=all_buckets,
        role_arn=role.arn,
        with_federation=True,
        with_privileged_access=True,
        hybrid_access_enabled=False,
        opts=context.options(*depends_on, policy),
    )
    catalog = glue.Catalog(
        f"{context.name}-tables",
        name=CATALOG,
        description="The account's table buckets",
        federated_catalog=glue.CatalogFederatedCatalogArgs(
            connection_name="aws:s3tables", identifier=all_buckets
        ),
        allow_full_table_external_data_access="True",
        # None: IAM on its own authorizes nothing.
        create_database_default_permissions=[],
        create_table_default_permissions=[],
        opts=context.options(location, delete_before_replace=True),
    )
    return [policy, location, catalog]


def _access(context: Context, key_arn: str) -> list[Statement]:
    """Lake Formation accesses this lakehouse's table bucket, to issue credentials for its tables."""
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


def create_namespaces(
    context: Context, bucket: s3tables.TableBucket, depends_on: Sequence[pulumi.Resource]
) -> dict[Zone, Database]:
    """Create a namespace for each zone. depends_on: what makes it a database of Glue's catalog."""
    namespaces: dict[Zone, s3tables.Namespace] = {
        zone: s3tables.Namespace(
            f"{context.name}-{zone}",
            namespace=context.database(zone),
            table_bucket_arn=bucket.arn,
            opts=context.options(*depends_on, data=True, delete_before_replace=True),
        )
        for zone in ZONES
    }
    return {zone: Database(namespace, namespace.namespace) for zone, namespace in namespaces.items()}


def create_tables(
    context: Context,
    bucket: s3tables.TableBucket,
    databases: Mapping[Zone, Database],
    key: Key,
) -> dict[str, Table]:
    """Create the tables with their columns; returns them by their paths. The table migrator adds the rest of
    the declaration."""
    tables: dict[str, Table] = {}
    for table in context.settings.tables:
        resource = s3tables.Table(
            f"{context.name}-{table.zone}-{table.name}",
            name=table.name,
            namespace=databases[table.zone].name,
            table_bucket_arn=bucket.arn,
            format="ICEBERG",
            encryption_configuration=TableEncryptionConfigurationArgs(
                sse_algorithm="aws:kms", kms_key_arn=key.arn
            ),
            maintenance_configuration=_maintenance(context, table),
            metadata=TableMetadataArgs(iceberg=_metadata(context, table)),
            # Iceberg changes it from now on, as in the zones' buckets.
            opts=context.options(data=True, delete_before_replace=True, ignore_changes=["metadata"]),
        )
        tables[table.path] = Table(resource, resource.namespace, resource.name, resource.warehouse_location)
    return tables


def _metadata(context: Context, table: LakehouseTableSettings) -> TableMetadataIcebergArgs:
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


def _maintenance(context: Context, table: LakehouseTableSettings) -> TableMaintenanceConfigurationArgs:
    days = context.settings.snapshot_days(table)
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
                max_snapshot_age_hours=mapped(days, lambda known: known * 24), min_snapshots_to_keep=1
            ),
        ),
    )
