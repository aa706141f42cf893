"""What Lake Formation holds of a region: LF-tags and where they are, grants, filters, registered locations.

moto's grants are sets that no replay could repeat, and it has no filters; so all of it is kept here, on
moto's own backend, where the inventory finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twin.aws.services.glue.operations.federated import path_of

Params = dict[str, Any]

EVERYBODY: Final = "IAM_ALLOWED_PRINCIPALS"
"""Every principal that IAM allows: a grant to it leaves Lake Formation out."""


@dataclass
class Tag:
    """An LF-tag and the values that it may have."""

    key: str
    values: list[str]


@dataclass
class Assigned:
    """The LF-tags of a database, table or column."""

    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Grant:
    """What a principal may do with a resource."""

    principal: str
    resource: Params
    permissions: list[str] = field(default_factory=list[str])
    grantable: list[str] = field(default_factory=list[str])

    def reported(self) -> Params:
        """As ListPermissions reports it."""
        return {
            "Principal": {"DataLakePrincipalIdentifier": self.principal},
            "Resource": self.resource,
            "Permissions": self.permissions,
            "PermissionsWithGrantOption": self.grantable,
        }


@dataclass
class Filter:
    """A data cells filter: rows and columns of a table."""

    data: Params


@dataclass
class Location:
    """A place in S3 that Lake Formation gives access to."""

    arn: str
    role_arn: str
    linked: bool
    hybrid: bool
    federated: bool
    privileged: bool
    modified: float

    def to_dict(self) -> Params:
        """As DescribeResource reports it."""
        return {
            "ResourceArn": self.arn,
            "RoleArn": self.role_arn,
            "LastModified": self.modified,
            "HybridAccessEnabled": self.hybrid,
            "WithFederation": self.federated,
            "WithPrivilegedAccess": self.privileged,
        }


class Lake:
    """One region's Lake Formation, over moto's backend."""

    def __init__(self, backend: Any) -> None:
        attributes = vars(backend)
        self.account: str = backend.account_id
        self.region: str = backend.region_name
        self.settings: Params = backend.settings[backend.account_id]
        self.locations: dict[str, Location] = backend.resources
        self.tags: dict[str, Tag] = attributes.setdefault("lf_tags", {})
        self.assigned: dict[str, Assigned] = attributes.setdefault("lf_assigned", {})
        self.grants: dict[str, Grant] = attributes.setdefault("lf_grants", {})
        self.filters: dict[str, Filter] = attributes.setdefault("lf_filters", {})
        self.creators: dict[str, str] = attributes.setdefault("lf_creators", {})
        """Who made a database or table (`database/table`): the IAM arn."""

    def whole(self, resource: Mapping[str, Any]) -> Params:
        """A resource in its one form: its catalog named, lists in order."""
        kind, value = next(iter(resource.items()))
        completed: Params = {name: _ordered(member) for name, member in value.items() if member is not None}
        if kind == "DataCellsFilter":
            completed.setdefault("TableCatalogId", self.account)
        elif kind != "Catalog":
            completed.setdefault("CatalogId", self.account)
        if kind == "LFTagPolicy":
            expression: list[Params] = completed.get("Expression") or []
            completed["Expression"] = sorted(expression, key=lambda element: element["TagKey"])
        return {kind: completed}

    def key(self, principal: str, resource: Params) -> str:
        """What a grant is held by."""
        return f"{principal} {json.dumps(resource, sort_keys=True)}"

    def give(self, resource: Params, defaults: Any) -> None:
        """Grant what the settings give on everything new: to all whom IAM lets, unless they were cleared."""
        for default in defaults or []:
            principal = str(default["Principal"]["DataLakePrincipalIdentifier"])
            grant = Grant(principal, self.whole(resource), sorted(default["Permissions"]))
            self.grants[self.key(principal, grant.resource)] = grant

    def forget(self, database: str, table: str = "") -> None:
        """A database or table is gone, and with it what was said of it."""
        under = f"{database}/{table}" if table else database
        for name in [name for name in self.creators if _under(name, under)]:
            del self.creators[name]
        for collection in (self.assigned, self.filters):
            for key in [key for key in collection if _under(key.partition(":")[2], under)]:
                del collection[key]
        for key, grant in list(self.grants.items()):
            if _under(_of(grant.resource), under):
                del self.grants[key]

    def values(self, database: str, table: str = "", column: str = "") -> dict[str, str]:
        """The LF-tags of a thing, inherited ones too: a column has its table's, a table its database's."""
        tags: dict[str, str] = {}
        for key in (
            f"database:{database}",
            f"table:{database}/{table}",
            f"column:{database}/{table}/{column}",
        ):
            if key in self.assigned:
                tags |= self.assigned[key].tags
        return tags


def of_region(account: str, region: str) -> Lake:
    """The Lake Formation of a region."""
    from moto.lakeformation.models import lakeformation_backends

    return Lake(lakeformation_backends[account][region])


def tagged(resource: Mapping[str, Any]) -> list[str]:
    """What a resource of an assignment is held by: a database, a table, or each of its columns."""
    kind, value = next(iter(resource.items()))
    if kind == "Database":
        return [f"database:{value['Name']}"]
    table = f"{value['DatabaseName']}/{value.get('Name')}"
    if kind == "Table":
        return [f"table:{table}"]
    return [f"column:{table}/{column}" for column in value.get("ColumnNames") or []]


def _ordered(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(element, str) for element in value):
        return sorted(value)
    if isinstance(value, list):
        return [_ordered(element) for element in value]
    if isinstance(value, Mapping):
        return {name: _ordered(member) for name, member in value.items()}
    return value


def _of(resource: Mapping[str, Any]) -> str:
    kind, value = next(iter(resource.items()))
    if kind == "Database":
        return path_of(value.get("CatalogId"), str(value["Name"]))
    if kind in ("Table", "TableWithColumns"):
        return f"{path_of(value.get('CatalogId'), value['DatabaseName'])}/{value.get('Name') or '*'}"
    if kind == "DataCellsFilter":
        return f"{value['DatabaseName']}/{value['TableName']}/{value['Name']}"
    return ":"


def _under(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")
