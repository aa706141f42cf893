"""Glue databases and Iceberg tables, and what keeps the tables tidy."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import glue, iam
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

from aiplatform.lakehouse.aws.catalog_entries import Database, Entry
from aiplatform.lakehouse.aws.context import TABLES, Context
from aiplatform.lakehouse.table_spec import first_properties
from aiplatform.lakehouse.tables import ZONES, TableSettings, Zone
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
"""What Iceberg changes after a table is made. An update of any of it by Glue would write columns, or the
place of the newest metadata, as they were."""

_FIRST_PARTITION_ID: Final = 1000
"""Where Iceberg's libraries begin to number the fields of partitions (PARTITION_DATA_ID_START)."""
_ORPHAN_DAYS: Final = 7
"""A file is an orphan when no snapshot knows it for so long: longer than any commit takes."""


def databases(context: Context, *after: pulumi.Resource) -> dict[Zone, Database]:
    """A database a zone."""
    made: dict[Zone, glue.CatalogDatabase] = {
        zone: glue.CatalogDatabase(
            f"{context.name}-{zone}",
            name=context.database(zone),
            description=f"Zone {zone} of {context.settings.prefix}'s lakehouse",
            location_uri=f"s3://{context.bucket(zone)}/{TABLES}",
            tags=context.tags(zone),
            opts=context.options(*after, data=True, delete_before_replace=True),
        )
        for zone in ZONES
    }
    return {zone: Database(each, each.name) for zone, each in made.items()}


def tables(
    context: Context,
    made: Mapping[Zone, Database],
    after: Mapping[Zone, Sequence[pulumi.Resource]],
) -> dict[str, Entry]:
    """The tables by their path, `curated.orders`. after: what a zone's location must have first."""
    there = {
        table.path: glue.CatalogTable(
            f"{context.name}-{table.zone}-{table.name}",
            name=table.name,
            database_name=made[table.zone].name,
            open_table_format_input=CatalogTableOpenTableFormatInputArgs(
                iceberg_input=CatalogTableOpenTableFormatInputIcebergInputArgs(
                    metadata_operation="CREATE",
                    version="2",
                    iceberg_table_input=_declared(context, table),
                )
            ),
            # Description and owner stand in the table's properties: the provider sends nothing else beside
            # the input that Iceberg tables are made by, and would update the table afterwards.
            opts=context.options(
                *after[table.zone],
                data=True,
                delete_before_replace=True,
                ignore_changes=list(OWNED_BY_ICEBERG),
            ),
        )
        for table in context.settings.tables
    }
    return {
        table.path: Entry(
            there[table.path],
            there[table.path].database_name,
            there[table.path].name,
            context.location(table),
        )
        for table in context.settings.tables
    }


def _declared(context: Context, table: TableSettings) -> IcebergTable:
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


def _partitions(table: TableSettings, schema: Numbered) -> PartitionSpec | None:
    if not table.partitions:
        return None
    return PartitionSpec(
        spec_id=0,
        fields=[
            PartitionField(
                field_id=_FIRST_PARTITION_ID + index,
                name=part.called,
                source_id=schema.id_of(part.column),
                transform=part.transform,
            )
            for index, part in enumerate(table.partitions)
        ],
    )


def _order(table: TableSettings, schema: Numbered) -> SortOrder | None:
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


def optimizers(
    context: Context,
    made: Mapping[str, Entry],
    role: iam.Role,
    after: Sequence[pulumi.Resource],
) -> None:
    """Compaction, the end of old snapshots, and the removal of files that no snapshot knows, for each
    table."""
    for table in context.settings.tables:
        name = f"{context.name}-{table.zone}-{table.name}"
        for kind, configuration in _configurations(context, table, role).items():
            glue.CatalogTableOptimizer(
                f"{name}-{kind.split('_', maxsplit=1)[0]}",
                catalog_id=context.place.account_id,
                database_name=made[table.path].database_name,
                table_name=made[table.path].name,
                type=kind,
                configuration=configuration,
                # A table has one of a type.
                opts=context.options(*after, delete_before_replace=True),
            )


def _configurations(
    context: Context, table: TableSettings, role: iam.Role
) -> dict[str, CatalogTableOptimizerConfigurationArgs]:
    days = table.snapshot_days or context.settings.zones.of(table.zone).snapshot_days
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
