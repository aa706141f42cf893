"""Iceberg's types as BigQuery has them ("Apache Iceberg managed tables", "Iceberg table data types")."""

import re
from typing import Any, Final

from aiplatform.lakehouse.types import Type

_TYPES: Final = {
    "boolean": "BOOL",
    "int": "INT64",
    "long": "INT64",
    "float": "FLOAT64",
    "double": "FLOAT64",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamptz": "TIMESTAMP",
    "string": "STRING",
    "uuid": "BYTES",
    "binary": "BYTES",
}
_NUMERIC_DIGITS: Final = 29
"""Before the point, at most, and 9 after it: what NUMERIC holds."""


def of(kind: Type) -> str:
    """A type without parts, in SQL."""
    name = str(kind)
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", name)
    if decimal:
        precision, scale = int(decimal[1]), int(decimal[2])
        narrow = scale <= 9 and precision - scale <= _NUMERIC_DIGITS
        return f"{'NUMERIC' if narrow else 'BIGNUMERIC'}({precision}, {scale})"
    fixed = re.fullmatch(r"fixed\[(\d+)\]", name)
    return f"BYTES({fixed[1]})" if fixed else _TYPES[name]


def in_schema(kind: Type) -> dict[str, Any]:
    """The same in a table's schema, where what stands in brackets has keys of its own."""
    written = of(kind)
    found = re.fullmatch(r"(\w+)\((\d+)(?:, (\d+))?\)", written)
    if found is None:
        return {"type": written}
    if found[1] == "BYTES":
        return {"type": "BYTES", "maxLength": found[2]}
    return {"type": found[1], "precision": found[2], "scale": found[3]}
