"""DuckDB, shut in: it sees the tables that it is handed, and nothing else of this machine or any network."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import duckdb
import pyarrow as pa

from twin.aws.services.athena.queries.dialect import MACROS
from twin.aws.services.athena.queries.errors import DATA, SYNTAX, QueryFailed, untranslated

_WIDE: Final = ("HUGEINT", "UHUGEINT", "UBIGINT")
"""What DuckDB sums whole numbers to, where Trino stays with bigint."""


_SETTINGS: Final = (
    "SET GLOBAL TimeZone='UTC'",
    "SET GLOBAL integer_division=true",
    "SET GLOBAL default_null_order='nulls_last'",
    *MACROS,
    "SET GLOBAL enable_external_access=false",
    "SET GLOBAL lock_configuration=true",
)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The process's DuckDB. It holds nothing: what a query reads is its own connection's."""
    settings: Any = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "threads": "1",
        "memory_limit": "2GB",
    }
    connection = duckdb.connect(":memory:", config=settings)
    for text in _SETTINGS:
        connection.execute(text)
    return connection


class Engine:
    """One query's DuckDB."""

    def __init__(self) -> None:
        self._connection = _database().cursor()

    def add(self, name: str, data: pa.Table) -> dict[str, str]:
        """Let queries see a table under this name. Returns its columns' types."""
        self._connection.register(name, data)
        seen = self._connection.table(name)
        return {column: str(kind) for column, kind in zip(seen.columns, seen.types, strict=True)}

    def query(self, sql: str) -> pa.Table:
        """Rows, in types that Athena has. Raises QueryFailed in Athena's words."""
        try:
            relation = self._connection.sql(sql)
            wide = [str(kind) in _WIDE for kind in relation.types]
            if any(wide):
                # DuckDB's positions are the one way to name columns that share a name.
                columns = ", ".join(
                    f"{f'CAST(#{at} AS BIGINT)' if wide[at - 1] else f'#{at}'} AS {_quoted(name)}"
                    for at, name in enumerate(relation.columns, start=1)
                )
                relation = self._connection.sql(f"SELECT {columns} FROM ({sql})")  # noqa: S608 - it sees nothing else
            return relation.to_arrow_table()
        except duckdb.Error as error:
            raise failed(error) from None

    def run(self, sql: str) -> int:
        """A statement that changes the tables that were copied in. Returns the rows that it touched."""
        try:
            row = self._connection.execute(sql).fetchone()
        except duckdb.Error as error:
            raise failed(error) from None
        return int(row[0]) if row else 0

    def stop(self) -> None:
        """End the running query."""
        self._connection.interrupt()

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_COLUMN: Final = re.compile(
    r'(?:Referenced column |column |Values list ".*" does not have a column named )"([^"]+)"'
)
_GROUP: Final = re.compile(r'column "([^"]+)" must appear in the GROUP BY clause')
_COMPARED: Final = re.compile(r"Cannot compare values of type (\S.*?) and (?:type )?(\S.*?) -")


def failed(error: duckdb.Error) -> QueryFailed:
    """DuckDB's refusal in Athena's words; what has none is said to be the twin's."""
    text = str(error).splitlines()[0].partition(": ")[2] or str(error)
    if isinstance(error, duckdb.InterruptException):
        return QueryFailed("Query cancelled by user", 1011, state="CANCELLED")
    grouped = _GROUP.search(text)
    if grouped:
        return QueryFailed(
            f"EXPRESSION_NOT_AGGREGATE: '{grouped[1]}' must be an aggregate expression or appear in GROUP BY "
            "clause",
            SYNTAX,
        )
    compared = _COMPARED.search(text)
    if compared:
        first, second = (type_.lower() for type_ in compared.groups())
        return QueryFailed(f"TYPE_MISMATCH: Cannot apply operator: {first} = {second}", SYNTAX)
    named = _COLUMN.search(text)
    if named and isinstance(error, duckdb.BinderException):
        return QueryFailed(
            f"COLUMN_NOT_FOUND: Column '{named[1]}' cannot be resolved or requester is not authorized to "
            "access requested resources",
            SYNTAX,
        )
    if "Division by zero" in text:
        return QueryFailed("DIVISION_BY_ZERO: Division by zero", DATA)
    if isinstance(error, duckdb.ConversionException):
        return QueryFailed(f"INVALID_CAST_ARGUMENT: {text}", DATA)
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryFailed(f"NUMERIC_VALUE_OUT_OF_RANGE: {text}", DATA)
    if isinstance(error, duckdb.ParserException):
        return QueryFailed(f"SYNTAX_ERROR: {text}", SYNTAX)
    return untranslated(text)
