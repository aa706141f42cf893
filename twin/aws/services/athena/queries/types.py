"""Types by their names in Hive (Glue's catalog), Arrow and Athena's result sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow as pa

from twin.aws.services import facts
from twin.aws.services.athena.queries.errors import SCHEMA, QueryFailed

_FACTS: Final = facts(__name__)
_PLAIN: Final[dict[str, pa.DataType]] = {
    **{hive: pa.type_for_alias(arrow) for hive, arrow in _FACTS["hive"].items()},
    # Athena reads and writes a Hive table's timestamps in milliseconds, an Iceberg table's in microseconds.
    "timestamp": pa.timestamp("ms"),
}
_SIZED: Final = re.compile(r"(varchar|char)\(\d+\)")
_DECIMAL: Final = re.compile(r"decimal(?:\((\d+)(?:,\s*(\d+))?\))?")


def of_hive(name: str) -> pa.DataType:
    """The Arrow type of a Hive type. Raises QueryFailed for one that Athena does not know."""
    text = name.strip().lower()
    if text in _PLAIN:
        return _PLAIN[text]
    if _SIZED.fullmatch(text):
        return pa.string()
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        return pa.decimal128(int(decimal[1] or 10), int(decimal[2] or 0))
    shape, _, inner = name.strip().partition("<")
    parts = _parts(inner[:-1]) if inner.endswith(">") else []
    if shape.lower() == "array" and len(parts) == 1:
        return pa.list_(of_hive(parts[0]))
    if shape.lower() == "map" and len(parts) == 2:
        return pa.map_(of_hive(parts[0]), of_hive(parts[1]))
    if shape.lower() == "struct" and parts:
        fields = [part.partition(":") for part in parts]
        return pa.struct([(field.strip(), of_hive(kind)) for field, _, kind in fields])
    raise QueryFailed(f"HIVE_INVALID_METADATA: Unknown type {name!r}", SCHEMA)


def _parts(text: str) -> list[str]:
    parts, depth, begin = list[str](), 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and not depth:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def to_hive(kind: pa.DataType, column: str) -> str:
    """The Hive type of what a query gives. Raises QueryFailed for what a Hive table cannot have."""
    if str(kind) in _FACTS["arrow"]:
        return _FACTS["arrow"][str(kind)]["hive"]
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        if kind.tz:
            raise QueryFailed(f"NOT_SUPPORTED: Unsupported Hive type: {trino(kind)}", SCHEMA)
        if kind.unit != "ms":
            raise QueryFailed(
                "NOT_SUPPORTED: Incorrect timestamp precision for timestamp(6); the configured precision is "
                f"MILLISECONDS; column name: {column}",
                SCHEMA,
            )
        return "timestamp"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{to_hive(kind.value_type, column)}>"
    if pa.types.is_map(kind):
        return f"map<{to_hive(kind.key_type, column)},{to_hive(kind.item_type, column)}>"
    if pa.types.is_struct(kind):
        inner = ",".join(f"{field.name}:{to_hive(field.type, column)}" for field in _fields(kind))
        return f"struct<{inner}>"
    raise QueryFailed(f"NOT_SUPPORTED: Unsupported Hive type: {trino(kind)}; column name: {column}", SCHEMA)


def hive_columns(fields: Iterable[Any]) -> list[dict[str, str]]:
    """Glue's columns of what a query gives. Raises QueryFailed for what a Hive table cannot have."""
    return [{"Name": field.name, "Type": to_hive(field.type, field.name)} for field in fields]


def _fields(kind: Any) -> Sequence[Any]:
    return [kind.field(index) for index in range(kind.num_fields)]


def athena(kind: pa.DataType) -> tuple[str, int, int]:
    """Type, precision and scale as ResultSetMetadata reports them."""
    if str(kind) in _FACTS["arrow"]:
        plain = _FACTS["arrow"][str(kind)]
        return plain["athena"], plain["precision"], 0
    if pa.types.is_decimal(kind):
        return "decimal", kind.precision, kind.scale
    if pa.types.is_timestamp(kind):
        return ("timestamp with time zone" if kind.tz else "timestamp"), 3, 0
    if pa.types.is_time(kind):
        return "time", 3, 0
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "array", 0, 0
    if pa.types.is_map(kind):
        return "map", 0, 0
    if pa.types.is_struct(kind):
        return "row", 0, 0
    return "unknown", 0, 0


def trino(kind: pa.DataType) -> str:
    """A type as Trino's messages name it."""
    if pa.types.is_timestamp(kind):
        digits = 3 if kind.unit == "ms" else 6
        return f"timestamp({digits}){' with time zone' if kind.tz else ''}"
    name, precision, scale = athena(kind)
    return f"decimal({precision},{scale})" if name == "decimal" else name


def _list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _member(kind: Any) -> pa.DataType:
    return kind.value_type


_WIDER: Final = ("int8", "int16", "int32", "int64", "float", "double")


def coercible(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether Trino puts values of a type into a column of another without a cast: only into a wider one."""
    if source == wanted or pa.types.is_null(source):
        return True
    if _list(wanted) and _list(source):
        return coercible(_member(source), _member(wanted))
    if pa.types.is_nested(source) or pa.types.is_nested(wanted):
        return type(source) is type(wanted)
    texts = (pa.types.is_string, pa.types.is_large_string)
    if any(text(wanted) for text in texts):
        return any(text(source) for text in texts)
    if pa.types.is_timestamp(wanted):
        zone = bool(getattr(source, "tz", None))
        return pa.types.is_date(source) or (pa.types.is_timestamp(source) and (bool(wanted.tz) or not zone))
    if pa.types.is_decimal(wanted):
        return pa.types.is_integer(source) or (pa.types.is_decimal(source) and source.scale <= wanted.scale)
    if str(wanted) in _WIDER:
        if pa.types.is_decimal(source):
            return pa.types.is_floating(wanted)
        return str(source) in _WIDER and _WIDER.index(str(source)) <= _WIDER.index(str(wanted))
    return pa.types.is_binary(wanted) and pa.types.is_large_binary(source)


def mismatched(table: Iterable[Any], query: Iterable[Any]) -> QueryFailed:
    """An INSERT whose columns do not fit."""
    type_lists = [", ".join(trino(field.type) for field in fields) for fields in (table, query)]
    return QueryFailed(
        f"TYPE_MISMATCH: Insert query has mismatched column types: Table: [{type_lists[0]}], "
        f"Query: [{type_lists[1]}]",
        SCHEMA,
    )


def milliseconds(column: Any) -> Any:
    """A column of timestamps in milliseconds and no zone; what is finer is cut off."""
    plain = column.cast(pa.timestamp(column.type.unit))
    return plain.cast(pa.timestamp("ms"), safe=False)


def info(name: str, kind: str, precision: int = 0, scale: int = 0) -> dict[str, Any]:
    """One ColumnInfo."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in ("varchar", "string"),
    }
