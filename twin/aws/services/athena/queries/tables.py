"""The tables that a query names: found in Glue, read as far as their reader may."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from sqlglot import exp, parse_one

from twin.aws.api_server.request import Refusal
from twin.aws.services.athena.queries import hive, pushdown, types
from twin.aws.services.athena.queries import permissions as queries
from twin.aws.services.athena.queries.errors import SCHEMA, QueryFailed, untranslated
from twin.aws.services.athena.queries.request import QueryContext

Params = Mapping[str, Any]
CATALOG: Final = "awsdatacatalog"
_VIEW: Final = ("/* Presto View: ", " */")


@dataclass(frozen=True)
class Name:
    """A table's database and name, and what of it: `snapshots` of `"t$snapshots"`."""

    database: str
    table: str
    part: str = ""

    def __str__(self) -> str:
        return f"{CATALOG}.{self.database}.{self.table}"


def name_of(node: exp.Table, database: str) -> Name:
    """What a statement means by a table's name. Raises QueryFailed for another catalog."""
    catalog = node.catalog.lower() or CATALOG
    if catalog != CATALOG:
        raise QueryFailed(f"CATALOG_NOT_FOUND: Catalog '{catalog}' does not exist", SCHEMA)
    of, name = node.db.lower(), node.name.lower()
    if not of and "." in name:  # `database.table` in one pair of backticks
        of, name = name.split(".", 1)
    name, _, part = name.partition("$")
    return Name(of or database, name, part)


class Catalog:
    """Glue's catalog as the caller sees it."""

    def __init__(self, context: QueryContext) -> None:
        self.context = context

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """A call to Glue. Raises QueryFailed with Glue's refusal."""
        try:
            return self.context.caller.call("glue", operation, **params)
        except Refusal as error:
            raise QueryFailed(
                f"{error.message} (Service: AWSGlue; Error Code: {error.code})", SCHEMA
            ) from error

    def get(self, operation: str, **params: Any) -> dict[str, Any] | None:
        """What a call to Glue answers, or None where there is no such thing, or none that the caller sees."""
        try:
            return self.call(operation, **params)
        except QueryFailed as error:
            if getattr(error.__cause__, "code", "") == "EntityNotFoundException":
                return None
            raise

    def find(self, name: Name) -> dict[str, Any] | None:
        """A table, or None where there is none."""
        response = self.get("get_table", DatabaseName=name.database, Name=name.table)
        return response and response["Table"]

    def table(self, name: Name) -> dict[str, Any]:
        """A table. Raises QueryFailed where there is none."""
        table = self.find(name)
        if table is None:
            self.database(name.database)
            raise QueryFailed(f"TABLE_NOT_FOUND: Table '{name}' does not exist", SCHEMA)
        return table

    def database(self, name: str) -> None:
        """Raise QueryFailed where there is no such database."""
        if self.get("get_database", Name=name) is None:
            raise QueryFailed(f"SCHEMA_NOT_FOUND: Schema '{name}' does not exist", SCHEMA)


def is_iceberg(table: Params) -> bool:
    """Whether a Glue table is Iceberg's."""
    return str((table.get("Parameters") or {}).get("table_type") or "").upper() == "ICEBERG"


def view_of(table: Params) -> exp.Expr | None:
    """The query behind a view, or None for a table."""
    if table.get("TableType") != "VIRTUAL_VIEW":
        return None
    text = str(table.get("ViewOriginalText") or "")
    begin, end = _VIEW
    if not text.startswith(begin):
        raise untranslated("a view that Athena did not make")
    document = json.loads(base64.b64decode(text.removeprefix(begin).removesuffix(end)))
    query = parse_one(document["originalSql"], dialect="athena")
    for node in query.find_all(exp.Table):
        if not node.db and node.name not in {item.alias for item in query.find_all(exp.CTE)}:
            node.set("db", exp.to_identifier(document["schema"], quoted=True))
    return query


def view_text(sql: str, database: str, columns: pa.Schema) -> str:
    """What Glue keeps of a view."""
    view = {
        "originalSql": sql,
        "catalog": CATALOG,
        "schema": database,
        "columns": [{"name": field.name, "type": types.trino(field.type)} for field in columns],
    }
    return f"{_VIEW[0]}{base64.b64encode(json.dumps(view).encode()).decode()}{_VIEW[1]}"


@dataclass(frozen=True)
class Read:
    """Rows of a table. columns: what its reader may see of it. rows: the filter on it, in Athena's words."""

    data: pa.Table
    columns: Sequence[str]
    rows: str = ""
    fine: bool = False
    """Whether its timestamps are in microseconds: an Iceberg table's."""


def read(catalog: Catalog, node: exp.Table, name: Name, table: Params) -> Read:
    """Read a table for a query."""
    context = catalog.context
    location = str((table.get("StorageDescriptor") or {}).get("Location") or "")
    store = queries.storage(context, location, name.database, name.table)
    if is_iceberg(table):
        from twin.aws.services.athena.queries import iceberg

        loaded = iceberg.load(context.caller, store, name.database, name.table)
        names = [field.name for field in loaded.schema().fields]
        seen = queries.readable(context, name.database, name.table, names)
        if name.part:
            # Nothing documents that Athena refuses them, or filters them, for readers of some columns.
            metadata = iceberg.inspect(loaded, name.part)
            return Read(metadata, metadata.column_names, fine=True)
        at = iceberg.snapshot(loaded, *_travel(node))
        schema = loaded.schema()
        terms = pushdown.iceberg(pushdown.terms(node), schema)
        data = iceberg.read(loaded, context.meter, terms, at)
        return Read(
            data,
            [column_name for column_name in data.column_names if column_name in seen.columns],
            seen.rows,
            fine=True,
        )
    if node.args.get("version"):
        raise QueryFailed("NOT_SUPPORTED: This connector does not support versioned tables", SCHEMA)
    if name.part:
        raise untranslated(f"${name.part} of a Hive table")
    seen = queries.readable(context, name.database, name.table, hive.schema(table).names)
    data = hive.read(table, store, context.meter)
    return Read(data, [column for column in data.column_names if column in seen.columns], seen.rows)


def changed(catalog: Catalog, name: Name, kind: str) -> Any:
    """Return pyiceberg's table that a statement of a kind changes. Raises QueryFailed where it is none of
    Iceberg's, and where the principal lacks Lake Formation's permission."""
    from twin.aws.services.athena.queries import iceberg

    context, table = catalog.context, catalog.table(name)
    if not is_iceberg(table):
        if kind not in ("UPDATE", "DELETE", "MERGE"):
            raise untranslated(f"{kind} of a Hive table")
        raise QueryFailed(
            f"NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables: {name}",
            SCHEMA,
        )
    permission = {"DELETE": "DELETE", "ALTER_TABLE_ADD_COLUMNS": "ALTER"}.get(kind, "INSERT")
    queries.demand(context, permission, name.database, name.table)
    location = str(table["StorageDescriptor"]["Location"])
    store = queries.storage(context, location, name.database, name.table)
    return iceberg.load(context.caller, store, name.database, name.table)


def _travel(node: exp.Table) -> tuple[str | int | None, datetime | None]:
    version = node.args.get("version")
    if version is None:
        return None, None
    value = version.expression
    if str(version.this).upper() == "VERSION":
        if isinstance(value, exp.Literal):
            return (value.this if value.is_string else int(value.this)), None
        raise untranslated(f"time travel to {value.sql('athena')}")
    # A moment: `TIMESTAMP '2026-01-01 00:00:00 UTC'`, in the form that DuckDB and Python share.
    literal = value.this if isinstance(value, exp.Cast) else value
    if not isinstance(literal, exp.Literal) or not literal.is_string:
        raise untranslated(f"time travel to {value.sql('athena')}")
    text = literal.this.removesuffix(" UTC").strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise QueryFailed(f"INVALID_LITERAL: '{literal.this}' is not a valid timestamp literal") from None
    return None, at if at.tzinfo else at.replace(tzinfo=UTC)
