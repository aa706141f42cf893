"""Iceberg tables as Glue shows them: columns as Hive names them, and the schema of plain Glue columns.

Schemas are checked, and the first metadata is made, by `twin.iceberg`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twin.iceberg import DECIMAL, InvalidIcebergError, check, metadata

__all__ = ["InvalidIcebergError", "check", "glue_columns", "metadata", "of_columns"]

Params = Mapping[str, Any]


def glue_columns(schema: Params) -> list[dict[str, Any]]:
    """The columns that Glue shows of a schema."""
    columns: list[dict[str, Any]] = []
    for field in schema["Fields"]:
        column: dict[str, Any] = {"Name": field["Name"], "Type": _hive(field["Type"])}
        if field.get("Doc"):
            column["Comment"] = field["Doc"]
        column["Parameters"] = {
            "iceberg.field.current": "true",
            "iceberg.field.id": str(field["Id"]),
            "iceberg.field.optional": str(not field.get("Required")).lower(),
        }
        columns.append(column)
    return columns


_HIVE: Final = {"long": "bigint", "time": "string", "uuid": "string", "timestamptz": "timestamp"}


def _hive(kind: Any) -> str:
    if isinstance(kind, str):
        decimal = DECIMAL.fullmatch(kind)
        if decimal:
            return f"decimal({decimal[1]},{decimal[2]})"
        return "binary" if kind.startswith("fixed") else _HIVE.get(kind, kind)
    if kind["type"] == "struct":
        inner = ",".join(f"{field['name']}:{_hive(field['type'])}" for field in kind["fields"])
        return f"struct<{inner}>"
    if kind["type"] == "list":
        return f"array<{_hive(kind['element'])}>"
    return f"map<{_hive(kind['key'])},{_hive(kind['value'])}>"


_ICEBERG: Final = {"bigint": "long", "tinyint": "int", "smallint": "int"}


def of_columns(columns: Sequence[Params]) -> dict[str, Any]:
    """The Iceberg schema of plain Glue columns, for tables that are declared by a storage descriptor."""
    fields: list[dict[str, Any]] = []
    for index, column in enumerate(columns, start=1):
        kind = str(column.get("Type") or "")
        field = {"Id": index, "Name": column["Name"], "Required": False, "Type": _ICEBERG.get(kind, kind)}
        if column.get("Comment"):
            field["Doc"] = column["Comment"]
        fields.append(field)
    return {"SchemaId": 0, "Type": "struct", "Fields": fields}
