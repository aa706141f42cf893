"""Lake Formation: administrators, governed locations, LF-tags, and permissions of the lakehouse's own
roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import lakeformation

from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse.aws.buckets import Buckets
from aiplatform.lakehouse.aws.catalog_entries import Catalog, MigratedTable, Store
from aiplatform.lakehouse.aws.context import TABLES, Context
from aiplatform.lakehouse.aws.names import CLASSIFICATION_TAG, ZONE_TAG
from aiplatform.lakehouse.tables import CLASSIFICATIONS, ZONES, LakehouseTableSettings, Zone

CHANGES_ROWS: Final = ("ALTER", "DELETE", "DESCRIBE", "INSERT")
"""Permissions to write. ALTER, as each commit to an Iceberg table updates it in the catalog."""


@dataclass(frozen=True)
class Tags:
    """The keys of LF-tags."""

    zone: lakeformation.LfTag
    classification: lakeformation.LfTag


def create_account_settings(context: Context) -> list[pulumi.Resource]:
    """Set the account's data lake settings in this region: administrators, and that new databases and tables
    are not left to IAM.

    Defaults for new databases and tables are left out, which clears them: they would grant everything to
    IAM_ALLOWED_PRINCIPALS, and Lake Formation's permissions would be without effect.
    """
    if not context.settings.account_settings:
        return []
    return [
        lakeformation.DataLakeSettings(
            f"{context.name}-settings",
            admins=[context.deployer_arn, *context.settings.admins],
            # Iceberg clients get credentials for a table of which they may read everything; where a filter
            # applies, they are refused (Lake Formation developer guide, "Application integration for full
            # table access").
            allow_full_table_external_data_access=True,
            # Both are always read back; the provider resets what is left out.
            parameters={"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"},
            opts=context.options(),
        )
    ]


def register_locations(
    context: Context, buckets: Buckets, role: ServiceRole, depends_on: Sequence[pulumi.Resource]
) -> dict[Zone, lakeformation.Resource]:
    """Register the folders of tables as locations of Lake Formation, with a dedicated role: its
    service-linked role could not use the key."""
    return {
        zone: lakeformation.Resource(
            f"{context.name}-{zone}",
            arn=bucket.bucket.arn.apply(lambda arn: f"{arn}/{TABLES}"),
            role_arn=role.arn,
            hybrid_access_enabled=False,
            opts=context.options(*depends_on, *bucket.ready),
        )
        for zone, bucket in buckets.zones.items()
    }


def create_tags(context: Context, depends_on: Sequence[pulumi.Resource]) -> Tags:
    """Create the LF-tags: the zone of a database, the classification of tables and columns."""
    return Tags(
        zone=lakeformation.LfTag(
            f"{context.name}-zone",
            key=ZONE_TAG.of(context.settings.prefix),
            values=list(ZONES),
            opts=context.options(*depends_on),
        ),
        classification=lakeformation.LfTag(
            f"{context.name}-classification",
            key=CLASSIFICATION_TAG.of(context.settings.prefix),
            values=list(CLASSIFICATIONS),
            opts=context.options(*depends_on),
        ),
    )


def tag_tables(context: Context, tags: Tags, catalog: Catalog) -> None:
    """Assign the LF-tags to databases, tables and columns. A table has the highest classification of its
    columns, which a column inherits that Iceberg adds later; columns below it have separate tags.

    A tag that changes is deleted before it is replaced: deleting the old one afterwards would remove the new
    one of columns that are in both. In between a column has its table's tag, the highest.
    """
    for zone, database in catalog.databases.items():
        lakeformation.ResourceLfTags(
            f"{context.name}-{zone}",
            database=lakeformation.ResourceLfTagsDatabaseArgs(name=database.name),
            lf_tags=[lakeformation.ResourceLfTagsLfTagArgs(key=tags.zone.key, value=zone)],
            opts=context.options(delete_before_replace=True),
        )
    for table in context.settings.tables:
        _tag_table(context, tags, table, catalog.tables[table.path])


def _tag_table(context: Context, tags: Tags, declared: LakehouseTableSettings, table: MigratedTable) -> None:
    name = f"{context.name}-{declared.zone}-{declared.name}"
    table_tags = lakeformation.ResourceLfTags(
        name,
        table=lakeformation.ResourceLfTagsTableArgs(database_name=table.database_name, name=table.name),
        lf_tags=[
            lakeformation.ResourceLfTagsLfTagArgs(key=tags.classification.key, value=declared.classification)
        ],
        opts=context.options(table.migration, delete_before_replace=True),
    )
    for classification in CLASSIFICATIONS:
        columns = declared.columns_of([classification])
        if columns and classification != declared.classification:
            lakeformation.ResourceLfTags(
                f"{name}-{classification}",
                table_with_columns=lakeformation.ResourceLfTagsTableWithColumnsArgs(
                    database_name=table.database_name, name=table.name, column_names=columns
                ),
                lf_tags=[
                    lakeformation.ResourceLfTagsLfTagArgs(key=tags.classification.key, value=classification)
                ],
                # Both change the tags of one table.
                opts=context.options(table_tags, delete_before_replace=True),
            )


def grant_to_workers(
    context: Context, store: Store, roles: Mapping[str, ServiceRole]
) -> list[pulumi.Resource]:
    """Grant the lakehouse's own roles read and write on every table of the zones, later ones included. roles:
    by their purposes, `writer` and `optimizer`."""
    permissions = sorted((*CHANGES_ROWS, "SELECT"))
    return [
        permission
        for purpose, role in roles.items()
        for zone in ZONES
        for permission in _grant_zone(context, purpose, role, permissions, store, zone)
    ]


def grant_to_migrator(context: Context, store: Store, role: ServiceRole) -> list[pulumi.Resource]:
    """Grant the table migrator the schemas of tables, and no rows."""
    return [
        permission
        for zone in ZONES
        for permission in _grant_zone(context, "keeper", role, ["ALTER", "DESCRIBE"], store, zone)
    ]


def _grant_zone(
    context: Context, purpose: str, role: ServiceRole, permissions: Sequence[str], store: Store, zone: Zone
) -> list[pulumi.Resource]:
    database, name = store.databases[zone].name, f"{context.name}-{purpose}-{zone}"
    granted: list[pulumi.Resource] = [
        lakeformation.Permissions(
            f"{name}-database",
            principal=role.arn,
            permissions=["DESCRIBE"],
            database=lakeformation.PermissionsDatabaseArgs(catalog_id=context.catalog_id, name=database),
            opts=context.options(),
        ),
        lakeformation.Permissions(
            f"{name}-tables",
            principal=role.arn,
            permissions=list(permissions),
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id, database_name=database, wildcard=True
            ),
            opts=context.options(delete_before_replace=True),
        ),
    ]
    # A table bucket has no location.
    if zone in store.locations:
        location = lakeformation.Permissions(
            f"{name}-location",
            principal=role.arn,
            permissions=["DATA_LOCATION_ACCESS"],
            data_location=lakeformation.PermissionsDataLocationArgs(arn=store.locations[zone].arn),
            opts=context.options(),
        )
        granted.append(location)
    return granted


def grant_table_location(
    context: Context,
    name: str,
    principal: pulumi.Input[str],
    table: LakehouseTableSettings,
    locations: Mapping[Zone, lakeformation.Resource],
    former_names: Sequence[str] = (),
) -> lakeformation.Permissions:
    """Grant the location of a table to a principal that commits to it: Iceberg names the location with every
    commit (Lake Formation developer guide, "Underlying data access control": "create or alter").

    Only the table's folder: with the zone's, a principal with ALTER on one table could point it to another
    one's folder, whose columns would then have the first one's tags.
    """
    return lakeformation.Permissions(
        name,
        principal=principal,
        permissions=["DATA_LOCATION_ACCESS"],
        data_location=lakeformation.PermissionsDataLocationArgs(
            arn=context.bucket_arn(table.zone, f"/{TABLES}/{table.name}")
        ),
        opts=context.options(locations[table.zone], delete_before_replace=True, former_names=former_names),
    )
