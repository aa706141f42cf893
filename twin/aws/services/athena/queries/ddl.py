"""DDL and SHOW TABLES, against Glue's catalog in the caller's name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp

from twin.aws.services.athena.queries import hive, tables, types
from twin.aws.services.athena.queries import permissions as rights
from twin.aws.services.athena.queries.errors import DDL, SCHEMA, QueryFailed, untranslated
from twin.aws.services.athena.queries.results import Outcome, text_column
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.storage import place
from twin.aws.services.athena.queries.tables import Catalog, Name, is_iceberg, name_of, view_text

TASK: Final = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def run(catalog: Catalog, statement: Statement) -> Outcome:
    """Run a statement that is no query."""
    # Hive's client looks at the database `default` first, where the account has one (Athena user guide, "The
    # DESCRIBE permission is required on the default database").
    catalog.get("get_database", Name="default")
    return _RUN[statement.kind](catalog, statement)


def show_tables(catalog: Catalog, statement: Statement) -> Outcome:
    """SHOW TABLES."""
    database = statement.place or catalog.context.database
    catalog.database(database)
    entries = catalog.call("get_tables", DatabaseName=database)["TableList"]
    return text_column("tab_name", sorted(entry["Name"] for entry in entries))


def _named(catalog: Catalog, statement: Statement) -> Name:
    return name_of(statement.tree.find(exp.Table), catalog.context.database)


def create_table(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE EXTERNAL TABLE of Parquet files."""
    tree, name = statement.tree, _named(catalog, statement)
    catalog.database(name.database)
    if catalog.find(name) is not None:
        if tree.args.get("exists"):
            return Outcome()
        raise QueryFailed(f"{TASK}AlreadyExistsException(message:Table {name.table} already exists.)", DDL)
    kinds: dict[type[Any], Any] = {}
    properties: dict[str, str] = {}
    for property_ in (tree.args.get("properties") or exp.Properties()).expressions:
        if type(property_) is exp.Property:
            properties[property_.this.name] = property_.args["value"].name
        elif isinstance(property_, exp.ExternalProperty | exp.LocationProperty | exp.FileFormatProperty):
            kinds[type(property_)] = property_.this
        else:
            raise untranslated(f"CREATE TABLE with {property_.sql('hive')}")
    location = kinds.get(exp.LocationProperty)
    if location is None:
        raise QueryFailed("No location was specified for table. An S3 location must be specified", DDL)
    place(location.name)
    if properties.get("table_type", "").upper() == "ICEBERG":
        raise untranslated("CREATE TABLE of an Iceberg table: CREATE TABLE AS and Glue's CreateTable are")
    if exp.ExternalProperty not in kinds:
        raise QueryFailed(
            "Unsupported: CREATE TABLE needs EXTERNAL, or the table property table_type = 'ICEBERG'", DDL
        )
    format = kinds.get(exp.FileFormatProperty)
    if format is None or format.name.upper() != "PARQUET":
        raise untranslated(f"STORED AS {format.name if format else 'TEXTFILE'}")
    columns = _columns(tree.this)
    table = hive.table(name.table, columns, location.name, {"EXTERNAL": "TRUE", **properties})
    create_in_catalog(catalog, name, table)
    return Outcome()


def _columns(schema: exp.Expr) -> list[dict[str, str]]:
    """Glue's columns of a statement's definitions."""
    columns = [
        {"Name": definition.this.name.lower(), "Type": _hive_type(definition.args.get("kind"))}
        for definition in schema.expressions
    ]
    for column in columns:
        types.of_hive(column["Type"])
    return columns


def _hive_type(kind: Any) -> str:
    text = kind.sql(dialect="hive").lower().replace("`", "") if kind is not None else "string"
    return re.sub(r"\s*([<>:,])\s*", r"\1", text.replace(": ", ":"))


def create_in_catalog(catalog: Catalog, name: Name, table: dict[str, Any]) -> None:
    """Make a table in Glue. Raises QueryFailed with its refusal as Hive's DDL reports it."""
    try:
        catalog.call("create_table", DatabaseName=name.database, TableInput=table)
    except QueryFailed as error:
        raise QueryFailed(TASK + error.reason, DDL) from None


def create_view(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE [OR REPLACE] VIEW."""
    from twin.aws.services.athena.queries import queries

    tree, name = statement.tree, _named(catalog, statement)
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
        create_in_catalog(catalog, name, table)
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
    name = _named(catalog, statement)
    present = catalog.find(name)
    if present is None:
        if statement.tree.args.get("exists"):
            return Outcome()
        raise QueryFailed("FAILED: SemanticException [Error 10001]: Table not found " + name.table, DDL)
    catalog.call("delete_table", DatabaseName=name.database, Name=name.table)
    location = str((present.get("StorageDescriptor") or {}).get("Location") or "")
    if is_iceberg(present) and location:
        store = rights.storage(catalog.context, location, name.database, name.table)
        for file, _ in store.list(location.rstrip("/") + "/"):
            store.delete(file)
    return Outcome()


def add_columns(catalog: Catalog, statement: Statement) -> Outcome:
    """ALTER TABLE ... ADD COLUMNS of an Iceberg table."""
    from twin.aws.services.athena.queries import iceberg

    name = _named(catalog, statement)
    loaded = tables.changed(catalog, name, statement.kind)
    columns = _columns(statement.tree.args["actions"][0])
    iceberg.add_columns(
        loaded, [(column["Name"], iceberg.micro(types.of_hive(column["Type"]))) for column in columns]
    )
    return Outcome()


_RUN: Final[dict[str, Callable[[Catalog, Statement], Outcome]]] = {
    "CREATE_TABLE": create_table,
    "CREATE_VIEW": create_view,
    "DROP_TABLE": drop_table,
    "DROP_VIEW": drop_table,
    "ALTER_TABLE_ADD_COLUMNS": add_columns,
    "SHOW_TABLES": show_tables,
}
