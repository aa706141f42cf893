"""Iceberg tables as catalogs make them: the declared schema checked, and the first metadata file.

A declaration is in the words of Glue's CreateIcebergTableInput (`Schema.Fields[].Id`).

Types, transforms and the metadata's members: https://iceberg.apache.org/spec/
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Params = Mapping[str, Any]

PRIMITIVES: Final = frozenset(
    {"boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz"}
    | {"string", "uuid", "binary"}
)
DECIMAL: Final = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_FIXED: Final = re.compile(r"fixed\[(\d+)\]")
_SIZED: Final = re.compile(r"(bucket|truncate)\[(\d+)\]")
_DAYS: Final = frozenset({"date", "timestamp", "timestamptz"})
_TIMES: Final = frozenset({"timestamp", "timestamptz"})
_FIRST_PARTITION: Final = 1000
"""Ids of partition fields begin here."""


class InvalidIcebergError(Exception):
    """What Iceberg does not take; the message says what and where."""


def check(table: Params) -> None:
    """Refuse a declaration that Iceberg could not make a table of. Raises InvalidIcebergError."""
    schema = table["Schema"]
    if not schema.get("Fields"):
        raise InvalidIcebergError("Schema.Fields must not be empty")
    types: dict[int, Any] = {}
    for id, name, kind in _fields(schema_columns(schema)):
        if id in types:
            raise InvalidIcebergError(f"Invalid schema: multiple fields for id {id} ({name})")
        types[id] = kind
    names = [str(field["Name"]) for field in schema["Fields"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidIcebergError(f"Invalid schema: multiple fields for name {twice[0]}")
    _identifiers(schema)
    spec = table.get("PartitionSpec") or {}
    _partition(spec.get("Fields") or [], types, {int(f["Id"]): str(f["Name"]) for f in schema["Fields"]})
    for field in (table.get("WriteOrder") or {}).get("Fields") or []:
        _transform(field, types, "WriteOrder")
    order = table.get("WriteOrder")
    if order and bool(order.get("Fields")) != bool(order.get("OrderId")):
        raise InvalidIcebergError("Sort order ID 0 is reserved for unsorted order")


def _identifiers(schema: Params) -> None:
    fields = {int(field["Id"]): field for field in schema["Fields"]}
    for id in schema.get("IdentifierFieldIds") or []:
        if id not in fields:
            raise InvalidIcebergError(f"Cannot add field {id} as an identifier field: field does not exist")
        if not fields[id].get("Required") or fields[id].get("Type") in ("float", "double"):
            name = fields[id]["Name"]
            raise InvalidIcebergError(
                f"Cannot add field {name} as an identifier field: not a required field of an exact type"
            )


def _fields(fields: Sequence[Params], under: str = "") -> Iterator[tuple[int, str, Any]]:
    """Id, name and type of all fields, nested ones too; a type that is none raises."""
    for field in fields:
        name = f"{under}{field['name']}"
        yield field["id"], name, field["type"]
        yield from _inside(field["type"], name)


def _inside(kind: Any, name: str) -> Iterator[tuple[int, str, Any]]:
    if isinstance(kind, str):
        _primitive(kind, name)
        return
    shape = kind.get("type") if isinstance(kind, Mapping) else None
    try:
        if shape == "struct":
            yield from _fields(kind["fields"], f"{name}.")
        elif shape == "list":
            yield int(kind["element-id"]), f"{name}.element", kind["element"]
            yield from _inside(kind["element"], f"{name}.element")
        elif shape == "map":
            for part in ("key", "value"):
                yield int(kind[f"{part}-id"]), f"{name}.{part}", kind[part]
                yield from _inside(kind[part], f"{name}.{part}")
        else:
            raise InvalidIcebergError(f"Cannot parse type of {name} from json: {kind!r}")
    except KeyError as error:
        raise InvalidIcebergError(f"Cannot parse type of {name} from json: missing {error}") from None


def _primitive(kind: str, name: str) -> None:
    decimal = DECIMAL.fullmatch(kind)
    if decimal:
        precision, scale = int(decimal[1]), int(decimal[2])
        if not 1 <= precision <= 38 or scale > precision:
            raise InvalidIcebergError(
                f"Decimals with precision larger than 38 or a scale above it are not supported: {name} {kind}"
            )
    elif kind not in PRIMITIVES and not _FIXED.fullmatch(kind):
        raise InvalidIcebergError(f"Cannot parse type string to primitive: {kind} (column {name})")


def _partition(fields: Sequence[Params], types: Mapping[int, Any], columns: Mapping[int, str]) -> None:
    seen: set[str] = set()
    ids: set[int] = set()
    used: set[tuple[int, str]] = set()
    for field in fields:
        name, source = str(field["Name"]), int(field["SourceId"])
        _transform(field, types, "PartitionSpec")
        if name in seen:
            raise InvalidIcebergError(f"Cannot use partition name more than once: {name}")
        if name in columns.values() and not (
            field["Transform"] == "identity" and columns.get(source) == name
        ):
            raise InvalidIcebergError(
                f"Cannot create partition from name that exists in schema: {name} ({field['Transform']})"
            )
        kind = re.sub(r"\[.*", "", field["Transform"])
        if (source, kind) in used:
            raise InvalidIcebergError(f"Cannot add redundant partition: {name} ({field['Transform']})")
        if field.get("FieldId") in ids:
            raise InvalidIcebergError(f"Cannot use field id more than once in one PartitionSpec: {name}")
        seen.add(name)
        used.add((source, kind))
        if field.get("FieldId") is not None:
            ids.add(field["FieldId"])


def _transform(field: Params, types: Mapping[int, Any], where: str) -> None:
    source, text = int(field["SourceId"]), str(field["Transform"])
    kind = types.get(source)
    if kind is None:
        raise InvalidIcebergError(f"{where}: Cannot find source column: {source}")
    sized = _SIZED.fullmatch(text)
    if sized and int(sized[2]) > 0:
        base = sized[1]
    elif text in ("identity", "void", "year", "month", "day", "hour"):
        base = text
    else:
        raise InvalidIcebergError(f"{where}: Unknown transform: {text} of column {source}")
    if not isinstance(kind, str) or not _takes(base, kind):
        raise InvalidIcebergError(f"{where}: Invalid source type {kind} for transform: {text}")


def _takes(transform: str, kind: str) -> bool:
    if transform in ("identity", "void"):
        return True
    if transform in ("year", "month", "day"):
        return kind in _DAYS
    if transform == "hour":
        return kind in _TIMES
    if transform == "truncate":
        return kind in ("int", "long", "string", "binary") or bool(DECIMAL.fullmatch(kind))
    return kind not in ("boolean", "float", "double")


# The first metadata


def metadata(table: Params, version: int, name: str, at: float) -> dict[str, Any]:
    """The first metadata.json of a table (format version 1 or 2) that has no snapshot yet.

    name: what makes the table's uuid, with the time. at: seconds.
    """
    schema = table["Schema"]
    columns = schema_columns(schema)
    spec = table.get("PartitionSpec") or {}
    fields = [
        {
            "name": field["Name"],
            "transform": field["Transform"],
            "source-id": field["SourceId"],
            "field-id": field.get("FieldId") or _FIRST_PARTITION + index,
        }
        for index, field in enumerate(spec.get("Fields") or [])
    ]
    order = table.get("WriteOrder") or {"OrderId": 0, "Fields": []}
    orders = [
        {
            "transform": field["Transform"],
            "source-id": field["SourceId"],
            "direction": field["Direction"],
            "null-order": field["NullOrder"],
        }
        for field in order["Fields"]
    ]
    made_schema: dict[str, Any] = {"type": "struct", "schema-id": schema.get("SchemaId") or 0}
    if schema.get("IdentifierFieldIds"):
        made_schema["identifier-field-ids"] = list(schema["IdentifierFieldIds"])
    made_schema["fields"] = columns
    spec_id = spec.get("SpecId") or 0
    document: dict[str, Any] = {
        "format-version": version,
        "table-uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{at}")),
        "location": table["Location"].rstrip("/"),
        "last-updated-ms": int(at * 1000),
        "last-column-id": max(id for id, _, _ in _fields(columns)),
        "current-schema-id": made_schema["schema-id"],
        "schemas": [made_schema],
        "default-spec-id": spec_id,
        "partition-specs": [{"spec-id": spec_id, "fields": fields}],
        "last-partition-id": max([field["field-id"] for field in fields], default=_FIRST_PARTITION - 1),
        "default-sort-order-id": order["OrderId"],
        "sort-orders": [{"order-id": order["OrderId"], "fields": orders}],
        "properties": dict(table.get("Properties") or {}),
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }
    if version == 1:
        return {**document, "schema": made_schema, "partition-spec": fields}
    return {**document, "last-sequence-number": 0}


def schema_columns(schema: Params) -> list[dict[str, Any]]:
    """The columns of a declared schema as Iceberg's metadata writes them."""
    columns: list[dict[str, Any]] = []
    for field in schema["Fields"]:
        column = {
            "id": int(field["Id"]),
            "name": field["Name"],
            "required": bool(field.get("Required")),
            "type": field["Type"],
        }
        if field.get("Doc"):
            column["doc"] = field["Doc"]
        columns.append(column)
    return columns
