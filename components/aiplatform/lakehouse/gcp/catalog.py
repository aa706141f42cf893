"""The Iceberg catalog, its namespaces and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import biglake, storage

from aiplatform.lakehouse.gcp.context import TABLES, Context
from aiplatform.lakehouse.tables import TableSettings, Zone
from aiplatform.lakehouse.types import Numbered, numbered

OWNED_BY_ICEBERG: Final = ("schema", "partitionSpec", "sortOrder", "properties")
"""What Iceberg changes after a table is made. An update by the provider would set properties and order back
as they were declared."""


@dataclass(frozen=True)
class Catalog:
    """The catalog and its namespaces."""

    catalog: biglake.IcebergCatalog
    namespaces: Mapping[Zone, biglake.IcebergNamespace]

    @property
    def member(self) -> Output[str]:
        """Its service account, as a member of an IAM policy."""
        return self.catalog.biglake_service_account.apply(lambda email: f"serviceAccount:{email}")


def catalog(context: Context, buckets: Mapping[Zone, storage.Bucket]) -> Catalog:
    """One catalog for all buckets, which hands out credentials, and a namespace a zone."""
    made = biglake.IcebergCatalog(
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
            catalog=made.name,
            namespace_id=context.database(zone),
            properties={"location": Output.concat("gs://", bucket.name, f"/{TABLES}")},
            opts=context.options(data=True, delete_before_replace=True),
        )
        for zone, bucket in buckets.items()
    }
    return Catalog(made, namespaces)


def tables(
    context: Context, made: Catalog, after: Mapping[str, Sequence[pulumi.Resource]]
) -> dict[str, biglake.IcebergTable]:
    """The tables by their path, `curated.orders`. after: what must stand before a table, by its path; it also
    goes after the table."""
    return {
        table.path: biglake.IcebergTable(
            f"{context.name}-{table.zone}-{table.name}",
            project=context.project,
            catalog=made.catalog.name,
            namespace=made.namespaces[table.zone].namespace_id,
            name=table.name,
            schema=biglake.IcebergTableSchemaArgs(type="struct", fields=_fields(numbered(table.fields))),
            partition_spec=_partitions(table, numbered(table.fields)),
            sort_order=_order(table, numbered(table.fields)),
            properties=_properties(context, table),
            # Where it is the catalog decides: below its namespace, with an ending that nobody guesses.
            opts=context.options(
                *after[table.path],
                data=True,
                delete_before_replace=True,
                ignore_changes=list(OWNED_BY_ICEBERG),
            ),
        )
        for table in context.catalogued
    }


def _properties(context: Context, table: TableSettings) -> dict[str, str]:
    days = table.snapshot_days or context.settings.zones.of(table.zone).snapshot_days
    return {
        **({"comment": table.description} if table.description else {}),
        **({"owner": table.owner} if table.owner else {}),
        # For whoever expires snapshots: Spark's procedure and PyIceberg go by it.
        "history.expire.max-snapshot-age-ms": str(days * 24 * 3600 * 1000),
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


def _partitions(table: TableSettings, schema: Numbered) -> biglake.IcebergTablePartitionSpecArgs | None:
    if not table.partitions:
        return None
    return biglake.IcebergTablePartitionSpecArgs(
        fields=[
            biglake.IcebergTablePartitionSpecFieldArgs(
                name=part.called, source_id=schema.id_of(part.column), transform=part.transform
            )
            for part in table.partitions
        ]
    )


def _order(table: TableSettings, schema: Numbered) -> biglake.IcebergTableSortOrderArgs | None:
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
