"""BigQuery's types for Iceberg's ("Apache Iceberg managed tables", "Iceberg table data types")."""

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
"""Digits of NUMERIC before the point; after it there are 9."""


def sql_type(kind: Type) -> str:
    """Return a type without parts in SQL."""
    name = str(kind)
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", name)
    if decimal:
        precision, scale = int(decimal[1]), int(decimal[2])
        narrow = scale <= 9 and precision - scale <= _NUMERIC_DIGITS
        return f"{'NUMERIC' if narrow else 'BIGNUMERIC'}({precision}, {scale})"
    fixed = re.fullmatch(r"fixed\[(\d+)\]", name)
    return f"BYTES({fixed[1]})" if fixed else _TYPES[name]


def schema_type(kind: Type) -> dict[str, Any]:
    """Return a type without parts in a table's schema, where parameters have separate keys."""
    sql = sql_type(kind)
    parametrized = re.fullmatch(r"(\w+)\((\d+)(?:, (\d+))?\)", sql)
    if parametrized is None:
        return {"type": sql}
    name, first, second = parametrized.groups()
    if name == "BYTES":
        return {"type": "BYTES", "maxLength": first}
    return {"type": name, "precision": first, "scale": second}
