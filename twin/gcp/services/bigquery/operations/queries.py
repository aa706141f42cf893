"""BigQuery: queries of tables, as the caller sees them.

One SELECT, read by sqlglot and executed by DuckDB over what each table shows to the caller: IAM on the table,
data policies of the columns that the query names, row access policies. Rows are those of Iceberg tables of a
BigLake catalog, read by PyIceberg; tables of BigQuery's own hold none in the twin. Sources: "Row-level and
column-level security" (Google Cloud Lakehouse), "Introduction to column-level access control", "Introduction
to BigQuery row-level security".
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.services.bigquery.schema_changes import IcebergTable, Table, find

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES: Final = {
    "BIGINT": "INTEGER", "INTEGER": "INTEGER", "HUGEINT": "INTEGER", "DOUBLE": "FLOAT", "FLOAT": "FLOAT",
    "BOOLEAN": "BOOLEAN", "VARCHAR": "STRING", "DATE": "DATE", "TIMESTAMP": "DATETIME", "BLOB": "BYTES",
}  # fmt: skip


def is_query(text: str) -> bool:
    """Whether a text is a query and no statement."""
    return text.lstrip(" (\n").upper().startswith(("SELECT", "WITH"))


def known(text: str) -> None:
    """Raise NotImplementedError for what the twin does not execute."""
    from twin.gcp.services.bigquery import statements

    if not is_query(text):
        try:
            statements.script(text)
        except GoogleError:
            return  # The job states.


def denied(words: str) -> GoogleError:
    """403 as BigQuery words it."""
    return GoogleError(403, "PERMISSION_DENIED", f"Access Denied: {words}", "accessDenied")


def may(call: Call, table: Table | None, permission: str) -> bool:
    """Whether the caller has a permission on the project, a table or what contains it. The deployer is the
    project's owner."""
    identity = call.server.identity
    if call.principal == identity.deployer:
        return True
    parts = table.row.split("/") if table is not None else []
    around = ["/".join(parts[:length]) for length in range(len(parts), 3, -2)]
    return any(identity.allowed(call.principal, permission, holder) for holder in ("", *around))


def need(call: Call, table: Table | None, permission: str, what_text: str = "") -> None:
    """Raise 403 where the caller has not the permission."""
    if not may(call, table, permission):
        what = what_text or f"Table {table.displayed_id if table is not None else call.project}"
        raise denied(f"{what}: User does not have permission {permission}, or perhaps it does not exist.")


def run(call: Call, text: str, place: str) -> Body:
    """The results of a query: schema, rows and their count. Raises 400, 403 and 404."""
    import duckdb
    from sqlglot import errors, exp, parse_one

    try:
        tree = parse_one(text.strip().rstrip(";"), dialect="bigquery")
    except errors.SqlglotError as error:
        raise invalid(f"Syntax error: {str(error).splitlines()[0]}", reason="invalidQuery") from None
    with duckdb.connect(":memory:") as engine:
        for index, node in enumerate(list(tree.find_all(exp.Table))):
            name = tuple(".".join(part.name for part in node.parts).split("."))
            visible_table = visible(call, find(call, name, place), _named(tree))
            engine.register(f"t{index}", visible_table)
            node.replace(exp.alias_(exp.to_table(f"t{index}"), node.alias or name[-1], table=True))
        try:
            done = engine.execute(tree.sql(dialect="duckdb"))
            rows = done.fetchall()
        except duckdb.Error as error:
            raise invalid(str(error).splitlines()[0], reason="invalidQuery") from None
        fields = [
            {"name": column[0], "type": _TYPES.get(str(column[1]), "NUMERIC"), "mode": "NULLABLE"}
            for column in done.description or []
        ]
    return {
        "schema": {"fields": fields},
        "rows": [{"f": [{"v": _value(cell)} for cell in row]} for row in rows],
        "totalRows": str(len(rows)),
    }


def _named(tree: Any) -> set[str] | None:
    """The columns that a query names, in lower case; None for all."""
    from sqlglot import exp

    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    return None if stars else {column.name.lower() for column in tree.find_all(exp.Column)}


def visible(call: Call, table: Table, named: set[str] | None) -> Any:
    """A table as the caller sees it. named: the columns that are asked for, all where it is None. Raises 403
    for a table, and for a column that is asked for and neither seen nor masked."""
    import duckdb
    import pyarrow as pa

    api = "biglake" if isinstance(table, IcebergTable) else "bigquery"
    need(call, table, f"{api}.tables.getData")
    hidden = [name for name in _hidden(call, table) if named is None or name.lower() in named]
    refused = [name for name in hidden if not _has(call, table, name, masked=True)]
    if refused:
        raise denied(
            f"BigQuery BigQuery: User has neither fine-grained reader nor masked get permission to get data "
            f"protected by data policy on column {table.displayed_id}.{', '.join(sorted(refused))}."
        )
    rows: Any = _rows(call, table)
    if table.rows:
        granted = [row for row in table.rows.values() if call.principal in row["grantees"]]
        mine = [f"({row['filterPredicate']})" for row in granted]
        with duckdb.connect(":memory:") as engine:
            engine.register("rows", rows)
            where = _duck(" OR ".join(mine)) if mine else "FALSE"
            chosen: Any = engine.sql(f"SELECT * FROM rows WHERE {where}")  # noqa: S608
            rows = chosen.to_arrow_table()
    for name in hidden:
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.nulls(rows.num_rows, rows.schema.field(at).type))
    return rows


def _duck(condition: str) -> str:
    from sqlglot import transpile

    return transpile(condition, read="bigquery", write="duckdb")[0]


def _policies(call: Call, table: Table, column: str) -> Sequence[Body]:
    names = list(table.policies.get(column) or ())
    if not names:
        declared = next((field for field in table.fields() if field["name"] == column), {})
        names = [
            f"projects/{call.project}/{data_policy['name'].split('/', 2)[2]}"
            for data_policy in declared.get("dataPolicies") or []
        ]
    return [call.state.get(f"bigquerydatapolicy/{name}") or {} for name in names]


def _has(call: Call, table: Table, column: str, *, masked: bool) -> bool:
    """Whether a policy of the column names the caller: one that shows it, or one that masks it."""
    email = call.principal.partition(":")[2]
    grantee = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"
    kind = "DATA_MASKING_POLICY" if masked else "RAW_DATA_ACCESS_POLICY"
    return any(
        policy.get("dataPolicyType") == kind and grantee in (policy.get("grantees") or [])
        for policy in _policies(call, table, column)
    )


def _hidden(call: Call, table: Table) -> list[str]:
    """The columns that the caller does not see as they are."""
    columns = [field["name"] for field in table.fields()]
    guarded = [name for name in columns if _policies(call, table, name)]
    return [name for name in guarded if not _has(call, table, name, masked=False)]


def _rows(call: Call, table: Table) -> pa.Table:
    import pyarrow as pa

    if not isinstance(table, IcebergTable):
        return pa.table({field["name"]: pa.array([], pa.string()) for field in table.fields()})
    from pyiceberg.table import Table as Iceberg
    from pyiceberg.table.metadata import TableMetadataUtil

    metadata = table.body["metadata"]
    iceberg: Any = Iceberg(
        ("twin", table.body["name"]),
        TableMetadataUtil.parse_obj(metadata),
        table.body["metadata-location"],
        _files(call, metadata["location"]),
        None,  # type: ignore[arg-type]
    )
    rows = iceberg.scan().to_arrow()
    # All times are in UTC; DuckDB needs an extension for such with a zone.
    plain = [
        field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(plain))


def _files(call: Call, location: str) -> Any:
    """The objects below a location, as PyIceberg reads files."""
    from pyiceberg.io import FileIO, InputFile

    bucket = location.removeprefix("gs://").partition("/")[0]
    prefix = f"storage/b/{bucket}/o/"
    media_by_uri = {
        f"gs://{bucket}/{unquote(row[len(prefix) :])}": base64.b64decode(call.state.internal(row)["media"])
        for row, body in call.state.of("storage.o", prefix)
        if f"gs://{bucket}/{body['name']}".startswith(f"{location}/")
    }

    class File(InputFile):
        def __len__(self) -> int:
            return len(media_by_uri[self.location])

        def exists(self) -> bool:
            return self.location in media_by_uri

        def open(self, seekable: bool = True) -> Any:
            return io.BytesIO(media_by_uri[self.location])

    class Files(FileIO):
        def new_input(self, location: str) -> InputFile:
            return File(location)

        def new_output(self, location: str) -> Any:
            raise NotImplementedError(location)

        def delete(self, location: Any) -> None:
            raise NotImplementedError(location)

    return Files()


def _value(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return str(value.timestamp()) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


@handles("bigquery.tabledata.list")
def tabledata(call: Call) -> dict[str, Any]:
    """A table's rows, for a caller that sees every column and row of it."""
    name = (call.project, str(call.parameters["datasetId"]), str(call.parameters["tableId"]))
    table = find(call, name, "")
    hidden = _hidden(call, table)
    if hidden:
        raise denied(f"BigQuery BigQuery: User does not have permission to access data of {hidden[0]}.")
    return {"kind": "bigquery#tableDataList", "totalRows": "0"}
