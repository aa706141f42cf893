"""Glue databases and Iceberg tables, and the optimizers of tables."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import glue, lakeformation
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputArgs,
    CatalogTableOpenTableFormatInputIcebergInputArgs,
    CatalogTableOptimizerConfigurationArgs,
    CatalogTableOptimizerConfigurationCompactionConfigurationArgs,
    CatalogTableOptimizerConfigurationOrphanFileDeletionConfigurationArgs,
    CatalogTableOptimizerConfigurationRetentionConfigurationArgs,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputArgs as IcebergTable,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputPartitionSpecArgs as PartitionSpec,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputPartitionSpecFieldArgs as PartitionField,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputSchemaArgs as Schema,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputSchemaFieldArgs as SchemaField,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputSortOrderArgs as SortOrder,
)
from pulumi_aws.glue import (
    CatalogTableOpenTableFormatInputIcebergInputIcebergTableInputSortOrderFieldArgs as SortField,
)
from pulumi_aws.glue import (
    CatalogTableOptimizerConfigurationCompactionConfigurationIcebergConfigurationArgs as Compaction,
)
from pulumi_aws.glue import (
    CatalogTableOptimizerConfigurationOrphanFileDeletionConfigurationIcebergConfigurationArgs as Orphans,
)
from pulumi_aws.glue import (
    CatalogTableOptimizerConfigurationRetentionConfigurationIcebergConfigurationArgs as Retention,
)

from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.catalog_entries import Catalog, Database, Table
from aiplatform.lakehouse.aws.context import TABLES, Context
from aiplatform.lakehouse.table_spec import first_properties
from aiplatform.lakehouse.tables import ZONES, LakehouseTableSettings, Zone
from aiplatform.lakehouse.types import Numbered, numbered

OWNED_BY_ICEBERG: Final = (
    "openTableFormatInput",
    "parameters",
    "storageDescriptor",
    "partitionKeys",
    "partitionIndices",
    "tableType",
    "description",
    "owner",
    "retention",
)
"""Properties that Iceberg changes after a table is created. An update of any of them by Glue would restore
former columns, or the location of former metadata."""

_FIRST_PARTITION_ID: Final = 1000
"""The first id that Iceberg's libraries give to the fields of partitions (PARTITION_DATA_ID_START)."""
_ORPHAN_DAYS: Final = 7
"""Days after which a file that no snapshot refers to is an orphan: longer than any commit takes."""


def create_databases(context: Context, depends_on: Sequence[pulumi.Resource]) -> dict[Zone, Database]:
    """Create a database for each zone."""
    databases: dict[Zone, glue.CatalogDatabase] = {
        zone: glue.CatalogDatabase(
            f"{context.name}-{zone}",
            name=context.database(zone),
            description=f"Zone {zone} of {context.settings.prefix}'s lakehouse",
            location_uri=f"s3://{context.bucket(zone)}/{TABLES}",
            tags=context.tags(zone),
            opts=context.options(*depends_on, data=True, delete_before_replace=True),
        )
        for zone in ZONES
    }
    return {zone: Database(database, database.name) for zone, database in databases.items()}


def create_tables(
    context: Context,
    databases: Mapping[Zone, Database],
    locations: Mapping[Zone, lakeformation.Resource],
) -> dict[str, Table]:
    """Create the tables; returns them by their paths, `curated.orders`. Lake Formation must know a zone's
    location before a table is created in it."""
    resources = {
        table.path: glue.CatalogTable(
            f"{context.name}-{table.zone}-{table.name}",
            name=table.name,
            database_name=databases[table.zone].name,
            open_table_format_input=CatalogTableOpenTableFormatInputArgs(
                iceberg_input=CatalogTableOpenTableFormatInputIcebergInputArgs(
                    metadata_operation="CREATE",
                    version="2",
                    iceberg_table_input=_table_input(context, table),
                )
            ),
            # Description and owner are in the table's properties: the provider creates an Iceberg table from
            # this input only, and would set everything else by an update.
            opts=context.options(
                locations[table.zone],
                data=True,
                delete_before_replace=True,
                ignore_changes=list(OWNED_BY_ICEBERG),
            ),
        )
        for table in context.settings.tables
    }
    return {
        table.path: Table(
            resources[table.path],
            resources[table.path].database_name,
            resources[table.path].name,
            context.location(table),
        )
        for table in context.settings.tables
    }


def _table_input(context: Context, table: LakehouseTableSettings) -> IcebergTable:
    schema = numbered(table.fields)
    return IcebergTable(
        location=context.location(table),
        schema=Schema(
            type="struct",
            schema_id=0,
            fields=[
                SchemaField(
                    id=field["id"],
                    name=field["name"],
                    required=field["required"],
                    # A JSON document: a string in quotes, or an object.
                    type=json.dumps(field["type"]),
                    doc=field.get("doc"),
                )
                for field in schema.fields
            ],
        ),
        partition_spec=_partitions(table, schema),
        sort_order=_order(table, schema),
        properties=first_properties(context.settings, table, schema),
    )


def _partitions(table: LakehouseTableSettings, schema: Numbered) -> PartitionSpec | None:
    if not table.partitions:
        return None
    return PartitionSpec(
        spec_id=0,
        fields=[
            PartitionField(
                field_id=_FIRST_PARTITION_ID + index,
                name=part.partition_name,
                source_id=schema.id_of(part.column),
                transform=part.transform,
            )
            for index, part in enumerate(table.partitions)
        ],
    )


def _order(table: LakehouseTableSettings, schema: Numbered) -> SortOrder | None:
    if not table.sort_order:
        return None
    # 0 is the order of what is not sorted (Iceberg table spec, "Sorting").
    return SortOrder(
        order_id=1,
        fields=[
            SortField(
                source_id=schema.id_of(part.column),
                transform=part.transform,
                direction=part.direction,
                null_order=part.null_order,
            )
            for part in table.sort_order
        ],
    )


def create_optimizers(
    context: Context, catalog: Catalog, role: ServiceRole, depends_on: Sequence[pulumi.Resource]
) -> None:
    """Create the optimizers of each table: compaction, expiry of old snapshots, deletion of orphan files."""
    for table in context.settings.tables:
        name = f"{context.name}-{table.zone}-{table.name}"
        for kind, configuration in _configurations(context, table, role).items():
            glue.CatalogTableOptimizer(
                f"{name}-{kind.split('_', maxsplit=1)[0]}",
                catalog_id=context.account.account_id,
                database_name=catalog.tables[table.path].database_name,
                table_name=catalog.tables[table.path].name,
                type=kind,
                configuration=configuration,
                # A table has one of a type.
                opts=context.options(*depends_on, delete_before_replace=True),
            )


def _configurations(
    context: Context, table: LakehouseTableSettings, role: ServiceRole
) -> dict[str, CatalogTableOptimizerConfigurationArgs]:
    days = context.settings.snapshot_days(table)
    compaction = CatalogTableOptimizerConfigurationCompactionConfigurationArgs(
        iceberg_configuration=Compaction(strategy="sort" if table.sort_order else "binpack")
    )
    retention = CatalogTableOptimizerConfigurationRetentionConfigurationArgs(
        iceberg_configuration=Retention(
            snapshot_retention_period_in_days=days,
            number_of_snapshots_to_retain=1,
            clean_expired_files=True,
        )
    )
    orphans = CatalogTableOptimizerConfigurationOrphanFileDeletionConfigurationArgs(
        iceberg_configuration=Orphans(
            orphan_file_retention_period_in_days=_ORPHAN_DAYS, location=context.location(table)
        )
    )
    return {
        "compaction": CatalogTableOptimizerConfigurationArgs(
            enabled=True, role_arn=role.arn, compaction_configuration=compaction
        ),
        "retention": CatalogTableOptimizerConfigurationArgs(
            enabled=True, role_arn=role.arn, retention_configuration=retention
        ),
        "orphan_file_deletion": CatalogTableOptimizerConfigurationArgs(
            enabled=True, role_arn=role.arn, orphan_file_deletion_configuration=orphans
        ),
    }
