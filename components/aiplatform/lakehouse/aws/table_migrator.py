"""The function that migrates Iceberg tables to their declarations (the "table keeper"), and a call of it for
each declaration of a table.

A call is made when its table's declaration is new or differs from the one at the last `up`, and not
otherwise.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import pulumi
from pulumi import AssetArchive, StringAsset
from pulumi_aws import lakeformation, lambda_

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.logs import log_group
from aiplatform._shared.aws.roles import ServiceRole
from aiplatform.lakehouse import table_keeper
from aiplatform.lakehouse.aws.catalog_entries import Catalog, MigratedTable, Store, Table
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import KEEPER, KEEPER_LOGS, LOG_DAYS
from aiplatform.lakehouse.aws.permissions import DEFAULT_DATABASE
from aiplatform.lakehouse.table_spec import declaration
from aiplatform.lakehouse.tables import LakehouseTableSettings

RUNTIME: Final = "python3.13"
_HANDLER: Final = "table_keeper.handler.handle"
_TIMEOUT: Final = 300


@dataclass(frozen=True)
class TableMigrator:
    """The function. ready: what a call of it depends on."""

    function: lambda_.Function
    role: ServiceRole
    ready: list[pulumi.Resource]


def migration_problems(context: Context) -> Iterator[Problem]:
    """Return what the function would refuse of the present declarations, before anything is created. Nothing
    in the first deployment, which creates it; where it cannot be called, `up` reports the problems."""
    tables = context.settings.tables
    if not tables:
        return
    request = {
        "warehouse": context.warehouse,
        "judge": [
            {
                "database": context.database(table.zone),
                "table": table.name,
                **declaration(context.settings, table),
            }
            for table in tables
        ],
    }
    try:
        answer = lambda_.get_invocation(
            function_name=KEEPER.of(context.settings.prefix),
            input=json.dumps(request),
            opts=context.invoke_options,
        )
    except Exception as error:  # noqa: BLE001 - the SDK raises no narrower one
        if "ResourceNotFound" not in str(error):
            pulumi.log.warn(f"only `up` checks changes of tables: {error}", context.parent)
        return
    problems: dict[str, list[str]] = json.loads(answer.result).get("problems", {})
    for index, table in enumerate(tables):
        for reason in problems.get(table.path, []):
            yield Problem(f"LakehouseArgs.tables[{index}]", f"{table.path}: {reason}")


def create_migrator(context: Context, role: ServiceRole, key: Key) -> TableMigrator:
    """Create the function. It changes tables by permissions of Lake Formation, and has none on a bucket."""
    logs = log_group(
        f"{context.name}-keeper",
        KEEPER_LOGS.of(context.settings.prefix),
        LOG_DAYS,
        key,
        context.settings.tags,
        context.options(),
    )
    function = lambda_.Function(
        f"{context.name}-keeper",
        name=KEEPER.of(context.settings.prefix),
        description="Brings Iceberg tables to what is declared, by Iceberg's own steps",
        role=role.arn,
        runtime=RUNTIME,
        architectures=["arm64"],
        handler=_HANDLER,
        code=_code(),
        timeout=_TIMEOUT,
        memory_size=256,
        logging_config=lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=logs.name),
        tags=context.tags("table-keeper"),
        # People find its logs by its name.
        opts=context.options(*role.policies, delete_before_replace=True),
    )
    return TableMigrator(function, role, [*role.policies, logs])


def _code() -> AssetArchive:
    """The function's code: the folder `table_keeper` as it is installed here."""
    modules = sorted(resources.files(table_keeper).iterdir(), key=lambda module: module.name)
    return AssetArchive(
        {
            f"table_keeper/{module.name}": StringAsset(module.read_text(encoding="utf-8"))
            for module in modules
            if module.name.endswith(".py")
        }
    )


def create_default_database(
    context: Context, migrator: TableMigrator, depends_on: Sequence[pulumi.Resource]
) -> lambda_.Invocation:
    """Call the function to create the account's `default` database where there is none. It is not a resource
    of this program: others use it too, and it stays when the lakehouse is destroyed."""
    permission = lakeformation.Permissions(
        f"{context.name}-keeper-catalog",
        principal=migrator.role.arn,
        permissions=["CREATE_DATABASE"],
        catalog_resource=True,
        opts=context.options(*migrator.ready, *depends_on),
    )
    return lambda_.Invocation(
        f"{context.name}-default",
        function_name=migrator.function.name,
        input=json.dumps({"create_database": DEFAULT_DATABASE}),
        opts=context.options(permission),
    )


def migrate_tables(
    context: Context, migrator: TableMigrator, store: Store, permissions: Sequence[pulumi.Resource]
) -> Catalog:
    """Call the function for each table. permissions: the function's, of Lake Formation."""
    depends_on = [*migrator.ready, *permissions]
    migrated: dict[str, MigratedTable] = {}
    for table in context.settings.tables:
        created = store.tables[table.path]
        call = _migration(context, migrator, table, created, depends_on)
        migrated[table.path] = MigratedTable(
            created.resource, created.database_name, created.name, created.location, call
        )
    return Catalog(store.databases, migrated, store.locations)


def _migration(
    context: Context,
    migrator: TableMigrator,
    table: LakehouseTableSettings,
    created: Table,
    depends_on: Sequence[pulumi.Resource],
) -> lambda_.Invocation:
    def request(database: str, name: str) -> str:
        return json.dumps(
            {
                "warehouse": context.warehouse,
                "database": database,
                "table": name,
                **declaration(context.settings, table),
            },
            sort_keys=True,
        )

    return lambda_.Invocation(
        f"{context.name}-{table.zone}-{table.name}",
        function_name=migrator.function.name,
        input=pulumi.Output.all(created.database_name, created.name).apply(lambda names: request(*names)),
        opts=context.options(created.resource, *depends_on),
    )
