"""DDL against Glue's catalog in the caller's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlglot import exp

from twin.aws.services.athena.queries import create, hive, show, statements, types
from twin.aws.services.athena.queries import permissions as rights
from twin.aws.services.athena.queries.errors import DDL, SCHEMA, QueryFailed
from twin.aws.services.athena.queries.results import Outcome, text_column
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.tables import Catalog, Name, is_iceberg, name_of, view_text


def run(catalog: Catalog, statement: Statement) -> Outcome:
    """Run a statement that is no query."""
    _default(catalog)
    return _RUN[statement.kind](catalog, statement)


def _default(catalog: Catalog) -> None:
    """Hive's client looks at the database `default` first, where the account has one (Athena user guide, "The
    DESCRIBE permission is required on the default database")."""
    try:
        catalog.call("get_database", Name="default")
    except QueryFailed as error:
        if _code(error) != "EntityNotFoundException":
            raise


def create_database(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE DATABASE."""
    tree: Any = statement.tree
    database_input: dict[str, Any] = {"Name": _database(tree)}
    for expression in (tree.args.get("properties") or exp.Properties()).expressions:
        if isinstance(expression, exp.LocationProperty):
            database_input["LocationUri"] = expression.this.name
        elif isinstance(expression, exp.SchemaCommentProperty):
            database_input["Description"] = expression.this.name
    try:
        catalog.call("create_database", DatabaseInput=database_input)
    except QueryFailed as error:
        if not (tree.args.get("exists") and _code(error) == "AlreadyExistsException"):
            raise create.failed(error) from None
    return Outcome()


def _database(tree: Any) -> str:
    # sqlglot has the name of a SCHEMA as a table's database, and that of a DATABASE as a table's own.
    node = tree.find(exp.Table)
    return str(node.name or node.db).lower()


def drop_database(catalog: Catalog, statement: Statement) -> Outcome:
    """DROP DATABASE [CASCADE]."""
    tree: Any = statement.tree
    name = _database(tree)
    try:
        catalog.database(name)
    except QueryFailed:
        if tree.args.get("exists"):
            return Outcome()
        raise
    tables = catalog.call("get_tables", DatabaseName=name)["TableList"]
    if tables and not tree.args.get("cascade"):
        raise QueryFailed(
            f"{create.TASK}InvalidOperationException(message:Database {name} is not empty. One or more "
            "tables exist.)",
            DDL,
        )
    catalog.call("delete_database", Name=name)
    return Outcome()


def create_view(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE [OR REPLACE] VIEW."""
    from twin.aws.services.athena.queries import queries

    tree: Any = statement.tree
    name = name_of(tree.find(exp.Table), catalog.context.database)
    rows = queries.rows(catalog, tree.expression.copy(), limit=0)
    present = catalog.find(name)
    table: dict[str, Any] = {
        "Name": name.table,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": field.name.lower(), "Type": _view_type(field)} for field in rows.schema],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": view_text(
            tree.expression.sql(dialect="athena"), catalog.context.database, rows.schema
        ),
        "ViewExpandedText": "/* Presto View */",
    }
    if present is None:
        create.create_in_catalog(catalog, name, table)
    elif tree.args.get("replace") and present.get("TableType") == "VIRTUAL_VIEW":
        catalog.call("update_table", DatabaseName=name.database, TableInput=table)
    else:
        raise QueryFailed(f"ALREADY_EXISTS: line 1:1: View already exists: '{name}'", SCHEMA)
    return Outcome()


def _view_type(field: Any) -> str:
    try:
        return types.to_hive(field.type, field.name)
    except QueryFailed:
        return "timestamp"


def drop_table(catalog: Catalog, statement: Statement) -> Outcome:
    """DROP TABLE: the files of a Hive table stay, those of an Iceberg table go."""
    tree: Any = statement.tree
    name = name_of(tree.find(exp.Table), catalog.context.database)
    present = catalog.find(name)
    if present is None:
        if tree.args.get("exists"):
            return Outcome()
        raise QueryFailed("FAILED: SemanticException [Error 10001]: Table not found " + name.table, DDL)
    catalog.call("delete_table", DatabaseName=name.database, Name=name.table)
    location = str((present.get("StorageDescriptor") or {}).get("Location") or "")
    if is_iceberg(present) and location:
        store = rights.storage(catalog.context, location, name.database, name.table)
        for file, _ in store.list(location.rstrip("/") + "/"):
            store.delete(file)
    return Outcome()


def repair(catalog: Catalog, statement: Statement) -> Outcome:
    """MSCK REPAIR TABLE: folders `key=value` become partitions."""
    name = name_of(statements.table(statement.parts["table"]), catalog.context.database)
    table = catalog.table(name)
    names = [key for key, _ in hive.keys(table)]
    location = str(table["StorageDescriptor"]["Location"])
    store = rights.storage(catalog.context, location, name.database, name.table)
    known = {part.values for part in catalog.parts(table)}
    files = [file for file, _ in store.list(location.rstrip("/") + "/")]
    lines: list[str] = []
    for values, folder in sorted(hive.discovered_partitions(location, names, files).items()):
        if values not in known:
            add_partition(catalog, name, table, values, folder)
            text = "/".join(f"{key}={value}" for key, value in zip(names, values, strict=True))
            lines.append(f"Repair: Added partition to metastore {name.table}:{text}")
    return text_column("repair", lines)


def add_partition(catalog: Catalog, name: Name, table: Any, values: Sequence[str], location: str) -> None:
    """One partition of a Hive table."""
    descriptor = {**table["StorageDescriptor"], "Location": location}
    catalog.call(
        "create_partition",
        DatabaseName=name.database,
        TableName=name.table,
        PartitionInput={"Values": list(values), "StorageDescriptor": descriptor, "Parameters": {}},
    )


def alter_partitions(catalog: Catalog, statement: Statement) -> Outcome:
    """ALTER TABLE ... ADD PARTITION, DROP PARTITION."""
    name = name_of(statements.table(statement.parts["table"]), catalog.context.database)
    table = catalog.table(name)
    names = [key for key, _ in hive.keys(table)]
    for partition, location in statements.partitions(statement.parts["partitions"]):
        if sorted(partition) != sorted(names):
            raise QueryFailed(
                f"FAILED: SemanticException partition spec {partition} doesn't contain all (or is not of) "
                f"the partition columns {names}",
                DDL,
            )
        values = [partition[key] for key in names]
        try:
            if statement.kind.endswith("ADD_PARTITION"):
                folder = location or hive.folder(str(table["StorageDescriptor"]["Location"]), names, values)
                add_partition(catalog, name, table, values, folder)
            else:
                catalog.call(
                    "delete_partition",
                    DatabaseName=name.database,
                    TableName=name.table,
                    PartitionValues=values,
                )
        except QueryFailed as error:
            if not (
                statement.parts.get("exists")
                and _code(error) in ("AlreadyExistsException", "EntityNotFoundException")
            ):
                raise create.failed(error) from None
    return Outcome()


def alter_columns(catalog: Catalog, statement: Statement) -> Outcome:
    """ALTER TABLE ... ADD COLUMNS, DROP COLUMN, SET TBLPROPERTIES."""
    name = name_of(statements.table(statement.parts["table"]), catalog.context.database)
    table = catalog.table(name)
    parts = statement.parts
    if is_iceberg(table):
        from twin.aws.services.athena.queries import iceberg

        rights.demand(catalog.context, "ALTER", name.database, name.table)
        location = str(table["StorageDescriptor"]["Location"])
        store = rights.storage(catalog.context, location, name.database, name.table)
        loaded = iceberg.load(catalog.context.caller, store, name.database, name.table)
        if "columns" in parts:
            iceberg.add_columns(
                loaded,
                [(column, iceberg.micro(types.of_hive(kind))) for column, kind in _columns(parts["columns"])],
            )
        elif "column" in parts:
            iceberg.drop_column(loaded, statements.unquoted(parts["column"]))
        else:
            iceberg.set_properties(loaded, statements.properties(parts["properties"]))
        return Outcome()
    if "column" in parts:
        raise QueryFailed("ALTER TABLE DROP COLUMN is supported for Iceberg tables alone", DDL)
    table_input = {key: value for key, value in table.items() if key in _INPUT}
    if "columns" in parts:
        added = [{"Name": column, "Type": kind} for column, kind in _columns(parts["columns"])]
        table_input["StorageDescriptor"] = {
            **table_input["StorageDescriptor"],
            "Columns": [*table_input["StorageDescriptor"]["Columns"], *added],
        }
    else:
        table_input["Parameters"] = {
            **table_input.get("Parameters", {}),
            **statements.properties(parts["properties"]),
        }
    catalog.call("update_table", DatabaseName=name.database, TableInput=table_input)
    return Outcome()


_INPUT: Final = frozenset(
    {
        "Name",
        "Description",
        "Owner",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "TableType",
        "Parameters",
    }
)


def _columns(text: str) -> list[tuple[str, str]]:
    from sqlglot import parse_one

    tree: Any = parse_one(f"CREATE TABLE t ({text})", dialect="hive")
    return [
        (expression["Name"], expression["Type"]) for expression in map(create.column, tree.this.expressions)
    ]


def _code(error: QueryFailed) -> str:
    cause = error.__cause__
    return str(getattr(cause, "code", ""))


_RUN: Final[dict[str, Callable[[Catalog, Statement], Outcome]]] = {
    "CREATE_DATABASE": create_database,
    "DROP_DATABASE": drop_database,
    "CREATE_TABLE": create.create_table,
    "CREATE_VIEW": create_view,
    "DROP_TABLE": drop_table,
    "DROP_VIEW": drop_table,
    "MSCK": repair,
    "ALTER_TABLE_ADD_PARTITION": alter_partitions,
    "ALTER_TABLE_DROP_PARTITION": alter_partitions,
    "ALTER_TABLE_ADD_COLUMNS": alter_columns,
    "ALTER_TABLE_DROP_COLUMN": alter_columns,
    "ALTER_TABLE_SET_TBLPROPERTIES": alter_columns,
    "SHOW_TABLES": show.show,
    "SHOW_VIEWS": show.show,
    "SHOW_DATABASES": show.show,
    "SHOW_COLUMNS": show.report,
    "SHOW_PARTITIONS": show.report,
    "SHOW_TBLPROPERTIES": show.report,
    "SHOW_CREATE_TABLE": show.show_create,
    "DESCRIBE": show.report,
}
