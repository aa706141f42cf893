"""The Iceberg catalog, its namespaces and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import biglake

from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.gcp.buckets import Buckets
from aiplatform.lakehouse.gcp.context import TABLES, Context
from aiplatform.lakehouse.gcp.governance import ColumnPolicies
from aiplatform.lakehouse.tables import LakehouseTableSettings, Zone
from aiplatform.lakehouse.types import Numbered, numbered

OWNED_BY_ICEBERG: Final = ("schema", "partitionSpec", "sortOrder", "properties")
"""Properties that Iceberg changes after a table is created. An update by the provider would reset them to the
declaration."""

Tables = Mapping[str, biglake.IcebergTable]
"""A table's path, `curated.orders` -> the table."""


@dataclass(frozen=True)
class Catalog:
    """The catalog and its namespaces."""

    catalog: biglake.IcebergCatalog
    namespaces: Mapping[Zone, biglake.IcebergNamespace]

    @property
    def member(self) -> Output[str]:
        """Its service account, as a member of an IAM policy."""
        return self.catalog.biglake_service_account.apply(lambda email: f"serviceAccount:{email}")


def create_catalog(context: Context, buckets: Buckets) -> Catalog:
    """Create one catalog for all buckets, which issues credentials, and a namespace for each zone."""
    catalog = biglake.IcebergCatalog(
        f"{context.name}-catalog",
        project=context.project,
        name=context.catalog,
        catalog_type="CATALOG_TYPE_BIGLAKE",
        credential_mode="CREDENTIAL_MODE_VENDED_CREDENTIALS",
        description=f"Tables of {context.settings.prefix}'s lakehouse",
        primary_location=context.region,
        default_location=Output.concat("gs://", buckets["curated"].name),
        restricted_locations_config=biglake.IcebergCatalogRestrictedLocationsConfigArgs(
            restricted_locations=[Output.concat("gs://", bucket.name) for bucket in buckets.values()]
        ),
        opts=context.options(context.apis["biglake"], data=True, delete_before_replace=True),
    )
    namespaces: dict[Zone, biglake.IcebergNamespace] = {
        zone: biglake.IcebergNamespace(
            f"{context.name}-{zone}",
            project=context.project,
            catalog=catalog.name,
            namespace_id=context.database(zone),
            properties={"location": Output.concat("gs://", bucket.name, f"/{TABLES}")},
            opts=context.options(data=True, delete_before_replace=True),
        )
        for zone, bucket in buckets.items()
    }
    return Catalog(catalog, namespaces)


def create_tables(
    context: Context, catalog: Catalog, policies: ColumnPolicies, access: Sequence[pulumi.Resource]
) -> Tables:
    """Create the tables. Their column policies, and the catalog's access to files, exist before and are
    deleted after them."""
    return {
        table.path: biglake.IcebergTable(
            f"{context.name}-{table.zone}-{table.name}",
            project=context.project,
            catalog=catalog.catalog.name,
            namespace=catalog.namespaces[table.zone].namespace_id,
            name=table.name,
            schema=biglake.IcebergTableSchemaArgs(type="struct", fields=_fields(numbered(table.fields))),
            partition_spec=_partitions(table, numbered(table.fields)),
            sort_order=_order(table, numbered(table.fields)),
            properties=_properties(context, table),
            # No location: the catalog chooses one below the namespace, with a random ending.
            opts=context.options(
                *access,
                *policies.of_table(table),
                data=True,
                delete_before_replace=True,
                ignore_changes=list(OWNED_BY_ICEBERG),
            ),
        )
        for table in context.catalog_tables
    }


def _properties(context: Context, table: LakehouseTableSettings) -> dict[str, Input[str]]:
    days = context.settings.snapshot_days(table)
    return {
        **({"comment": table.description} if table.description else {}),
        **({"owner": table.owner} if table.owner else {}),
        # Spark's procedure and PyIceberg expire snapshots by it.
        "history.expire.max-snapshot-age-ms": mapped(days, lambda known: str(known * 24 * 3600 * 1000)),
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "100",
    }


def _fields(schema: Numbered) -> list[biglake.IcebergTableSchemaFieldArgs]:
    return [
        biglake.IcebergTableSchemaFieldArgs(
            id=field["id"],
            name=field["name"],
            required=field["required"],
            type=field["type"],
            doc=field.get("doc"),
        )
        for field in schema.fields
    ]


def _partitions(
    table: LakehouseTableSettings, schema: Numbered
) -> biglake.IcebergTablePartitionSpecArgs | None:
    if not table.partitions:
        return None
    return biglake.IcebergTablePartitionSpecArgs(
        fields=[
            biglake.IcebergTablePartitionSpecFieldArgs(
                name=part.partition_name, source_id=schema.id_of(part.column), transform=part.transform
            )
            for part in table.partitions
        ]
    )


def _order(table: LakehouseTableSettings, schema: Numbered) -> biglake.IcebergTableSortOrderArgs | None:
    if not table.sort_order:
        return None
    return biglake.IcebergTableSortOrderArgs(
        fields=[
            biglake.IcebergTableSortOrderFieldArgs(
                source_id=schema.id_of(part.column),
                transform=part.transform,
                direction=part.direction,
                null_order=part.null_order,
            )
            for part in table.sort_order
        ]
    )
