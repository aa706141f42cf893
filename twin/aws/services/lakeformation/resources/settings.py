"""Lake Formation: who administers it, places in S3, LF-tags. What it grants is in lakeformation_grants.py."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, Fields, kept, to_api
from twin.provider_interface import Failure, Props

GONE: Final = frozenset({"EntityNotFoundException"})
"""The code for what is not there."""
_PERMISSION: Final[Fields] = {
    "permissions": Field("Permissions"),
    "principal": Field("Principal.DataLakePrincipalIdentifier"),
}


def _principals(value: Any) -> Any:
    return [{"DataLakePrincipalIdentifier": each} for each in value] if isinstance(value, list) else value


def _of_principals(value: Any) -> Any:
    return [each["DataLakePrincipalIdentifier"] for each in value]


def digest(*parts: Any) -> str:
    """An id for what has none, as the provider makes one."""
    return str(zlib.crc32(json.dumps(parts, sort_keys=True, default=str).encode()))


class DataLakeSettings(AwsResource):
    token = "aws:lakeformation/dataLakeSettings:DataLakeSettings"
    service = "lakeformation"
    title = "Lake Formation Data Lake Settings"
    fields = {
        **kept("catalogId"),
        **{
            name: Field(f"DataLakeSettings.{member}", read=member, encode=_principals, decode=_of_principals)
            for name, member in (
                ("admins", "DataLakeAdmins"),
                ("readOnlyAdmins", "ReadOnlyAdmins"),
                ("externalDataFilteringAllowLists", "ExternalDataFilteringAllowList"),
            )
        },
        **{
            name: Field(f"DataLakeSettings.{member}", read=member)
            for name, member in (
                ("allowExternalDataFiltering", "AllowExternalDataFiltering"),
                ("allowFullTableExternalDataAccess", "AllowFullTableExternalDataAccess"),
                ("authorizedSessionTagValueLists", "AuthorizedSessionTagValueList"),
                ("parameters", "Parameters"),
                ("trustedResourceOwners", "TrustedResourceOwners"),
            )
        },
        **{
            name: Field(
                f"DataLakeSettings.{name[0].upper()}{name[1:]}",
                read=f"{name[0].upper()}{name[1:]}",
                of=_PERMISSION,
            )
            for name in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions")
        },
    }
    create_call = Call("PutDataLakeSettings", {"CatalogId": "{catalogId}", "DataLakeSettings": {}})
    read_call = Call("GetDataLakeSettings", {"CatalogId": "{catalogId}"})
    item = "DataLakeSettings"
    computed = frozenset(
        {"admins", "readOnlyAdmins", "createDatabaseDefaultPermissions", "createTableDefaultPermissions"}
        | {"parameters", "trustedResourceOwners", "region"}
    )
    paths = {"InvalidInputException: Invalid principal": "admins"}

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params.setdefault("DataLakeSettings", {})
        return params

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return digest(inputs.get("catalogId") or context.account)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, {**self._inherited(old, new), **new})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # Settings cannot be deleted; the provider empties them.
        empty = {"DataLakeAdmins": [], "ReadOnlyAdmins": [], "TrustedResourceOwners": []}
        empty |= {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
        context.call("lakeformation", "PutDataLakeSettings", {"DataLakeSettings": empty})


class Resource(AwsResource):
    token = "aws:lakeformation/resource:Resource"
    service = "lakeformation"
    title = "Lake Formation Resource"
    fields = {
        "arn": Field("ResourceArn"),
        "roleArn": Field("RoleArn"),
        "useServiceLinkedRole": Field("UseServiceLinkedRole", read=""),
        "hybridAccessEnabled": Field("HybridAccessEnabled"),
        "withFederation": Field("WithFederation"),
        "withPrivilegedAccess": Field("WithPrivilegedAccess"),
    }
    create_call = Call("RegisterResource")
    id_form = "{arn}"
    read_call = Call("DescribeResource", {"ResourceArn": "{id}"})
    item = "ResourceInfo"
    not_found = GONE
    delete_call = Call("DeregisterResource", {"ResourceArn": "{id}"})
    computed = frozenset({"roleArn", "hybridAccessEnabled", "withFederation", "region"} | {"lastModified"})
    paths = {
        "AlreadyExistsException": "arn",
        "EntityNotFoundException": "arn",
        "InvalidInputException: The role": "roleArn",
        "InvalidInputException: Either": "roleArn",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("roleArn") and inputs.get("useServiceLinkedRole"):
            yield Failure("roleArn", '"role_arn": conflicts with use_service_linked_role')

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("arn") or "")

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        if inputs.get("roleArn") is None:
            params["UseServiceLinkedRole"] = True
        return params

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            wanted = {**self._inherited(old, new), **new}
            names = ("arn", "roleArn", "hybridAccessEnabled", "withFederation")
            given = to_api({name: self.fields[name] for name in names}, wanted)
            context.call("lakeformation", "UpdateResource", given)


class LfTag(AwsResource):
    token = "aws:lakeformation/lfTag:LfTag"
    service = "lakeformation"
    title = "Lake Formation LF-Tag"
    fields = {
        "catalogId": Field("CatalogId"),
        "key": Field("TagKey"),
        "values": Field("TagValues"),
    }
    create_call = Call("CreateLFTag", {"CatalogId": "{account}"})
    id_form = "{catalogId}:{key}"
    read_call = Call("GetLFTag", {"CatalogId": "{catalogId}", "TagKey": "{key}"})
    not_found = GONE
    delete_call = Call("DeleteLFTag", {"CatalogId": "{catalogId}", "TagKey": "{key}"})
    paths = {
        "InvalidInputException: Tag key": "key",
        "InvalidInputException: Duplicate": "values",
        "InvalidInputException: Tag value": "values",
    }

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs.get('catalogId') or context.account}:{inputs['key']}"

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("key") or "")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        before, wanted = list(old.get("values") or []), list(new.get("values") or [])
        given: Props = {"CatalogId": old["catalogId"], "TagKey": old["key"]}
        more = [value for value in wanted if value not in before]
        less = [value for value in before if value not in wanted]
        if more:
            given["TagValuesToAdd"] = more
        if less:
            given["TagValuesToDelete"] = less
        if more or less:
            context.call("lakeformation", "UpdateLFTag", given)
