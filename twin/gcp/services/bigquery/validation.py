"""Columns of BigQuery tables: what a schema may hold, and how it may change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_SAME: Final[Mapping[str, str]] = services.tables("bigquery")["api_types"]
_TYPES: Final = frozenset(
    {"STRING", "BYTES", "INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "TIMESTAMP", "DATE", "TIME"}
    | {"DATETIME", "GEOGRAPHY", "RECORD", "JSON", "RANGE", "INTERVAL", "FOREIGN"}
)
_MODES: Final = ("NULLABLE", "REQUIRED", "REPEATED")
_PREFIXES: Final = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")


def kind_of(field: Body) -> str:
    """A column's type as the API answers it."""
    kind = str(field.get("type", "")).upper()
    return _SAME.get(kind, kind)


def check_fields(call: Call, fields: list[Body], place: str, under: str = "") -> list[Body]:
    """The columns as BigQuery keeps them. Raises 400. place: the dataset's location."""
    checked: list[Body] = []
    seen: set[str] = set()
    for field in fields:
        name = str(field.get("name", ""))
        whole = f"{under}{name}"
        if not _NAME.fullmatch(name) or name.lower().startswith(_PREFIXES):
            raise invalid(
                f'Invalid field name "{whole}". Fields must contain the allowed characters, and be at most '
                "300 characters long. For allowed characters, please refer to "
                "https://cloud.google.com/bigquery/docs/schemas#column_names"
            )
        if name.lower() in seen:
            raise invalid(f"Duplicate field name: {whole}. Field {whole} already exists in schema")
        seen.add(name.lower())
        checked.append(_field(call, field, place, whole))
    return checked


def _field(call: Call, field: Body, place: str, whole: str) -> Body:
    kind = kind_of(field)
    if kind not in _TYPES:
        raise invalid(f"Invalid value for type: {field.get('type')} is not a valid value (field {whole})")
    checked: Body = {**field, "type": kind, "mode": str(field.get("mode") or "NULLABLE").upper()}
    if checked["mode"] not in _MODES:
        raise invalid(f"Invalid value for mode: {field.get('mode')} is not a valid value (field {whole})")
    if kind == "RECORD":
        if not field.get("fields"):
            raise invalid(f"Field {whole} is type RECORD but has no schema")
        checked["fields"] = check_fields(call, field["fields"], place, f"{whole}.")
    elif field.get("fields"):
        raise invalid(f"Field {whole} is of type {kind} and cannot have fields")
    _check_tags(field, whole)
    for data_policy in field.get("dataPolicies") or []:
        _check_policy(call, str(data_policy.get("name") or ""), place, whole)
    return checked


def _check_tags(field: Body, whole: str) -> None:
    """The twin has no Data Catalog, so that no policy tag exists."""
    for name in (field.get("policyTags") or {}).get("names") or []:
        raise invalid(f"Policy tag resource {name} of field {whole} is not found.")


def _check_policy(call: Call, name: str, place: str, whole: str) -> None:
    parts = name.split("/")
    same_project = f"projects/{call.project}/{'/'.join(parts[2:])}"
    if len(parts) != 6 or call.state.get(f"bigquerydatapolicy/{same_project}") is None:
        raise invalid(f"Not found: Data policy {name} of field {whole}")
    if parts[3] != place.lower():
        raise invalid(
            f"The data policy {name} of field {whole} is in {parts[3]}, the dataset in {place.lower()}."
        )


def check_change(table: str, before: list[Body], after: list[Body], under: str = "") -> None:
    """A schema grows only. Raises 400 with BigQuery's words. table: `p:d.t`."""
    words = f"Provided Schema does not match Table {table}."
    wanted = {column["name"].lower(): column for column in after}
    for field in before:
        whole = f"{under}{field['name']}"
        new_field = wanted.get(field["name"].lower())
        if new_field is None:
            raise invalid(f"{words} Field {whole} is missing in new schema")
        if new_field["type"] != field["type"] and not _wider(field["type"], new_field["type"]):
            raise invalid(
                f"{words} Field {whole} has changed type from {field['type']} to {new_field['type']}"
            )
        relaxed = (field["mode"], new_field["mode"]) == ("REQUIRED", "NULLABLE")
        if new_field["mode"] != field["mode"] and not relaxed:
            raise invalid(
                f"{words} Field {whole} has changed mode from {field['mode']} to {new_field['mode']}"
            )
        if field["type"] == "RECORD":
            check_change(table, field.get("fields") or [], new_field.get("fields") or [], f"{whole}.")
    names = {column["name"].lower() for column in before}
    for field in after:
        if field["name"].lower() not in names and field["mode"] == "REQUIRED":
            raise invalid(
                f"{words} Cannot add required fields to an existing schema. (field: {under}{field['name']})"
            )


def _wider(before: str, after: str) -> bool:
    """Whether every value of one type is one of the other. Source: "Modifying table schemas"."""
    order = ("INTEGER", "NUMERIC", "BIGNUMERIC", "FLOAT")
    if before not in order or after not in order:
        return False
    return order.index(before) < order.index(after)


def check_layout(table: Body, fields: list[Body]) -> None:
    """Partitioning and clustering name columns that there are. Raises 400."""
    known = {str(field["name"]).lower(): field for field in fields}
    time: dict[str, Any] = table.get("timePartitioning") or {}
    by = time.get("field")
    if by and by.lower() not in known:
        raise invalid(
            f"The field specified for partitioning cannot be found in the schema. Invalid field: {by}."
        )
    if by and known[by.lower()]["type"] not in ("TIMESTAMP", "DATE", "DATETIME"):
        raise invalid(
            "The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The "
            f"type found is: {known[by.lower()]['type']}."
        )
    if by and time["type"] == "HOUR" and known[by.lower()]["type"] == "DATE":
        raise invalid("Cannot partition by HOUR on a DATE column.")
    over = (table.get("rangePartitioning") or {}).get("field")
    if over and kind_of(known.get(over.lower(), {})) != "INTEGER":
        raise invalid(f"The field specified for range partitioning must be an INTEGER of the schema: {over}.")
    clustering: list[str] = (table.get("clustering") or {}).get("fields") or []
    for column in clustering:
        if column.lower() not in known:
            raise invalid(
                f"The field specified for clustering cannot be found in the schema. Invalid field: {column}."
            )
