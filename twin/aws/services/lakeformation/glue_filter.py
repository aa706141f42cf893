"""Calls of Glue's catalog that Lake Formation refuses, and what it leaves out of their answers.

Lake Formation developer guide, "Lake Formation permissions reference" and "Metadata permissions". IAM has let
the caller before; what is not there is reported by Glue itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Refusal
from twin.aws.services import facts
from twin.aws.services.glue.operations import federated
from twin.aws.services.lakeformation import permissions as lakeformation
from twin.aws.services.lakeformation.state import Lake
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

DESCRIBE: Final = "DESCRIBE"
_FACTS: Final = facts(__name__)
_TABLES: Final[dict[str, str]] = _FACTS["tables"]
_DATABASES: Final[dict[str, str]] = _FACTS["databases"]


def check(operation: str, params: Params, state: MotoState) -> None:
    """Refuse what Lake Formation does not let the caller do."""
    if operation not in _TABLES and operation not in _DATABASES:
        return
    databases = federated.databases(state)
    of = federated.path_of(
        params.get("CatalogId"), str(params.get("DatabaseName") or params.get("Name") or "")
    )
    if of not in databases:
        return
    lake, who = _lake(state), state.caller
    table_input: Params = params.get("TableInput") or {}
    if operation in _DATABASES:
        need = _DATABASES[operation]
        if not lakeformation.allowed(lake, who, need, of):
            raise insufficient(need, of)
    else:
        name = str(params.get("TableName") or table_input.get("Name") or params.get("Name") or "")
        if name in databases[of].tables:
            demand(state, _TABLES[operation], of, name)
            moved = _moved(databases[of].tables[name], _locations(params, table_input))
            for location in moved:
                _place(location, lake, who, "")
            if moved:
                return
    for location in _locations(params, table_input):
        _place(location, lake, who, str(databases[of].input.get("LocationUri") or ""))


def _locations(params: Params, table_input: Params) -> list[str]:
    """Where a request would have a table's files."""
    iceberg_input = (params.get("OpenTableFormatInput") or {}).get("IcebergInput") or {}
    changed = (params.get("UpdateOpenTableFormatInput") or {}).get("UpdateIcebergInput") or {}
    reported: list[Params] = [
        iceberg_input.get("CreateIcebergTableInput") or {},
        *((changed.get("UpdateIcebergTableInput") or {}).get("Updates") or []),
        table_input.get("StorageDescriptor") or {},
    ]
    return [str(location["Location"]) for location in reported if location.get("Location")]


def _moved(table: Any, locations: list[str]) -> list[str]:
    """Those that a table is not at: altering it needs leave for them, also within its database's own
    location (Lake Formation developer guide, "Lake Formation permissions reference": ALTER)."""
    there = table.versions[str(table._current_version)].get("StorageDescriptor") or {}
    now = str(there.get("Location") or "").rstrip("/")
    return [location for location in locations if location.rstrip("/") != now]


def demand(state: MotoState, permission: str, of: str, name: str) -> None:
    """Refuse a caller who lacks a permission on a table that is there."""
    lake, who = _lake(state), state.caller
    if lakeformation.open_to_iam(lake, of, name):
        return
    permissions = lakeformation.of_table(lake, who, of, name, columns(state, of, name))
    if not permissions.permissions or (permission != DESCRIBE and permission not in permissions.permissions):
        raise insufficient(permission, name)


def insufficient(permission: str, name: str) -> Refusal:
    """Lake Formation's refusal."""
    title = permission.replace("_", " ").title()
    return Refusal(
        "AccessDeniedException", f"Insufficient Lake Formation permission(s): Required {title} on {name}"
    )


def columns(state: MotoState, of: str, name: str) -> list[str]:
    """A table's columns by name."""
    table: Any = federated.databases(state)[of].tables[name]
    return _named(table.versions[str(table._current_version)])


def _named(table: Params) -> list[str]:
    columns = (table.get("StorageDescriptor") or {}).get("Columns") or []
    return [str(column["Name"]) for column in [*columns, *(table.get("PartitionKeys") or [])]]


def _place(location: str, lake: Lake, who: str, home: str) -> None:
    """A table that points to a registered location needs leave for it, unless that is within its database's
    own location (Lake Formation developer guide, "Creating a database")."""
    scheme, _, place = location.partition("://")
    if not scheme.startswith("s3") or not place:
        return
    if home and f"{location.rstrip('/')}/".startswith(f"{home.rstrip('/')}/"):
        return
    if not lakeformation.may_use_location(lake, who, f"arn:aws:s3:::{place.rstrip('/')}"):
        raise Refusal("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {location}")


def _lake(state: MotoState) -> Lake:
    return Lake(state.moto.backend("lakeformation", state.region))


# What is left out


def seen(operation: str, state: MotoState, answer: Answer) -> Answer:
    """An answer without the databases, tables and columns that the caller may not see."""
    hide = _HIDDEN.get(operation)
    if hide is None or not answer.good:
        return answer
    body: Params = json.loads(answer.body)
    hide(body, state)
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return Answer(answer.status, headers, json.dumps(body).encode())


def _databases(body: Params, state: MotoState) -> None:
    lake, who = _lake(state), state.caller
    body["DatabaseList"] = [
        database
        for database in body.get("DatabaseList") or []
        if _is_visible(lake, who, federated.path_of(database.get("CatalogId"), database["Name"]))
    ]


def _is_visible(lake: Lake, who: str, of: str) -> bool:
    return lakeformation.open_to_iam(lake, of) or bool(lakeformation.of_database(lake, who, of))


def _tables(body: Params, state: MotoState) -> None:
    body["TableList"] = [table for table in body.get("TableList") or [] if _shows(table, state)]


def _table(body: Params, state: MotoState) -> None:
    _shows(body["Table"], state)


def _shows(table: Params, state: MotoState) -> bool:
    """Whether the caller sees a table, which is cut to the columns that it may read."""
    lake, name = _lake(state), table["Name"]
    of = federated.path_of(table.get("CatalogId"), table["DatabaseName"])
    if lakeformation.open_to_iam(lake, of, name):
        return True
    permissions = lakeformation.of_table(lake, state.caller, of, name, _named(table))
    if not permissions.permissions:
        return False
    if permissions.permissions <= {"SELECT", DESCRIBE} and permissions.cells:
        visible = frozenset[str]().union(*(cell.columns for cell in permissions.cells))
        descriptor = table.get("StorageDescriptor") or {}
        descriptor["Columns"] = [
            column for column in descriptor.get("Columns") or [] if column["Name"] in visible
        ]
    return True


_HIDDEN: Final[dict[str, Callable[[Params, MotoState], None]]] = {
    "GetDatabases": _databases,
    "GetTables": _tables,
    "GetTable": _table,
}
