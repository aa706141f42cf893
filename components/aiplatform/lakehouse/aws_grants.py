"""The grants of teams, by Lake Formation."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import lakeformation

from aiplatform.lakehouse.aws_context import Context
from aiplatform.lakehouse.aws_entries import Database, Entry
from aiplatform.lakehouse.aws_governance import CHANGES_ROWS, Tags, place_of_table
from aiplatform.lakehouse.aws_principals import Principal, of_grant
from aiplatform.lakehouse.aws_roles import DEFAULT_DATABASE
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import TableSettings, Zone

READS: Final = ("DESCRIBE", "SELECT")


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

    One that changes is taken back first: the other way round, taking it back would take what is the same in
    the new one.
    """
    declared = {table.path: table for table in context.settings.tables}
    seen: set[tuple[str, Zone]] = set()
    for grant in context.settings.grants:
        who = of_grant(principals, grant)
        assert who is not None, "principals are those of the grants"  # noqa: S101
        touched: list[Zone] = [*grant.zones, *(declared[path].zone for path in grant.tables)]
        for zone in dict.fromkeys(touched):
            # Once a principal and database: a second one would be taken back with the first.
            if (who.key, zone) not in seen:
                seen.add((who.key, zone))
                _sees(context, f"{context.name}-{who.key}-{zone}", grant, databases[zone])
        if grant.zones and keys is not None:
            _by_tags(context, keys, grant)
        for path in grant.tables:
            _on_table(context, grant, declared[path], tables[path], kept[path])

    for who in principals:
        _places(context, who, locations)


def see_default(context: Context, principals: Sequence[Principal], after: pulumi.Resource) -> None:
    """DESCRIBE on the account's `default` database, which Athena asks for of every principal. after: what
    creates the database."""
    for who in principals:
        if who.local:
            lakeformation.Permissions(
                f"{context.name}-{who.key}-{DEFAULT_DATABASE}",
                principal=who.arn,
                permissions=["DESCRIBE"],
                database=lakeformation.PermissionsDatabaseArgs(name=DEFAULT_DATABASE),
                opts=context.options(after, delete_before_replace=True),
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
            place_of_table(context, f"{context.name}-{who.key}-{path}-location", who.arn, table, locations)


def _sees(context: Context, name: str, grant: GrantSettings, database: Database) -> None:
    lakeformation.Permissions(
        name,
        principal=grant.principal,
        permissions=["DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(catalog_id=context.catalog_id, name=database.name),
        opts=context.options(delete_before_replace=True),
    )


def _permissions(grant: GrantSettings) -> list[str]:
    given = {*(READS if "read" in grant.actions else ()), *(CHANGES_ROWS if "write" in grant.actions else ())}
    return sorted(given)


def _by_tags(context: Context, keys: Tags, grant: GrantSettings) -> None:
    """On whatever has the tags, today's and later tables."""
    expressions = [
        lakeformation.PermissionsLfTagPolicyExpressionArgs(key=key, values=list(values))
        for key, values in (
            (keys.classification.key, grant.classifications),
            (keys.zone.key, grant.zones),
        )
    ]
    lakeformation.Permissions(
        f"{context.name}-grant-{grant.name}",
        principal=grant.principal,
        permissions=_permissions(grant),
        lf_tag_policy=lakeformation.PermissionsLfTagPolicyArgs(
            resource_type="TABLE", expressions=expressions
        ),
        opts=context.options(delete_before_replace=True),
    )


def _on_table(
    context: Context,
    grant: GrantSettings,
    table: TableSettings,
    made: Entry,
    kept: pulumi.Resource,
) -> None:
    name = f"{context.name}-grant-{grant.name}-{table.path}"
    columns = table.columns_of(grant.classifications)
    if grant.rows is not None:
        _on_rows(context, name, grant, made, columns, kept)
    elif len(columns) < len(table.columns):
        # These columns and no later one: what is added has the table's classification.
        lakeformation.Permissions(
            name,
            principal=grant.principal,
            permissions=["SELECT"],
            table_with_columns=lakeformation.PermissionsTableWithColumnsArgs(
                catalog_id=context.catalog_id,
                database_name=made.database_name,
                name=made.name,
                column_names=columns,
            ),
            opts=context.options(kept, delete_before_replace=True),
        )
    else:
        lakeformation.Permissions(
            name,
            principal=grant.principal,
            permissions=_permissions(grant),
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id, database_name=made.database_name, name=made.name
            ),
            opts=context.options(kept, delete_before_replace=True),
        )


def _on_rows(
    context: Context,
    name: str,
    grant: GrantSettings,
    made: Entry,
    columns: list[str],
    kept: pulumi.Resource,
) -> None:
    """A filter of rows and columns, which engines that Lake Formation trusts obey (Athena)."""
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
        principal=grant.principal,
        permissions=["SELECT"],
        data_cells_filter=filtered,
        opts=context.options(cells, delete_before_replace=True),
    )
