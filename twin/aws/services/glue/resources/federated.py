"""Glue: federated catalogs."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, Fields, kept, pascal, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import Failure, Props

_ARN: Final = "arn:{partition}:glue:{region}:{account}:catalog/{name}"
_PERMISSIONS: Final[Fields] = {
    **pascal("permissions"),
    "principal": Field("Principal", of=pascal("dataLakePrincipalIdentifier")),
}
_INPUT: Final[Fields] = {
    **pascal("description", "parameters", "allowFullTableExternalDataAccess"),
    "federatedCatalog": Field(
        "FederatedCatalog", of=pascal("connectionName", "connectionType", "identifier")
    ),
    "createDatabaseDefaultPermissions": Field("CreateDatabaseDefaultPermissions", of=_PERMISSIONS),
    "createTableDefaultPermissions": Field("CreateTableDefaultPermissions", of=_PERMISSIONS),
    "overwriteChildResourcePermissionsWithDefault": Field(
        "OverwriteChildResourcePermissionsWithDefault", read=""
    ),
}
_ELSEWHERE: Final = ("catalogProperties", "targetRedshiftCatalog")


class Catalog(AwsResource):
    token = "aws:glue/catalog:Catalog"
    service = "glue"
    title = "Glue Catalog"
    fields = {
        **pascal("name"),
        **{
            name: Field(
                f"CatalogInput.{field.api}", read=field.api if field.read is None else field.read, of=field.of
            )
            for name, field in _INPUT.items()
        },
        **kept(*_ELSEWHERE, "timeouts"),
    }
    create_call = Call("CreateCatalog")
    id_form = "{name}"
    arn_form = _ARN
    read_call = Call("GetCatalog", {"CatalogId": "{account}:{id}"})
    item = "Catalog"
    not_found = frozenset({"EntityNotFoundException"})
    delete_call = Call("DeleteCatalog", {"CatalogId": "{account}:{id}"})
    tagging = Tagging(
        key="",
        value="",
        listing=Call("GetTags", {"ResourceArn": _ARN}),
        listed="Tags",
        add=Call("TagResource", {"ResourceArn": _ARN, "TagsToAdd": "{tags}"}),
        remove=Call("UntagResource", {"ResourceArn": _ARN, "TagsToRemove": "{keys}"}),
    )
    computed = frozenset(
        {"allowFullTableExternalDataAccess", "createDatabaseDefaultPermissions", "region"}
        | {"createTableDefaultPermissions"}
    )
    immutable = frozenset({"federatedCatalog", "targetRedshiftCatalog"})
    volatile = frozenset({"updateTime"})
    paths = {
        "AlreadyExistsException": "name",
        "InvalidInputException: identifier": "federatedCatalog.identifier",
        "InvalidInputException: is called": "name",
        "InvalidInputException": "federatedCatalog",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for name in _ELSEWHERE:
            if inputs.get(name) is not None:
                yield Failure(name, f"{name} is not in the twin: the catalog of S3 Tables is")
        if not inputs.get("name"):
            yield Failure("name", '"name": required field is not set')

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        form = "%Y-%m-%dT%H:%M:%SZ"
        found = {
            name: item[api].strftime(form)
            for name, api in (("createTime", "CreateTime"), ("updateTime", "UpdateTime"))
            if item.get(api)
        }
        return {**found, "name": item["Name"], "catalogId": item["CatalogId"]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            given = to_api(_INPUT, {**self._inherited(old, new), **new})
            named = {"CatalogId": f"{context.account}:{id}", "CatalogInput": given}
            context.call("glue", "UpdateCatalog", named)
