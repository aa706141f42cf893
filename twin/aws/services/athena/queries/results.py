"""What a query gave, as Athena reports it: text for every value, CSV, ResultSetMetadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from twin.aws.services.athena.queries import types

Row = list[str | None]


@dataclass
class Outcome:
    """What a statement did. header: whether GetQueryResults begins with the columns' names."""

    columns: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rows: list[Row] = field(default_factory=list[Row])
    header: bool = False
    count: int = 0
    """Rows that were written."""
    written: list[str] = field(default_factory=list[str])
    """Files that were written, for the manifest."""


def of_arrow(data: pa.Table) -> Outcome:
    """A SELECT's result."""
    columns = [
        types.info(name, *types.athena(kind))
        for name, kind in zip(data.column_names, data.schema.types, strict=True)
    ]
    cells = [_cells(column) for column in data.columns]
    return Outcome(columns, [list(row) for row in zip(*cells, strict=True)], header=True)


def _cells(column: Any) -> Row:
    if pa.types.is_float32(column.type):
        # As short as a float of four bytes is written.
        return [None if text is None else _double(text) for text in column.cast(pa.string()).to_pylist()]
    return [text(value, column.type) for value in column.to_pylist()]


def text_column(name: str, values: list[str]) -> Outcome:
    """One column of text without a header, as SHOW gives it."""
    return Outcome([types.info(name, "string")], [[value] for value in values])


def text(value: Any, kind: pa.DataType) -> str | None:
    """A value as Athena writes it; None for NULL."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _double(repr(value))
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return _moment(value, kind)
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return (
            "{"
            + ", ".join(f"{member.name}={_inner(value[member.name], member.type)}" for member in fields)
            + "}"
        )
    if pa.types.is_map(kind):
        return (
            "{" + ", ".join(f"{_inner(k, kind.key_type)}={_inner(v, kind.item_type)}" for k, v in value) + "}"
        )
    if isinstance(value, list):
        of: Any = kind
        return "[" + ", ".join(_inner(element, of.value_type) for element in value) + "]"
    return str(value)


def _inner(value: Any, kind: pa.DataType) -> str:
    content = text(value, kind)
    return "null" if content is None else content


_LEAST: Final = 1e-3
_MOST: Final = 1e7


def _double(written: str) -> str:
    """As Java writes it: 1.0, 1.0E10, NaN, Infinity."""
    value = float(written)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _LEAST <= abs(value) < _MOST:
        text = format(Decimal(written), "f")
        return text if "." in text else f"{text}.0"
    digits = Decimal(written).as_tuple()
    figures = "".join(map(str, digits.digits)).rstrip("0") or "0"
    exponent = int(digits.exponent) + len(digits.digits) - 1
    return f"{'-' if digits.sign else ''}{figures[0]}.{figures[1:] or '0'}E{exponent}"


def _moment(value: datetime, kind: pa.DataType) -> str:
    micro = value.microsecond
    fraction = f"{micro:06d}" if micro % 1000 else f"{micro // 1000:03d}"
    moment = f"{value:%Y-%m-%d %H:%M:%S}.{fraction}"
    return f"{moment} UTC" if pa.types.is_timestamp(kind) and kind.tz else moment


def csv(outcome: Outcome) -> bytes:
    """The result file: every value in quotes, NULL as nothing; without a header and plain where there is
    none (SHOW, DESCRIBE)."""
    if not outcome.header:
        return "".join("\t".join(cell or "" for cell in row) + "\n" for row in outcome.rows).encode()
    names: Row = [column["Name"] for column in outcome.columns]
    return "".join(",".join(map(_quoted, row)) + "\n" for row in [names, *outcome.rows]).encode()


def _quoted(cell: str | None) -> str:
    return "" if cell is None else '"' + cell.replace('"', '""') + '"'
