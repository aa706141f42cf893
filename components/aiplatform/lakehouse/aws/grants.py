"""Grants of teams, as permissions of Lake Formation."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import lakeformation

from aiplatform.lakehouse.aws.catalog_entries import Catalog, Database, MigratedTable
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.governance import CHANGES_ROWS, Tags, grant_table_location
from aiplatform.lakehouse.aws.names import DEFAULT_TAG
from aiplatform.lakehouse.aws.permissions import DEFAULT_DATABASE
from aiplatform.lakehouse.aws.principals import Principal, principal_of
from aiplatform.lakehouse.grants import LakehouseGrantSettings
from aiplatform.lakehouse.tables import LakehouseTableSettings, Zone

READS: Final = ("DESCRIBE", "SELECT")
_QUERIED: Final = "queried"
"""The value of the tag of the database `default`."""


def create_grants(
    context: Context, tags: Tags | None, catalog: Catalog, principals: Sequence[Principal]
) -> None:
    """Create the permissions. What is not granted is refused: no rule denies. tags: None with S3 Tables,
    which has no LF-tags.

    A permission is named by its principal and its target, as Lake Formation identifies it: under another
    logical name it would be granted again before the old one is revoked, and both are one. One that changes
    is revoked before it is replaced: revoking the old one afterwards would revoke what is equal in the new
    one.
    """
    declared = {table.path: table for table in context.settings.tables}
    seen: set[tuple[str, Zone]] = set()
    for grant in context.settings.grants:
        principal = principal_of(principals, grant)
        zones: list[Zone] = [*grant.zones, *(declared[path].zone for path in grant.tables)]
        for zone in dict.fromkeys(zones):
            # Once a principal and database: a second one would be revoked with the first.
            if (principal.key, zone) not in seen:
                seen.add((principal.key, zone))
                _describe_database(context, principal, catalog.databases[zone], zone)
        if grant.zones and tags is not None:
            _grant_by_tags(context, tags, principal, grant)
        for path in grant.tables:
            _grant_table(context, principal, grant, declared[path], catalog.tables[path])

    for principal in principals:
        _grant_locations(context, principal, catalog.locations)


def grant_default_database(
    context: Context,
    principals: Sequence[Principal],
    database: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Grant DESCRIBE on the account's `default` database, which Athena requires of every principal. database:
    what creates it.

    By a tag of this lakehouse: granted on the database itself, the permission would be one for all lakehouses
    of the account, and the first that is destroyed would revoke it from principals of the others.
    """
    name = f"{context.name}-{DEFAULT_DATABASE}"
    tag = lakeformation.LfTag(
        name,
        key=DEFAULT_TAG.of(context.settings.prefix),
        values=[_QUERIED],
        opts=context.options(*depends_on),
    )
    # Not ResourceLfTags: it would report the tags of other lakehouses as drift.
    tagged = lakeformation.ResourceLfTag(
        name,
        database=lakeformation.ResourceLfTagDatabaseArgs(name=DEFAULT_DATABASE),
        lf_tag=lakeformation.ResourceLfTagLfTagArgs(key=tag.key, value=_QUERIED),
        opts=context.options(database, delete_before_replace=True),
    )
    expression = lakeformation.PermissionsLfTagPolicyExpressionArgs(key=tag.key, values=[_QUERIED])
    for principal in principals:
        if principal.local:
            lakeformation.Permissions(
                f"{context.name}-{principal.key}-{DEFAULT_DATABASE}-tag",
                principal=principal.arn,
                permissions=["DESCRIBE"],
                lf_tag_policy=lakeformation.PermissionsLfTagPolicyArgs(
                    resource_type="DATABASE", expressions=[expression]
                ),
                opts=context.options(tagged, delete_before_replace=True),
            )


def _grant_locations(
    context: Context, principal: Principal, locations: Mapping[Zone, lakeformation.Resource]
) -> None:
    """Grant the folders of the tables that a principal writes."""
    written = {
        table.path: table
        for grant in principal.grants
        if "write" in grant.actions
        for table in context.settings.tables
        if table.path in grant.tables
        or (table.zone in grant.zones and len(table.columns_of(grant.classifications)) == len(table.columns))
    }
    for path, table in written.items():
        if table.zone in locations:
            name = f"{context.name}-{principal.key}-{path}-location"
            former_names = principal.former_names(name)
            grant_table_location(context, name, principal.arn, table, locations, former_names)


def _describe_database(context: Context, principal: Principal, database: Database, zone: Zone) -> None:
    name = f"{context.name}-{principal.key}-{zone}"
    lakeformation.Permissions(
        name,
        principal=principal.arn,
        permissions=["DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(catalog_id=context.catalog_id, name=database.name),
        opts=context.options(delete_before_replace=True, former_names=principal.former_names(name)),
    )


def _permissions(grant: LakehouseGrantSettings) -> list[str]:
    read = READS if "read" in grant.actions else ()
    write = CHANGES_ROWS if "write" in grant.actions else ()
    return sorted({*read, *write})


def _grant_by_tags(context: Context, tags: Tags, principal: Principal, grant: LakehouseGrantSettings) -> None:
    """Grant what has the tags: present and later tables."""
    expressions = [
        lakeformation.PermissionsLfTagPolicyExpressionArgs(key=key, values=list(values))
        for key, values in (
            (tags.classification.key, grant.classifications),
            (tags.zone.key, grant.zones),
        )
    ]
    lakeformation.Permissions(
        f"{context.name}-{principal.key}-zones-{'-'.join(sorted(grant.zones))}",
        principal=principal.arn,
        permissions=_permissions(grant),
        lf_tag_policy=lakeformation.PermissionsLfTagPolicyArgs(
            resource_type="TABLE", expressions=expressions
        ),
        opts=context.options(delete_before_replace=True, former_names=[f"{context.name}-grant-{grant.name}"]),
    )


def _grant_table(
    context: Context,
    principal: Principal,
    grant: LakehouseGrantSettings,
    declared: LakehouseTableSettings,
    table: MigratedTable,
) -> None:
    former_names = [f"{context.name}-grant-{grant.name}-{declared.path}"]
    columns = declared.columns_of(grant.classifications)
    if grant.rows is not None:
        _grant_rows(context, principal, grant, declared.path, table, columns)
        return
    permissions, whole_table, some_columns = _permissions(grant), None, None
    if len(columns) < len(declared.columns):
        # These columns and no later one: a column that is added has the table's classification.
        permissions = ["SELECT"]
        some_columns = lakeformation.PermissionsTableWithColumnsArgs(
            catalog_id=context.catalog_id,
            database_name=table.database_name,
            name=table.name,
            column_names=columns,
        )
    else:
        whole_table = lakeformation.PermissionsTableArgs(
            catalog_id=context.catalog_id, database_name=table.database_name, name=table.name
        )
    lakeformation.Permissions(
        f"{context.name}-{principal.key}-{declared.path}",
        principal=principal.arn,
        permissions=permissions,
        table=whole_table,
        table_with_columns=some_columns,
        opts=context.options(table.migration, delete_before_replace=True, former_names=former_names),
    )


def _grant_rows(
    context: Context,
    principal: Principal,
    grant: LakehouseGrantSettings,
    path: str,
    table: MigratedTable,
    columns: list[str],
) -> None:
    """Grant rows and columns by a filter, which engines that Lake Formation trusts apply (Athena). The filter
    has the grant's name, which is therefore part of the permission's target."""
    name = f"{context.name}-grant-{grant.name}-{path}"
    cells = lakeformation.DataCellsFilter(
        name,
        table_data=lakeformation.DataCellsFilterTableDataArgs(
            table_catalog_id=context.account.account_id,
            database_name=table.database_name,
            table_name=table.name,
            name=grant.name,
            column_names=columns,
            row_filter=lakeformation.DataCellsFilterTableDataRowFilterArgs(filter_expression=grant.rows),
        ),
        # Names of filters are unique in a table.
        opts=context.options(table.migration, delete_before_replace=True),
    )
    lakeformation.Permissions(
        name,
        principal=principal.arn,
        permissions=["SELECT"],
        data_cells_filter=lakeformation.PermissionsDataCellsFilterArgs(
            table_catalog_id=context.account.account_id,
            database_name=table.database_name,
            table_name=table.name,
            name=grant.name,
        ),
        opts=context.options(cells, delete_before_replace=True),
    )
