"""What Lake Formation lets a principal do with a database or table, and which cells it may read.

Lake Formation developer guide: "Implicit Lake Formation permissions", "Lake Formation permissions reference",
"LF-TBAC notes and restrictions", "Data filtering and cell-level security".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twin.aws.services.glue.operations.federated import path_of
from twin.aws.services.lakeformation.state import EVERYBODY, Grant, Lake, Location

Params = Mapping[str, Any]

ALL_OF_TABLE: Final = frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
ALL_OF_DATABASE: Final = frozenset({"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"})


@dataclass(frozen=True)
class Readable:
    """What may be read of a table. rows: an SQL condition; empty for all of them."""

    columns: frozenset[str]
    rows: str = ""


@dataclass
class TablePermissions:
    """What a principal has on a table, from all of its grants."""

    permissions: set[str] = field(default_factory=set[str])
    cells: list[Readable] = field(default_factory=list[Readable])
    """What each grant of SELECT reaches."""

    def whole(self, columns: Iterable[str]) -> bool:
        """Whether all cells may be read, by one grant or by several without filters of rows."""
        free = [cell.columns for cell in self.cells if not cell.rows]
        return bool(free) and set(columns) <= set().union(*free)


def administers(lake: Lake, principal: str) -> bool:
    """Whether a principal (its IAM arn) is a data lake administrator."""
    return principal in [
        admin.get("DataLakePrincipalIdentifier") for admin in lake.settings.get("DataLakeAdmins") or []
    ]


def open_to_iam(lake: Lake, database: str, table: str = "") -> bool:
    """Whether IAM alone decides: IAMAllowedPrincipals has everything on the thing."""
    return any("ALL" in grant.permissions for grant in _on(lake, (EVERYBODY,), database, table))


def of_database(lake: Lake, principal: str, database: str) -> set[str]:
    """The permissions of a principal on a database."""
    permissions: set[str] = set()
    if lake.creators.get(database) == principal:
        permissions |= ALL_OF_DATABASE
    if administers(lake, principal):
        permissions.add("DESCRIBE")
    who = _names(lake, principal)
    for grant in _on(lake, who, database):
        permissions |= _spread(grant.permissions, ALL_OF_DATABASE)
    for grant in _by_tags(lake, who, "DATABASE"):
        if _matches(grant, lake.values(database)):
            permissions |= _spread(grant.permissions, ALL_OF_DATABASE)
    return permissions


def of_table(
    lake: Lake, principal: str, database: str, table: str, columns: Sequence[str]
) -> TablePermissions:
    """The permissions of a principal on a table of these columns, and the cells that it may read."""
    permissions = TablePermissions()
    every = frozenset(columns)
    if lake.creators.get(f"{database}/{table}") == principal:
        permissions.permissions |= ALL_OF_TABLE
        permissions.cells.append(Readable(every))
    if administers(lake, principal):
        permissions.permissions.add("DESCRIBE")
    who = _names(lake, principal)
    for grant in _on(lake, who, database, table):
        names = _spread(grant.permissions, ALL_OF_TABLE)
        permissions.permissions |= names
        if "SELECT" in names:
            permissions.cells.append(_cells(lake, grant.resource, every))
    for grant in _by_tags(lake, who, "TABLE"):
        _give_by_tags(permissions, grant, lake, (database, table), columns)
    return permissions


def readable(
    lake: Lake, principal: str, database: str, table: str, columns: Sequence[str]
) -> Readable | None:
    """The columns and rows of a table that a principal may read, or None.

    principal: the IAM arn of a role or user. Where IAM alone decides, that is all of it. Raises
    NotImplementedError where filters of several grants differ in rows and in columns.
    """
    every = frozenset(columns)
    if open_to_iam(lake, database, table):
        return Readable(every)
    permissions = of_table(lake, principal, database, table, columns)
    cells = [cell for cell in permissions.cells if cell.columns]
    if not cells:
        return None
    reached = frozenset[str]().union(*(cell.columns for cell in cells))
    rows = {cell.rows for cell in cells}
    free = frozenset[str]().union(*(cell.columns for cell in cells if not cell.rows))
    if free == reached:
        return Readable(reached)
    if len(rows) > 1 and any(cell.columns != reached for cell in cells):
        raise NotImplementedError("filters of several grants that differ in their rows and in their columns")
    return Readable(reached, " OR ".join(f"({row})" for row in sorted(rows)) if len(rows) > 1 else rows.pop())


def allowed(
    lake: Lake, principal: str, permission: str, database: str, table: str = "", columns: Sequence[str] = ()
) -> bool:
    """Whether a principal has a permission (`INSERT`, `CREATE_TABLE`...) on a table, or on a database."""
    if open_to_iam(lake, database, table):
        return True
    if not table:
        return permission in of_database(lake, principal, database)
    return permission in of_table(lake, principal, database, table, columns).permissions


def location_of(lake: Lake, arn: str) -> Location | None:
    """The registered location that an object or folder (its arn) is in; the nearest of several."""
    locations = [location for location in lake.locations.values() if _within(arn, location.arn)]
    return max(locations, key=lambda location: len(location.arn), default=None)


def may_use_location(lake: Lake, principal: str, arn: str) -> bool:
    """Whether a principal may make a table point to a place: one that is not registered, or where it has
    DATA_LOCATION_ACCESS."""
    if location_of(lake, arn) is None or administers(lake, principal):
        return True
    return any(
        "DataLocation" in grant.resource and _within(arn, grant.resource["DataLocation"]["ResourceArn"])
        for grant in lake.grants.values()
        if grant.principal in _names(lake, principal)
    )


def _within(arn: str, place: str) -> bool:
    place = place.rstrip("/*")
    return arn == place or arn.startswith(f"{place}/")


def _names(lake: Lake, principal: str) -> tuple[str, ...]:
    return principal, f"{lake.account}:IAMPrincipals"


def _spread(permissions: Iterable[str], every: frozenset[str]) -> set[str]:
    names = set(permissions)
    return names | every if "ALL" in names else names


def _on(lake: Lake, principals: tuple[str, ...], database: str, table: str = "") -> Iterator[Grant]:
    """The grants by name on a database, or on a table."""
    for grant in lake.grants.values():
        if grant.principal not in principals:
            continue
        kind, value = next(iter(grant.resource.items()))
        if not table:
            if kind == "Database" and path_of(value.get("CatalogId"), value["Name"]) == database:
                yield grant
        elif kind in ("Table", "TableWithColumns"):
            if path_of(value.get("CatalogId"), value["DatabaseName"]) != database:
                continue
            if value.get("Name") == table or "TableWildcard" in value:
                yield grant
        elif kind == "DataCellsFilter" and (value["DatabaseName"], value["TableName"]) == (database, table):
            yield grant


def _cells(lake: Lake, resource: Params, every: frozenset[str]) -> Readable:
    kind, value = next(iter(resource.items()))
    if kind == "TableWithColumns":
        return Readable(_columns(value, every))
    if kind == "DataCellsFilter":
        name = f"filter:{value['DatabaseName']}/{value['TableName']}/{value['Name']}"
        data = lake.filters[name].data
        return Readable(
            _columns(data, every), str((data.get("RowFilter") or {}).get("FilterExpression") or "")
        )
    return Readable(every)


def _columns(value: Params, every: frozenset[str]) -> frozenset[str]:
    if value.get("ColumnNames"):
        return every & frozenset(value["ColumnNames"])
    return every - frozenset((value.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ())


def _by_tags(lake: Lake, principals: tuple[str, ...], kind: str) -> Iterator[Grant]:
    for grant in lake.grants.values():
        policy = grant.resource.get("LFTagPolicy")
        if policy and grant.principal in principals and policy["ResourceType"] == kind:
            yield grant


def _matches(grant: Grant, tags: Mapping[str, str]) -> bool:
    expression: list[Params] = grant.resource["LFTagPolicy"].get("Expression") or []
    return all(
        tags.get(condition["TagKey"]) is not None
        and ("*" in condition["TagValues"] or tags[condition["TagKey"]] in condition["TagValues"])
        for condition in expression
    )


def _give_by_tags(
    permissions: TablePermissions, grant: Grant, lake: Lake, place: tuple[str, str], columns: Sequence[str]
) -> None:
    """A grant by tags changes a table only where it reaches all of its columns."""
    reached = frozenset(column for column in columns if _matches(grant, lake.values(*place, column)))
    names = _spread(grant.permissions, ALL_OF_TABLE)
    if reached and len(reached) == len(columns):
        permissions.permissions |= names
    elif reached or _matches(grant, lake.values(*place)):
        permissions.permissions |= names & {"DESCRIBE"}
    if "SELECT" in names and reached:
        permissions.permissions.add("SELECT")
        permissions.cells.append(Readable(reached))
