"""A table as statements change it: BigQuery's own, or one of a BigLake Iceberg catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag
from twin.gcp.services.bigquery.operations.datasets import millis
from twin.gcp.services.bigquery.validation import check_fields

_ICEBERG: Final[Mapping[str, str]] = services.tables("bigquery")["iceberg"]
_DECIMAL: Final = re.compile(r"(NUMERIC|BIGNUMERIC)(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.I)
_SIZED: Final = re.compile(r"(\w+)(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")


class Table:
    """A table while statements run on it.

    policies: data policies by column. rows: row access policies by name, with filterPredicate and grantees.
    place: where it is. shown: its name in messages.
    """

    def __init__(self, call: Call, row: str, body: Body, place: str, displayed_id: str) -> None:
        self.row, self.body, self.place, self.displayed_id = row, body, place, displayed_id
        internal = call.state.internal(row)
        self.policies: dict[str, list[str]] = dict(internal.get("policies") or {})
        self.rows: dict[str, Body] = dict(internal.get("rows") or {})

    def names(self) -> set[str]:
        """The columns, in lower case."""
        return {field["name"].lower() for field in self.fields()}

    def has(self, name: str) -> bool:
        """Whether there is a column of that name in lower case."""
        return name in self.names()

    def fields(self) -> list[Body]:
        """The columns."""
        return (self.body.get("schema") or {}).get("fields") or []

    def add(self, call: Call, columns: list[tuple[str, str]]) -> None:
        """Append columns of these names and types."""
        new = [{"name": name, **_sized(kind), "mode": "NULLABLE"} for name, kind in columns]
        self._set(call, check_fields(call, [*self.fields(), *new], self.place))

    def _set(self, call: Call, fields: list[Body]) -> None:
        self.body = {**self.body, "schema": {**(self.body.get("schema") or {}), "fields": fields}}
        self.body["lastModifiedTime"] = millis(call)
        self.body["etag"] = etag(self.body)

    def drop(self, call: Call, names: set[str]) -> None:
        """Take columns away, by their names in lower case. Raises 400 for what others are on."""
        time = (self.body.get("timePartitioning") or {}).get("field")
        clustering = (self.body.get("clustering") or {}).get("fields") or []
        for used in filter(None, (time, *clustering)):
            if used.lower() in names:
                raise invalid(
                    f"ALTER TABLE DROP COLUMN: Column {used} is used for partitioning or clustering.",
                    reason="invalidQuery",
                )
        self._unguarded(call, names)
        fields = [field for field in self.fields() if field["name"].lower() not in names]
        if not fields:
            raise invalid("ALTER TABLE DROP COLUMN: A table needs a column.", reason="invalidQuery")
        self._set(call, fields)

    def _unguarded(self, call: Call, names: set[str]) -> None:
        """Refuse a drop while rows are guarded; the columns' own policies go with them."""
        if self.rows:
            raise invalid(
                "ALTER TABLE DROP COLUMN is not supported for tables with row access policies.",
                reason="invalidQuery",
            )
        self.policies = {name: policy for name, policy in self.policies.items() if name.lower() not in names}

    def save(self, call: Call) -> None:
        """Write what the statements made of it."""
        internal = {**call.state.internal(self.row), "policies": self.policies, "rows": self.rows}
        call.state.put(self.row, self.body, internal=internal)


class IcebergTable(Table):
    """A table of an Iceberg catalog: its columns are in its metadata."""

    def fields(self) -> list[Body]:
        return _schema(self.body["metadata"])["fields"]

    def drop(self, call: Call, names: set[str]) -> None:
        self._unguarded(call, names)
        metadata = self.body["metadata"]
        now = _schema(metadata)
        sources = {
            int(field["source-id"])
            for partition_spec in (*metadata["partition-specs"], *metadata["sort-orders"])
            for field in partition_spec["fields"]
        }
        for column in now["fields"]:
            if column["name"].lower() in names and column["id"] in sources:
                raise invalid(
                    f"ALTER TABLE DROP COLUMN: Column {column['name']} is used for partitioning or "
                    "clustering.",
                    reason="invalidQuery",
                )
        fields = [field for field in now["fields"] if field["name"].lower() not in names]
        self._evolve(call, fields, int(self.body["metadata"]["last-column-id"]))

    def add(self, call: Call, columns: list[tuple[str, str]]) -> None:
        metadata = self.body["metadata"]
        now, last = _schema(metadata), int(metadata["last-column-id"])
        new = [
            {"id": number, "name": name, "required": False, "type": iceberg_type(kind)}
            for number, (name, kind) in enumerate(columns, start=last + 1)
        ]
        self._evolve(call, [*now["fields"], *new], last + len(columns))

    def _evolve(self, call: Call, fields: list[Body], last: int) -> None:
        """Another schema becomes the current one. last: the highest id of a column."""
        from twin.gcp.services.biglake.operations.tables import changed, write

        metadata = self.body["metadata"]
        now = _schema(metadata)
        number = 1 + max(int(known_schema["schema-id"]) for known_schema in metadata["schemas"])
        schema = {**now, "schema-id": number, "fields": fields}
        updates: list[Body] = [
            {"action": "add-schema", "schema": schema, "last-column-id": last},
            {"action": "set-current-schema", "schema-id": -1},
        ]
        evolved = changed(metadata, [], updates)
        self.body = write(call, self.row, self.body, evolved)


def iceberg_type(kind: str) -> str:
    """Iceberg's type for one of GoogleSQL's. Raises 400."""
    decimal = _DECIMAL.fullmatch(kind)
    if decimal:
        wide = decimal[1].upper() == "BIGNUMERIC"
        precision, scale = decimal[2] or "38", decimal[3] or ("0" if decimal[2] else "9")
        if int(precision) > 38:
            raise invalid(
                f"Unsupported type {kind}: {'BIG' if wide else ''}NUMERIC has at most 38 digits here."
            )
        return f"decimal({precision},{scale})"
    match = _SIZED.fullmatch(kind)
    base = match[1].upper() if match else ""
    if base not in _ICEBERG:
        raise invalid(f"Unsupported type {kind} of a column of an Iceberg table", reason="invalidQuery")
    if base == "BYTES" and match and match[2]:
        return f"fixed[{match[2]}]"
    return _ICEBERG[base]


def find(call: Call, name: tuple[str, ...], place: str) -> Table:
    """A table by its name in a statement: DATASET.TABLE, PROJECT.DATASET.TABLE, or of an Iceberg catalog
    PROJECT.CATALOG.NAMESPACE.TABLE. place: where the job runs. Raises 400 and 404."""
    displayed_id = ".".join(name)
    if len(name) == 4:
        project, catalog, namespace, table = name
        row = f"biglake/projects/{call.project}/catalogs/{catalog}/namespaces/{namespace}/tables/{table}"
        body = call.state.get(row)
        holder = call.state.get(f"biglake/projects/{call.project}/catalogs/{catalog}") or {}
        where = (holder.get("replicas") or [{}])[0].get("region", "")
        if body is None or project not in (call.project, call.project_number) or where != (place or where):
            raise not_found(f"Not found: Table {displayed_id} was not found in location {place or 'US'}")
        return IcebergTable(call, row, body, where, displayed_id)
    if len(name) not in (2, 3):
        raise invalid(f"Invalid table name: {displayed_id}", reason="invalidQuery")
    row = f"bigquery/projects/{call.project}/datasets/{name[-2]}/tables/{name[-1]}"
    body = call.state.get(row)
    foreign = len(name) == 3 and name[0] != call.project
    where = str(body["location"]).lower() if body else ""
    if body is None or foreign or where != (place or where):
        raise not_found(f"Not found: Table {displayed_id} was not found in location {place or 'US'}")
    return Table(call, row, body, where, displayed_id)


def _schema(metadata: dict[str, Any]) -> dict[str, Any]:
    return next(
        schema for schema in metadata["schemas"] if schema["schema-id"] == metadata["current-schema-id"]
    )


def _sized(kind: str) -> Body:
    match = _SIZED.fullmatch(kind)
    if not match:
        raise invalid(f"Invalid type {kind}", reason="invalidQuery")
    sized: Body = {"type": match[1].upper()}
    if match[2] and sized["type"] in ("STRING", "BYTES"):
        sized["maxLength"] = match[2]
    elif match[2]:
        sized |= {"precision": match[2], **({"scale": match[3]} if match[3] else {})}
    return sized
