"""Statements that write: CREATE TABLE AS, INSERT, UNLOAD, and UPDATE, DELETE and MERGE of Iceberg tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from twin.aws.services.athena.queries import (
    create,
    ddl,
    hive,
    pushdown,
    queries,
    statements,
    translate,
    types,
)
from twin.aws.services.athena.queries import permissions as rights
from twin.aws.services.athena.queries.errors import SCHEMA, SYNTAX, QueryFailed, untranslated
from twin.aws.services.athena.queries.request import QueryContext
from twin.aws.services.athena.queries.results import Outcome
from twin.aws.services.athena.queries.statements import Statement
from twin.aws.services.athena.queries.storage import Storage, place
from twin.aws.services.athena.queries.tables import Catalog, Name, is_iceberg, name_of

ENFORCED = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property "
    "to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
    "'external_location' property and resubmit the query."
)


def create_as(catalog: Catalog, statement: Statement) -> Outcome:
    """CREATE TABLE AS SELECT."""
    tree: Any = statement.tree
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
    data = queries.rows(catalog, tree.expression.copy())
    _named(data)
    types.hive_columns(data.schema)
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
    by = _keys(properties.get("partitioned_by", ""), data)
    format = properties.get("format", "PARQUET").upper()
    schema = pa.schema([field for field in data.schema if field.name not in by])
    parameters = {"field.delim": properties.get("field_delimiter", "\x01")} if format == "TEXTFILE" else {}
    table: dict[str, Any] = {
        "Name": name.table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "auto.purge": "false"},
        "PartitionKeys": types.hive_columns([field for field in data.schema if field.name in by]),
        "StorageDescriptor": hive.descriptor(
            schema, location.rstrip("/"), format, {"serialization.format": "1", **parameters}
        ),
    }
    written = _write(context, store, location, data, by, _Shape.of(properties))
    create.create_in_catalog(catalog, name, table)
    created = catalog.table(name)
    for values, folder in _folders(written):
        ddl.add_partition(catalog, name, created, values, folder)
    return Outcome(count=len(data), written=[file for file, _, _ in written])


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
        context.caller, store, (name.database, name.table), schema, location, partitioning, {}
    )
    iceberg.append(loaded, data)
    return Outcome(count=len(data))


def insert(catalog: Catalog, statement: Statement) -> Outcome:
    """INSERT INTO, of a Hive or an Iceberg table."""
    tree: Any = statement.tree
    if tree.args.get("overwrite"):
        raise QueryFailed("SYNTAX_ERROR: mismatched input 'OVERWRITE'. Expecting: 'INTO'", SYNTAX)
    target = tree.this
    name = name_of(target.find(exp.Table), catalog.context.database)
    table = catalog.table(name)
    rights.demand(catalog.context, "INSERT", name.database, name.table)
    query = tree.expression
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
    location = str(table["StorageDescriptor"]["Location"])
    store = rights.storage(catalog.context, location, name.database, name.table)
    if is_iceberg(table):
        from twin.aws.services.athena.queries import iceberg

        loaded = iceberg.load(catalog.context.caller, store, name.database, name.table)
        iceberg.append(loaded, _ordered(data, named, [field.name for field in loaded.schema().fields]))
        return Outcome(count=len(data))
    wanted = hive.schema(table)
    shaped = _cast(_ordered(data, named, wanted.names), wanted)
    keys = [key for key, _ in hive.keys(table)]
    written = _write(catalog.context, store, location, shaped, keys, _Shape.of_table(table))
    known = {part.values for part in catalog.parts(table)} if keys else set[tuple[str, ...]]()
    for values, folder in _folders(written):
        if values not in known:
            ddl.add_partition(catalog, name, table, values, folder)
    return Outcome(count=len(data), written=[file for file, _, _ in written])


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


def _cast(data: pa.Table, wanted: pa.Schema) -> pa.Table:
    fits = len(wanted) == data.num_columns and all(
        types.coercible(column.type, field.type) for column, field in zip(data.columns, wanted, strict=True)
    )
    if not fits:
        raise types.mismatched(wanted, data.schema)
    columns = [column.cast(field.type) for column, field in zip(data.columns, wanted, strict=True)]
    return pa.Table.from_arrays(columns, schema=wanted)


def unload(catalog: Catalog, statement: Statement) -> Outcome:
    """UNLOAD (SELECT ...) TO 's3://...' WITH (format = ...)."""
    properties = statements.properties(statement.parts.get("with", ""))
    location = f"{statement.parts['to'].rstrip('/')}/"
    store = catalog.context.results
    place(location)
    format = properties.get("format", "").upper()
    if format not in ("PARQUET", "ORC", "JSON", "TEXTFILE", "AVRO"):
        raise QueryFailed(
            "INVALID_PROPERTY: UNLOAD needs the property format: one of ORC, PARQUET, AVRO, JSON, TEXTFILE",
            SYNTAX,
        )
    if store.list(location):
        raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {location}", SCHEMA)
    data = queries.rows(catalog, translate.parse(statement.parts["query"]))
    _named(data)
    by = _keys(properties.get("partitioned_by", ""), data)
    hive.descriptor(data.schema, location, format, {})
    written = _write(catalog.context, store, location, data, by, _Shape.of(properties))
    return Outcome(count=len(data), written=[file for file, _, _ in written])


def change(catalog: Catalog, statement: Statement) -> Outcome:
    """UPDATE, DELETE and MERGE: on a copy of the Iceberg table, which then takes its place in one commit."""
    tree: Any = statement.tree.copy() if statement.tree else None
    target = tree.this
    name = name_of(target, catalog.context.database)
    table = catalog.table(name)
    if not is_iceberg(table):
        raise QueryFailed(
            f"NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables: {name}",
            SCHEMA,
        )
    rights.demand(
        catalog.context, "DELETE" if statement.kind == "DELETE" else "INSERT", name.database, name.table
    )
    from twin.aws.services.athena.queries import iceberg

    location = str(table["StorageDescriptor"]["Location"])
    store = rights.storage(catalog.context, location, name.database, name.table)
    loaded = iceberg.load(catalog.context.caller, store, name.database, name.table)
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


class _Shape:
    """How files are written."""

    def __init__(self, format: str, compression: str = "", separator: str = "\x01") -> None:
        self.format = format
        self.compression = compression
        self.separator = separator

    @staticmethod
    def of(properties: dict[str, str]) -> _Shape:
        """By the properties of a statement."""
        compression = (
            properties.get("write_compression")
            or properties.get("compression")
            or properties.get("parquet_compression", "")
        )
        return _Shape(
            properties.get("format", "PARQUET").upper(),
            compression,
            properties.get("field_delimiter", "\x01"),
        )

    @staticmethod
    def of_table(table: Any) -> _Shape:
        """By a table's SerDe."""
        serde = table["StorageDescriptor"].get("SerdeInfo") or {}
        library = str(serde.get("SerializationLibrary") or "")
        for format_ in hive.FORMATS.values():
            if format_.serde == library:
                return _Shape(format_.name, "", (serde.get("Parameters") or {}).get("field.delim", "\x01"))
        raise untranslated(f"INSERT INTO a table of {library}")


_Written = list[tuple[str, str, tuple[str, ...]]]


def _write(
    context: QueryContext, store: Storage, location: str, data: pa.Table, by: Sequence[str], shape: _Shape
) -> _Written:
    """One file a partition, by Athena's kind of name; its location, folder and the partition's values."""
    files: _Written = []
    at = datetime.now(UTC)
    for number, (values, rows) in enumerate(hive.split(data, by)):
        if not len(rows):
            continue
        folder = hive.folder(location, by, values)
        file = f"{folder}{at:%Y%m%d_%H%M%S}_{number:05d}_{context.execution[:5]}_{uuid.uuid4()}"
        context.meter.alive()
        store.write(file, hive.write(rows, shape.format, shape.separator, shape.compression))
        files.append((file, folder, values))
    return files


def _folders(written: _Written) -> list[tuple[tuple[str, ...], str]]:
    return [(values, folder) for _, folder, values in written if values]


def _keys(text: str, data: pa.Table) -> list[str]:
    by = [part.lower() for part in text.split("\n") if part]
    if by and by != [name.lower() for name in data.column_names[-len(by) :]]:
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and "
            "in the same order as the table properties",
            SCHEMA,
        )
    return by


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
