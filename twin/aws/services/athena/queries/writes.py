"""Statements that write: CREATE TABLE AS, INSERT, UNLOAD, and UPDATE, DELETE and MERGE of Iceberg tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from twin.aws.services.athena.queries import ddl, hive, pushdown, queries, tables, types
from twin.aws.services.athena.queries import permissions as rights
from twin.aws.services.athena.queries.errors import SCHEMA, SYNTAX, QueryFailed, untranslated
from twin.aws.services.athena.queries.request import QueryContext
from twin.aws.services.athena.queries.results import Outcome
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.storage import Storage, place
from twin.aws.services.athena.queries.tables import Catalog, Name, name_of

ENFORCED = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property "
    "to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
    "'external_location' property and resubmit the query."
)


def create_as(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE TABLE AS SELECT."""
    tree = statement.tree
    name = name_of(tree.this.find(exp.Table) or tree.this, catalog.context.database)
    properties = _properties(tree)
    catalog.database(name.database)
    if catalog.find(name) is not None:
        if tree.args.get("exists"):
            return Outcome()
        raise QueryFailed(
            f"TABLE_ALREADY_EXISTS: line 1:1: Destination table '{name}' already exists", SCHEMA
        )
    if properties.get("table_type", "").upper() == "ICEBERG":
        return _iceberg_as(catalog, name, tree, properties)
    return _hive_as(catalog, name, tree, properties)


def _hive_as(catalog: Catalog, name: Name, tree: Any, properties: dict[str, str]) -> Outcome:
    context = catalog.context
    external = properties.get("external_location", "")
    if external and context.enforced and context.output:
        raise QueryFailed(ENFORCED, SYNTAX)
    if "partitioned_by" in properties:
        raise untranslated("a partitioned Hive table")
    if properties.get("format", "PARQUET").upper() != "PARQUET":
        raise untranslated(f"CREATE TABLE AS with the format {properties['format']}")
    data = queries.rows(catalog, tree.expression.copy())
    _named(data)
    columns = types.hive_columns(data.schema)
    if not external and not context.output:
        raise QueryFailed("No output location provided for the table: external_location gives one", SYNTAX)
    location = f"{external.rstrip('/')}/" if external else f"{context.output}tables/{context.execution}/"
    store = rights.new_place(context, location)
    if store.list(location):
        raise QueryFailed(
            f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name.database}.{name.table}' already "
            f"exists: {location}. You may need to manually clean the data at location '{location}' before "
            "retrying. Athena will not delete data in your account.",
            SCHEMA,
        )
    parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "auto.purge": "false"}
    written = _write(context, store, location, data, {**properties, "format": "PARQUET"})
    ddl.create_in_catalog(catalog, name, hive.table(name.table, columns, location.rstrip("/"), parameters))
    return Outcome(count=len(data), written=written)


def _iceberg_as(catalog: Catalog, name: Name, tree: Any, properties: dict[str, str]) -> Outcome:
    from twin.aws.services.athena.queries import iceberg

    context = catalog.context
    location = properties.get("location", "")
    if not location and not context.output:
        raise QueryFailed("No location was specified for table. An S3 location must be specified", SYNTAX)
    location = location or f"{context.output}tables/{context.execution}"
    place(location)
    data = queries.rows(catalog, tree.expression.copy())
    _named(data)
    for field in data.schema:
        if pa.types.is_timestamp(field.type) and field.type.unit == "ms":
            raise QueryFailed(
                'NOT_SUPPORTED: Timestamp precision (3) not supported for Iceberg. Use "timestamp(6)" '
                "instead.",
                SCHEMA,
            )
    schema = pa.schema([pa.field(field.name, iceberg.micro(field.type)) for field in data.schema])
    store = rights.new_place(context, location)
    partitioning = [part for part in properties.get("partitioning", "").split("\n") if part]
    loaded = iceberg.create(
        context.caller, store, (name.database, name.table), schema, location, partitioning
    )
    iceberg.append(loaded, data)
    return Outcome(count=len(data))


def insert(catalog: Catalog, statement: Statement) -> Outcome:
    """INSERT INTO an Iceberg table."""
    from twin.aws.services.athena.queries import iceberg

    tree = statement.tree
    if tree.args.get("overwrite"):
        raise QueryFailed("SYNTAX_ERROR: mismatched input 'OVERWRITE'. Expecting: 'INTO'", SYNTAX)
    target, query = tree.this, tree.expression
    name = name_of(target.find(exp.Table), catalog.context.database)
    loaded = tables.changed(catalog, name, statement.kind)
    if isinstance(query, exp.Values):
        query = exp.select("*").from_(
            exp.Subquery(this=query.copy(), alias=exp.TableAlias(this=exp.to_identifier("v")))
        )
    data = queries.rows(catalog, query.copy())
    named = (
        [expression.name.lower() for expression in target.expressions]
        if isinstance(target, exp.Schema)
        else []
    )
    iceberg.append(loaded, _ordered(data, named, [field.name for field in loaded.schema().fields]))
    return Outcome(count=len(data))


def _ordered(data: pa.Table, named: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    """The rows in the table's order: by the columns that INSERT names, the others NULL."""
    if not named:
        return data
    for name in named:
        if name not in wanted:
            raise QueryFailed(
                f"COLUMN_NOT_FOUND: Insert column name does not exist in target table: {name}", SYNTAX
            )
    if len(named) != data.num_columns:
        raise QueryFailed("TYPE_MISMATCH: Insert query has mismatched column types", SYNTAX)
    columns = [
        data.column(named.index(column_name)) if column_name in named else pa.nulls(len(data))
        for column_name in wanted
    ]
    return pa.Table.from_arrays(columns, names=list(wanted))


def unload(catalog: Catalog, statement: Statement) -> Outcome:
    """UNLOAD (SELECT ...) TO 's3://...' WITH (format = ...)."""
    properties = _properties(statement.tree)
    location = f"{statement.place.rstrip('/')}/"
    store = catalog.context.results
    place(location)
    properties["format"] = properties.get("format", "").upper()
    if properties["format"] not in ("PARQUET", "ORC", "JSON", "TEXTFILE", "AVRO"):
        raise QueryFailed(
            "INVALID_PROPERTY: UNLOAD needs the property format: one of ORC, PARQUET, AVRO, JSON, TEXTFILE",
            SYNTAX,
        )
    if "partitioned_by" in properties:
        raise untranslated("UNLOAD with partitioned_by")
    if store.list(location):
        raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {location}", SCHEMA)
    data = queries.rows(catalog, statement.tree.expression.copy())
    _named(data)
    types.hive_columns(data.schema)
    return Outcome(count=len(data), written=_write(catalog.context, store, location, data, properties))


def change(catalog: Catalog, statement: Statement) -> Outcome:
    """UPDATE, DELETE and MERGE: on a copy of the Iceberg table, which then takes its place in one commit."""
    from twin.aws.services.athena.queries import iceberg

    tree = statement.tree.copy()
    target = tree.this
    name = name_of(target, catalog.context.database)
    loaded = tables.changed(catalog, name, statement.kind)
    seen = rights.readable(
        catalog.context, name.database, name.table, [field.name for field in loaded.schema().fields]
    )
    if seen.rows or len(seen.columns) < len(loaded.schema().fields):
        raise QueryFailed(f"ACCESS_DENIED: {statement.kind} of {name} needs all of its rows and columns")
    with queries.Query(catalog) as query:
        query.engine.add(
            "athena_before",
            iceberg.read(loaded, catalog.context.meter, pushdown.iceberg([], loaded.schema()), None),
        )
        query.engine.run(f"CREATE TEMP TABLE {queries.COPY} AS SELECT * FROM athena_before")  # noqa: S608 - our own
        alias = target.alias or target.name
        target.replace(exp.table_(queries.COPY, alias=alias))
        count = query.engine.run(query.sql(tree))
        after = query.engine.query(f"SELECT * FROM {queries.COPY}")  # noqa: S608 - our own
    if count:
        iceberg.replace(loaded, after)
    return Outcome(count=count)


# Files


def _write(
    context: QueryContext, store: Storage, location: str, data: pa.Table, properties: dict[str, str]
) -> list[str]:
    """Write the rows as one file, by Athena's kind of name, if there are any. Returns the locations."""
    if not len(data):
        return []
    compression = (
        properties.get("write_compression")
        or properties.get("compression")
        or properties.get("parquet_compression", "")
    )
    file = f"{location}{datetime.now(UTC):%Y%m%d_%H%M%S}_00000_{context.execution[:5]}_{uuid.uuid4()}"
    context.meter.alive()
    store.write(file, hive.write(data, properties["format"], compression))
    return [file]


def _named(data: pa.Table) -> None:
    seen = set[str]()
    for at, name in enumerate(data.column_names, start=1):
        if name == f"_col{at - 1}":
            raise QueryFailed(
                f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {at}", SYNTAX
            )
        if name.lower() in seen:
            raise QueryFailed(
                f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{name}' specified more than once", SYNTAX
            )
        seen.add(name.lower())


def _properties(tree: Any) -> dict[str, str]:
    properties: dict[str, str] = {}
    for expression in (tree.args.get("properties") or exp.Properties()).expressions:
        if isinstance(expression, exp.FileFormatProperty):
            properties["format"] = expression.this.name
        elif isinstance(expression, exp.LocationProperty):
            properties["location"] = expression.this.name
        elif isinstance(expression, exp.PartitionedByProperty):
            properties["partitioned_by"] = _text(expression.this)
        elif type(expression) is exp.Property:
            properties[expression.this.name.lower()] = _text(expression.args["value"])
        else:
            raise untranslated(f"CREATE TABLE AS with {expression.sql('athena')}")
    return properties


def _text(node: Any) -> str:
    if isinstance(node, exp.Array | exp.Schema | exp.Tuple):
        return "\n".join(expression.name for expression in node.expressions)
    return str(node.name)
