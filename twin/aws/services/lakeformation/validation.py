"""Lake Formation: what it refuses. The operations are in twin/aws/services/lakeformation/operations.py."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services import facts
from twin.aws.services.glue.operations.federated import is_bucket, path_of
from twin.aws.services.glue.validation import catalog
from twin.aws.services.lakeformation import locations
from twin.aws.services.lakeformation.state import EVERYBODY, Lake
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_INVALID: Final = "InvalidInputException"
_MISSING: Final = "EntityNotFoundException"
_GRANTS: Final[dict[str, list[str]]] = facts(__name__)["grants"]
"""What can be granted on each kind of resource."""
_LONGEST: Final = 50
"""Characters of an LF-tag's key or value (Lake Formation guide, "LF-TBAC notes and restrictions")."""


def lake(state: MotoState) -> Lake:
    """The region's Lake Formation."""
    return Lake(state.moto.backend("lakeformation", state.region))


def _administrator(state: MotoState) -> None:
    # In an instance whose rules are asked by no one in particular there is no one to refuse.
    caller = state.caller
    if not caller or caller in _named(lake(state).settings.get("DataLakeAdmins")):
        return
    raise Refusal(
        "AccessDeniedException",
        f"Insufficient Lake Formation permission(s): {caller} is no data lake administrator of the account",
    )


def _named(principals: Any) -> list[str]:
    return [str(principal.get("DataLakePrincipalIdentifier")) for principal in principals or []]


def _principal(name: str, state: MotoState) -> None:
    match = re.fullmatch(rf"arn:aws:iam::{state.account}:(role|user|group)/(?:.*/)?([^/]+)", name)
    if match:
        principals: Any = {"role": state.roles(), "user": state.iam.users.values()}.get(match[1], [])
        known = name in {principal.arn for principal in principals} or (
            match[1] == "group" and match[2] in state.iam.groups
        )
    else:
        known = name == EVERYBODY or bool(_FOREIGN.fullmatch(name))
    if not known:
        raise Refusal(_INVALID, f"Invalid principal, {name}")


_FOREIGN: Final = re.compile(
    r"\d{12}|\d{12}:IAMPrincipals|arn:aws:organizations::\d{12}:.+|arn:aws:iam::\d{12}:.+"
    r"|arn:aws:quicksight:.+|arn:aws:identitystore:::(user|group)/.+"
)


def settings(params: Params, state: MotoState) -> None:
    """PutDataLakeSettings: administrators that exist."""
    settings = params["DataLakeSettings"]
    for name in [*_named(settings.get("DataLakeAdmins")), *_named(settings.get("ReadOnlyAdmins"))]:
        if name == EVERYBODY:
            raise Refusal(_INVALID, f"Invalid principal, {name}")
        _principal(name, state)
    for member in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions"):
        for principal in settings.get(member) or []:
            _principal(str(principal["Principal"]["DataLakePrincipalIdentifier"]), state)


def create_tag(params: Params, state: MotoState) -> None:
    """CreateLFTag."""
    _administrator(state)
    key = params["TagKey"]
    if key in lake(state).tags:
        raise Refusal(_INVALID, f"Tag key already exists: {key}")
    _short(key, "key")
    _values(params["TagValues"])


def _values(values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise Refusal(_INVALID, f"Duplicate tag value: {twice[0]}")
    for value in values:
        _short(value, "value")


def _short(text: str, what: str) -> None:
    if len(text) > _LONGEST:
        raise Refusal(_INVALID, f"Tag {what} has at most {_LONGEST} characters, got {len(text)}: {text}")


def present_tag(params: Params, state: MotoState) -> None:
    """GetLFTag, DeleteLFTag."""
    if params["TagKey"] not in lake(state).tags:
        raise Refusal(_MISSING, "Tag key does not exist")


def update_tag(params: Params, state: MotoState) -> None:
    """UpdateLFTag: no value that is assigned is removed."""
    _administrator(state)
    present_tag(params, state)
    key, here = params["TagKey"], lake(state)
    gone = params.get("TagValuesToDelete") or []
    for value in gone:
        if value not in here.tags[key].values:
            raise Refusal(_INVALID, f"Tag value does not exist: {value}")
    left = [value for value in here.tags[key].values if value not in gone]
    _values([*left, *(params.get("TagValuesToAdd") or [])])


def delete_tag(params: Params, state: MotoState) -> None:
    """DeleteLFTag."""
    _administrator(state)
    present_tag(params, state)


def assign(params: Params, state: MotoState) -> None:
    """AddLFTagsToResource, RemoveLFTagsFromResource."""
    _administrator(state)
    if is_bucket(next(iter(params["Resource"].values())).get("CatalogId")):
        raise NotImplementedError("LF-tags on what is in a table bucket")
    _resource(params["Resource"], state)
    for tag in params["LFTags"]:
        if len(tag["TagValues"]) != 1:
            raise Refusal(_INVALID, f"A resource has one value of a tag: {tag['TagKey']}")


def resource_tags(params: Params, state: MotoState) -> None:
    """GetResourceLFTags."""
    _resource(params["Resource"], state)


def grant(params: Params, state: MotoState) -> None:
    """GrantPermissions: to a principal that exists, of what goes with the resource."""
    _administrator(state)
    principal = str(params["Principal"]["DataLakePrincipalIdentifier"])
    _principal(principal, state)
    if not re.fullmatch(r"\d{12}", str(params.get("CatalogId") or state.account)):
        # hashicorp/terraform-provider-aws, issue 48358: that of a table bucket goes into the resource.
        raise Refusal(_INVALID, "Catalog id must be a valid AWS account id.")
    resource = params["Resource"]
    kind = _resource(resource, state)
    permissions = params.get("Permissions") or []
    grantable = params.get("PermissionsWithGrantOption") or []
    if not permissions:
        raise Refusal(_INVALID, "Permissions must not be empty")
    by_tags = "Database" if resource.get("LFTagPolicy", {}).get("ResourceType") == "DATABASE" else "Table"
    allowed = _GRANTS.get(kind, _GRANTS[by_tags])
    for name in [*permissions, *grantable]:
        if name not in allowed:
            raise Refusal(
                _INVALID,
                f"Permissions modification is invalid: {name} cannot be granted on {kind}; "
                f"one of {', '.join(sorted(allowed))} can",
            )
    extra = [name for name in grantable if name not in permissions]
    if extra and "ALL" not in permissions:
        raise Refusal(_INVALID, f"Grantable permissions must be a subset of the permissions: {extra[0]}")
    if principal == EVERYBODY and (grantable or permissions != ["ALL"] or kind == "LFTagPolicy"):
        raise Refusal(_INVALID, f"{EVERYBODY} can be granted ALL alone, without grant option, on a resource")


def revoke(params: Params, state: MotoState) -> None:
    """RevokePermissions: of what was granted."""
    _administrator(state)
    here = lake(state)
    principal = str(params["Principal"]["DataLakePrincipalIdentifier"])
    grant = here.grants.get(here.key(principal, here.whole(params["Resource"])))
    lacking = [
        name for name in params.get("Permissions") or [] if grant is None or name not in grant.permissions
    ]
    if lacking:
        raise Refusal(
            _INVALID,
            f"No permissions revoked. Grantee {principal} has no permissions {lacking} on the resource",
        )


def batch(params: Params, state: MotoState) -> None:
    """BatchGrantPermissions, BatchRevokePermissions are not in the twin."""
    raise NotImplementedError("batches of permissions: GrantPermissions and RevokePermissions are")


def _resource(resource: Params, state: MotoState) -> str:
    """The kind of a resource that is there, or Lake Formation's refusal."""
    if len(resource) != 1:
        raise Refusal(_INVALID, f"Resource must have exactly one field populated, got {len(resource)}")
    kind, value = next(iter(resource.items()))
    check = _KINDS.get(kind)
    if check is None and kind != "Catalog":
        raise NotImplementedError(f"a resource of the kind {kind}")
    if check:
        check(value, state)
    return kind


def _database(value: Params, state: MotoState) -> None:
    catalog.database(state, path_of(value.get("CatalogId"), value["Name"]))


def _table(value: Params, state: MotoState) -> None:
    if bool(value.get("Name")) == (value.get("TableWildcard") is not None):
        raise Refusal(_INVALID, "Table name and table wildcard: exactly one of them is needed")
    if value.get("Name"):
        catalog.table(state, path_of(value.get("CatalogId"), value["DatabaseName"]), value["Name"])
    else:
        catalog.database(state, path_of(value.get("CatalogId"), value["DatabaseName"]))


def _columns(value: Params, state: MotoState) -> None:
    present = columns(state, path_of(value.get("CatalogId"), value["DatabaseName"]), value["Name"])
    named, wildcard = value.get("ColumnNames"), value.get("ColumnWildcard")
    if (named is None) == (wildcard is None):
        raise Refusal(_INVALID, "Column names and column wildcard: exactly one of them is needed")
    column_names = named if wildcard is None else wildcard.get("ExcludedColumnNames")
    for column in column_names or []:
        if column not in present:
            raise Refusal(
                _INVALID,
                f"Permissions modification is invalid: cannot grant/revoke permission on non-existent column "
                f"{column} of {value['DatabaseName']}.{value['Name']}",
            )


def columns(state: MotoState, database: str, table: str) -> list[str]:
    """A table's columns by name."""
    existing = catalog.table(state, database, table)
    input = existing.versions[str(existing._current_version)]
    columns = (input.get("StorageDescriptor") or {}).get("Columns") or []
    return [str(column["Name"]) for column in [*columns, *(input.get("PartitionKeys") or [])]]


def _data_location(value: Params, state: MotoState) -> None:
    arn = str(value["ResourceArn"])
    places = lake(state).locations
    if not any(arn == place or arn.startswith(place.rstrip("/") + "/") for place in places):
        raise Refusal(_INVALID, f"You must register the S3 path before granting access to it: {arn}")


def _data_filter(value: Params, state: MotoState) -> None:
    catalog.table(state, value["DatabaseName"], value["TableName"])
    if filter_key(value) not in lake(state).filters:
        raise Refusal(_MISSING, f"Data cells filter not found: {value.get('Name')}")


def _tag(value: Params, state: MotoState) -> None:
    tag = lake(state).tags.get(value["TagKey"])
    lacking = [
        tag_value for tag_value in value["TagValues"] if tag is None or tag_value not in (*tag.values, "*")
    ]
    if lacking:
        raise Refusal(
            _MISSING, f"Tag or tag value does not exist. ({value['TagKey']}={', '.join(sorted(lacking))})"
        )


def _policy(value: Params, state: MotoState) -> None:
    if not value.get("Expression"):
        raise Refusal(_INVALID, "An LF-tag policy needs an expression")
    for condition in value["Expression"]:
        _tag(condition, state)


_KINDS: Final = {
    "Database": _database,
    "Table": _table,
    "TableWithColumns": _columns,
    "DataLocation": _data_location,
    "DataCellsFilter": _data_filter,
    "LFTag": _tag,
    "LFTagPolicy": _policy,
}


def filter_key(data: Params) -> str:
    """What a data cells filter is held by."""
    return f"filter:{data['DatabaseName']}/{data['TableName']}/{data['Name']}"


def create_filter(params: Params, state: MotoState) -> None:
    """CreateDataCellsFilter."""
    data = params["TableData"]
    _filter(data, state)
    if filter_key(data) in lake(state).filters:
        raise Refusal("AlreadyExistsException", f"Data cells filter already exists: {data['Name']}")


def update_filter(params: Params, state: MotoState) -> None:
    """UpdateDataCellsFilter."""
    _filter(params["TableData"], state)
    present_filter(params["TableData"], state)


def present_filter(params: Params, state: MotoState) -> None:
    """GetDataCellsFilter, DeleteDataCellsFilter."""
    if filter_key(params) not in lake(state).filters:
        raise Refusal(_MISSING, f"Data cells filter not found: {params['Name']}")


def _filter(data: Params, state: MotoState) -> None:
    _administrator(state)
    present = columns(state, data["DatabaseName"], data["TableName"])
    named, wildcard = data.get("ColumnNames"), data.get("ColumnWildcard")
    if (not named) == (wildcard is None):
        raise Refusal(_INVALID, "ColumnNames and ColumnWildcard: exactly one of them is needed")
    for column in [*(named or []), *((wildcard or {}).get("ExcludedColumnNames") or [])]:
        if column not in present:
            raise Refusal(_INVALID, f"Column {column} does not exist in {data['TableName']}")
    rows = data.get("RowFilter") or {}
    if bool(rows.get("FilterExpression")) == (rows.get("AllRowsWildcard") is not None):
        raise Refusal(_INVALID, "FilterExpression and AllRowsWildcard: exactly one of them is needed")
    if str(rows.get("FilterExpression") or "").count("'") % 2:
        raise Refusal(_INVALID, f"Invalid row filter expression: {rows['FilterExpression']}")


RULES: Final = {
    "PutDataLakeSettings": settings,
    **locations.RULES,
    "CreateLFTag": create_tag,
    "GetLFTag": present_tag,
    "UpdateLFTag": update_tag,
    "DeleteLFTag": delete_tag,
    "AddLFTagsToResource": assign,
    "RemoveLFTagsFromResource": assign,
    "GetResourceLFTags": resource_tags,
    "GrantPermissions": grant,
    "RevokePermissions": revoke,
    "BatchGrantPermissions": batch,
    "BatchRevokePermissions": batch,
    "CreateDataCellsFilter": create_filter,
    "UpdateDataCellsFilter": update_filter,
    "GetDataCellsFilter": present_filter,
    "DeleteDataCellsFilter": present_filter,
}
