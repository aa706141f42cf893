"""Lake Formation's operations, over state.py; what they refuse is in validation.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call
from twin.aws.services.glue.validation.catalog import answer
from twin.aws.services.lakeformation.state import Assigned, Filter, Grant, Lake, Location, Tag, tagged
from twin.aws.services.lakeformation.validation import filter_key

Params = dict[str, Any]


def register(params: Params, lake: Lake) -> Params:
    """RegisterResource, UpdateResource."""
    before = lake.locations.get(params["ResourceArn"])
    linked = bool(params.get("UseServiceLinkedRole"))
    name = "AWSServiceRoleForLakeFormationDataAccess"
    service_linked_role = (
        f"arn:aws:iam::{lake.account}:role/aws-service-role/lakeformation.amazonaws.com/{name}"
    )
    lake.locations[params["ResourceArn"]] = Location(
        params["ResourceArn"],
        service_linked_role if linked else params["RoleArn"],
        linked,
        bool(params.get("HybridAccessEnabled", before and before.hybrid)),
        bool(params.get("WithFederation", before and before.federated)),
        bool(params.get("WithPrivilegedAccess", before and before.privileged)),
        time.time(),
    )
    return {}


def describe(params: Params, lake: Lake) -> Params:
    """DescribeResource."""
    return {"ResourceInfo": lake.locations[params["ResourceArn"]].to_dict()}


def create_tag(params: Params, lake: Lake) -> Params:
    """CreateLFTag."""
    lake.tags[params["TagKey"]] = Tag(params["TagKey"], list(params["TagValues"]))
    return {}


def tell_tag(params: Params, lake: Lake) -> Params:
    """GetLFTag."""
    return _pair(lake, params["TagKey"], lake.tags[params["TagKey"]].values)


def list_tags(_: Params, lake: Lake) -> Params:
    """ListLFTags."""
    return {"LFTags": [_pair(lake, key, tag.values) for key, tag in lake.tags.items()]}


def _pair(lake: Lake, key: str, values: list[str]) -> Params:
    return {"CatalogId": lake.account, "TagKey": key, "TagValues": values}


def update_tag(params: Params, lake: Lake) -> Params:
    """UpdateLFTag: a value that goes is taken from where it was."""
    tag = lake.tags[params["TagKey"]]
    gone = params.get("TagValuesToDelete") or []
    tag.values = [value for value in tag.values if value not in gone] + (params.get("TagValuesToAdd") or [])
    for assignment in lake.assigned.values():
        if assignment.tags.get(tag.key) in gone:
            del assignment.tags[tag.key]
    return {}


def delete_tag(params: Params, lake: Lake) -> Params:
    """DeleteLFTag: it is taken from all that has it, and with it the grants that name it."""
    key = params["TagKey"]
    del lake.tags[key]
    for name, assignment in list(lake.assigned.items()):
        assignment.tags.pop(key, None)
        if not assignment.tags:
            del lake.assigned[name]
    for name, grant in list(lake.grants.items()):
        expression = grant.resource.get("LFTagPolicy", {}).get("Expression") or []
        if grant.resource.get("LFTag", {}).get("TagKey") == key or key in [e["TagKey"] for e in expression]:
            del lake.grants[name]
    return {}


def assign(params: Params, lake: Lake) -> Params:
    """AddLFTagsToResource: tags that are none are reported as failures, and the others assigned."""
    failures: list[Params] = []
    for tag in params["LFTags"]:
        key, value = tag["TagKey"], tag["TagValues"][0]
        if key not in lake.tags or value not in lake.tags[key].values:
            failures.append(_failure(tag, "EntityNotFoundException", "Tag or tag value does not exist."))
            continue
        for name in tagged(params["Resource"]):
            lake.assigned.setdefault(name, Assigned()).tags[key] = value
    return {"Failures": failures}


def unassign(params: Params, lake: Lake) -> Params:
    """RemoveLFTagsFromResource."""
    failures: list[Params] = []
    for tag in params["LFTags"]:
        for name in tagged(params["Resource"]):
            assignment = lake.assigned.get(name)
            if assignment is None or assignment.tags.get(tag["TagKey"]) != tag["TagValues"][0]:
                failures.append(_failure(tag, "EntityNotFoundException", "Tag is not on the resource."))
                continue
            del assignment.tags[tag["TagKey"]]
            if not assignment.tags:
                del lake.assigned[name]
    return {"Failures": failures}


def _failure(tag: Params, code: str, words: str) -> Params:
    return {"LFTag": tag, "Error": {"ErrorCode": code, "ErrorMessage": words}}


def tell_tags(params: Params, lake: Lake) -> Params:
    """GetResourceLFTags: inherited ones too, unless only the assigned ones are asked for."""
    kind, value = next(iter(params["Resource"].items()))
    database = value["Name"] if kind == "Database" else value["DatabaseName"]
    table = "" if kind == "Database" else str(value.get("Name") or "")
    assigned_only = params.get("ShowAssignedLFTags")
    report: Params = {"LFTagOnDatabase": _tag_pairs(lake, _tags(lake, assigned_only, database))}
    if kind != "Database":
        report["LFTagsOnTable"] = _tag_pairs(lake, _tags(lake, assigned_only, database, table))
    if kind == "TableWithColumns":
        report["LFTagsOnColumns"] = [
            {"Name": column, "LFTags": _tag_pairs(lake, _tags(lake, assigned_only, database, table, column))}
            for column in value.get("ColumnNames") or []
        ]
    return report


def _tags(lake: Lake, assigned_only: Any, *place: str) -> dict[str, str]:
    if not assigned_only:
        return lake.values(*place)
    kind = ("database", "table", "column")[len(place) - 1]
    assignment = lake.assigned.get(f"{kind}:{'/'.join(place)}")
    return assignment.tags if assignment else {}


def _tag_pairs(lake: Lake, tags: dict[str, str]) -> list[Params]:
    return [_pair(lake, key, [value]) for key, value in sorted(tags.items())]


def grant(params: Params, lake: Lake) -> Params:
    """GrantPermissions: what is granted adds to what was."""
    principal = params["Principal"]["DataLakePrincipalIdentifier"]
    resource = lake.whole(params["Resource"])
    grant = lake.grants.setdefault(lake.key(principal, resource), Grant(principal, resource))
    grant.permissions = sorted({*grant.permissions, *params["Permissions"]})
    grant.grantable = sorted({*grant.grantable, *(params.get("PermissionsWithGrantOption") or [])})
    return {}


def revoke(params: Params, lake: Lake) -> Params:
    """RevokePermissions."""
    principal = params["Principal"]["DataLakePrincipalIdentifier"]
    key = lake.key(principal, lake.whole(params["Resource"]))
    grant = lake.grants[key]
    gone = set(params["Permissions"])
    grant.permissions = [name for name in grant.permissions if name not in gone]
    gone |= set(params.get("PermissionsWithGrantOption") or [])
    grant.grantable = [name for name in grant.grantable if name not in gone]
    if not grant.permissions:
        del lake.grants[key]
    return {}


def list_grants(params: Params, lake: Lake) -> Params:
    """ListPermissions: of a table, those of its columns too."""
    principal = (params.get("Principal") or {}).get("DataLakePrincipalIdentifier")
    wanted = lake.whole(params["Resource"]) if params.get("Resource") else None
    kind = params.get("ResourceType")
    return {
        "PrincipalResourcePermissions": [
            grant.reported()
            for grant in lake.grants.values()
            if principal in (None, grant.principal)
            and (wanted is None or _covers(wanted, grant.resource))
            and (kind is None or kind in _TYPES[next(iter(grant.resource))])
        ]
    }


_TYPES: Final = {
    "Catalog": ("CATALOG",),
    "Database": ("DATABASE",),
    "Table": ("TABLE",),
    "TableWithColumns": ("TABLE",),
    "DataLocation": ("DATA_LOCATION",),
    "DataCellsFilter": (),
    "LFTag": ("LF_TAG",),
    "LFTagPolicy": ("LF_TAG_POLICY", "LF_TAG_POLICY_DATABASE", "LF_TAG_POLICY_TABLE"),
}


def _covers(wanted: Params, resource: Params) -> bool:
    if wanted == resource:
        return True
    table, columns = wanted.get("Table"), resource.get("TableWithColumns")
    if not table or not columns:
        return False
    return all(table.get(name) == columns.get(name) for name in ("CatalogId", "DatabaseName", "Name"))


def put_filter(params: Params, lake: Lake) -> Params:
    """CreateDataCellsFilter, UpdateDataCellsFilter."""
    data = dict(params["TableData"])
    before = lake.filters.get(filter_key(data))
    number = int(before.data["VersionId"]) + 1 if before else 1
    lake.filters[filter_key(data)] = Filter({**data, "VersionId": str(number)})
    return {}


def tell_filter(params: Params, lake: Lake) -> Params:
    """GetDataCellsFilter."""
    return {"DataCellsFilter": lake.filters[filter_key(params)].data}


def list_filters(params: Params, lake: Lake) -> Params:
    """ListDataCellsFilter."""
    table = params.get("Table") or {}
    return {
        "DataCellsFilters": [
            filter_.data
            for filter_ in lake.filters.values()
            if table.get("Name") in (None, filter_.data["TableName"])
            and table.get("DatabaseName") in (None, filter_.data["DatabaseName"])
        ]
    }


def drop_filter(params: Params, lake: Lake) -> Params:
    """DeleteDataCellsFilter: the grants on it go along."""
    del lake.filters[filter_key(params)]
    for key, grant in list(lake.grants.items()):
        named = grant.resource.get("DataCellsFilter")
        if named and filter_key(named) == filter_key(params):
            del lake.grants[key]
    return {}


def _operation(run: Callable[[Params, Lake], Params]) -> Callable[[Call, Any], Answer]:
    return lambda call, backend: answer(run(call.params, Lake(backend)))


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    name: _operation(run)
    for name, run in {
        "RegisterResource": register,
        "UpdateResource": register,
        "DescribeResource": describe,
        "CreateLFTag": create_tag,
        "GetLFTag": tell_tag,
        "ListLFTags": list_tags,
        "UpdateLFTag": update_tag,
        "DeleteLFTag": delete_tag,
        "AddLFTagsToResource": assign,
        "RemoveLFTagsFromResource": unassign,
        "GetResourceLFTags": tell_tags,
        "GrantPermissions": grant,
        "RevokePermissions": revoke,
        "ListPermissions": list_grants,
        "CreateDataCellsFilter": put_filter,
        "UpdateDataCellsFilter": put_filter,
        "GetDataCellsFilter": tell_filter,
        "ListDataCellsFilter": list_filters,
        "DeleteDataCellsFilter": drop_filter,
    }.items()
}
