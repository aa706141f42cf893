"""The grants of teams, by Lake Formation."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import lakeformation

from aiplatform.lakehouse.aws.catalog_entries import Database, Entry
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.governance import CHANGES_ROWS, Tags, place_of_table
from aiplatform.lakehouse.aws.names import DEFAULT_TAG
from aiplatform.lakehouse.aws.principals import Principal, of_grant
from aiplatform.lakehouse.aws.roles import DEFAULT_DATABASE
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import TableSettings, Zone

READS: Final = ("DESCRIBE", "SELECT")
_QUERIED: Final = "queried"
"""The value of the tag of the database `default`."""


def grants(
    context: Context,
    keys: Tags | None,
    databases: Mapping[Zone, Database],
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
    principals: Sequence[Principal],
    locations: Mapping[Zone, lakeformation.Resource],
) -> None:
    """All of them. What is not granted is refused: there is no rule that denies. keys: of LF-tags, which S3
    Tables does without. kept: what has brought each table to its declaration. locations: those of the zones,
    none in S3 Tables.

    Each is named by its principal and by what it is on, as Lake Formation knows it: the same grant under
    another logical name would be made before the old one is taken back, and both are one. One that changes is
    taken back first: the other way round, taking it back would take what is the same in the new one.
    """
    declared = {table.path: table for table in context.settings.tables}
    seen: set[tuple[str, Zone]] = set()
    for grant in context.settings.grants:
        who = of_grant(principals, grant)
        touched: list[Zone] = [*grant.zones, *(declared[path].zone for path in grant.tables)]
        for zone in dict.fromkeys(touched):
            # Once a principal and database: a second one would be taken back with the first.
            if (who.key, zone) not in seen:
                seen.add((who.key, zone))
                _sees(context, who, databases[zone], zone)
        if grant.zones and keys is not None:
            _by_tags(context, keys, who, grant)
        for path in grant.tables:
            _on_table(context, who, grant, declared[path], tables[path], kept[path])

    for who in principals:
        _places(context, who, locations)


def see_default(
    context: Context,
    principals: Sequence[Principal],
    database: pulumi.Resource,
    after: Sequence[pulumi.Resource],
) -> None:
    """DESCRIBE on the account's `default` database, which Athena asks for of every principal. database: what
    creates it.

    By a tag of this lakehouse's own: granted on the database itself, the right would be one for all
    lakehouses of the account, and the first that is destroyed would take it from principals of the others.
    """
    if not any(who.local for who in principals):
        return
    name = f"{context.name}-{DEFAULT_DATABASE}"
    tag = lakeformation.LfTag(
        name, key=DEFAULT_TAG.of(context.settings.prefix), values=[_QUERIED], opts=context.options(*after)
    )
    # Not ResourceLfTags: it would have the tags of other lakehouses for drift.
    tagged = lakeformation.ResourceLfTag(
        name,
        database=lakeformation.ResourceLfTagDatabaseArgs(name=DEFAULT_DATABASE),
        lf_tag=lakeformation.ResourceLfTagLfTagArgs(key=tag.key, value=_QUERIED),
        opts=context.options(database, delete_before_replace=True),
    )
    expression = lakeformation.PermissionsLfTagPolicyExpressionArgs(key=tag.key, values=[_QUERIED])
    for who in principals:
        if who.local:
            lakeformation.Permissions(
                f"{context.name}-{who.key}-{DEFAULT_DATABASE}-tag",
                principal=who.arn,
                permissions=["DESCRIBE"],
                lf_tag_policy=lakeformation.PermissionsLfTagPolicyArgs(
                    resource_type="DATABASE", expressions=[expression]
                ),
                opts=context.options(tagged, delete_before_replace=True),
            )


def _places(context: Context, who: Principal, locations: Mapping[Zone, lakeformation.Resource]) -> None:
    """The folders of the tables that a principal writes."""
    written = {
        table.path: table
        for grant in who.grants
        if "write" in grant.actions
        for table in context.settings.tables
        if table.path in grant.tables
        or (table.zone in grant.zones and len(table.columns_of(grant.classifications)) == len(table.columns))
    }
    for path, table in written.items():
        if table.zone in locations:
            name = f"{context.name}-{who.key}-{path}-location"
            place_of_table(context, name, who.arn, table, locations, who.formerly(name))


def _sees(context: Context, who: Principal, database: Database, zone: Zone) -> None:
    name = f"{context.name}-{who.key}-{zone}"
    lakeformation.Permissions(
        name,
        principal=who.arn,
        permissions=["DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(catalog_id=context.catalog_id, name=database.name),
        opts=context.options(delete_before_replace=True, formerly=who.formerly(name)),
    )


def _permissions(grant: GrantSettings) -> list[str]:
    given = {*(READS if "read" in grant.actions else ()), *(CHANGES_ROWS if "write" in grant.actions else ())}
    return sorted(given)


def _by_tags(context: Context, keys: Tags, who: Principal, grant: GrantSettings) -> None:
    """On whatever has the tags, today's and later tables."""
    expressions = [
        lakeformation.PermissionsLfTagPolicyExpressionArgs(key=key, values=list(values))
        for key, values in (
            (keys.classification.key, grant.classifications),
            (keys.zone.key, grant.zones),
        )
    ]
    lakeformation.Permissions(
        f"{context.name}-{who.key}-zones-{'-'.join(sorted(grant.zones))}",
        principal=who.arn,
        permissions=_permissions(grant),
        lf_tag_policy=lakeformation.PermissionsLfTagPolicyArgs(
            resource_type="TABLE", expressions=expressions
        ),
        opts=context.options(delete_before_replace=True, formerly=[f"{context.name}-grant-{grant.name}"]),
    )


def _on_table(
    context: Context,
    who: Principal,
    grant: GrantSettings,
    table: TableSettings,
    made: Entry,
    kept: pulumi.Resource,
) -> None:
    formerly = [f"{context.name}-grant-{grant.name}-{table.path}"]
    columns = table.columns_of(grant.classifications)
    if grant.rows is not None:
        _on_rows(context, who, grant, table.path, made, columns, kept)
        return
    permissions, whole, some = _permissions(grant), None, None
    if len(columns) < len(table.columns):
        # These columns and no later one: what is added has the table's classification.
        permissions = ["SELECT"]
        some = lakeformation.PermissionsTableWithColumnsArgs(
            catalog_id=context.catalog_id,
            database_name=made.database_name,
            name=made.name,
            column_names=columns,
        )
    else:
        whole = lakeformation.PermissionsTableArgs(
            catalog_id=context.catalog_id, database_name=made.database_name, name=made.name
        )
    lakeformation.Permissions(
        f"{context.name}-{who.key}-{table.path}",
        principal=who.arn,
        permissions=permissions,
        table=whole,
        table_with_columns=some,
        opts=context.options(kept, delete_before_replace=True, formerly=formerly),
    )


def _on_rows(
    context: Context,
    who: Principal,
    grant: GrantSettings,
    path: str,
    made: Entry,
    columns: list[str],
    kept: pulumi.Resource,
) -> None:
    """A filter of rows and columns, which engines that Lake Formation trusts obey (Athena). The grant's name
    is the filter's, and so part of what the grant is on."""
    name = f"{context.name}-grant-{grant.name}-{path}"
    cells = lakeformation.DataCellsFilter(
        name,
        table_data=lakeformation.DataCellsFilterTableDataArgs(
            table_catalog_id=context.place.account_id,
            database_name=made.database_name,
            table_name=made.name,
            name=grant.name,
            column_names=columns,
            row_filter=lakeformation.DataCellsFilterTableDataRowFilterArgs(filter_expression=grant.rows),
        ),
        # A table has one filter of a name.
        opts=context.options(kept, delete_before_replace=True),
    )
    filtered: pulumi.Input[lakeformation.PermissionsDataCellsFilterArgs] = (
        lakeformation.PermissionsDataCellsFilterArgs(
            table_catalog_id=context.place.account_id,
            database_name=made.database_name,
            table_name=made.name,
            name=grant.name,
        )
    )
    lakeformation.Permissions(
        name,
        principal=who.arn,
        permissions=["SELECT"],
        data_cells_filter=filtered,
        opts=context.options(cells, delete_before_replace=True),
    )
