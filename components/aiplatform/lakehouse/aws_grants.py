"""The grants of teams, by Lake Formation."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_aws import lakeformation

from aiplatform._args import is_unknown
from aiplatform.lakehouse.aws_context import Context
from aiplatform.lakehouse.aws_entries import Database, Entry
from aiplatform.lakehouse.aws_governance import CHANGES_ROWS, Tags
from aiplatform.lakehouse.grants import GrantSettings
from aiplatform.lakehouse.tables import TableSettings, Zone

READS: Final = ("DESCRIBE", "SELECT")


def grants(
    context: Context,
    keys: Tags | None,
    databases: Mapping[Zone, Database],
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
) -> None:
    """All of them. What is not granted is refused: there is no rule that denies. keys: of LF-tags, which S3
    Tables does without. kept: what has brought each table to its declaration.

    One that changes is taken back first: the other way round, taking it back would take what is the same in
    the new one.
    """
    declared = {table.path: table for table in context.settings.tables}
    seen: set[tuple[str, Zone]] = set()
    for grant in context.settings.grants:
        touched: list[Zone] = [*grant.zones, *(declared[path].zone for path in grant.tables)]
        for zone in dict.fromkeys(touched):
            # Once a principal and database: a second one would be taken back with the first.
            who = _who(context, grant)
            if (who, zone) not in seen:
                seen.add((who, zone))
                _sees(context, f"{context.name}-{who}-{zone}", grant, databases[zone])
        if grant.zones and keys is not None:
            _by_tags(context, keys, grant)
        for path in grant.tables:
            _on_table(context, grant, declared[path], tables[path], kept[path])


def _who(context: Context, grant: GrantSettings) -> str:
    """A principal in logical names: its role's name, with its account where it is another one's."""
    if is_unknown(grant.principal):
        return f"principal-{grant.name}"
    arn = str(grant.principal)
    role, account = arn.partition(":role/")[2], arn.split(":")[4]
    return f"role-{role}" if account == context.place.account_id else f"role-{role}-{account}"


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
