"""Glue: federated catalogs."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import Field, Fields, pascal, to_api
from twin.provider_interface import Props

_PERMISSIONS: Final = entries.shape(__name__, "permissions")
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


class Catalog(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        form = "%Y-%m-%dT%H:%M:%SZ"
        times = {
            name: item[api].strftime(form)
            for name, api in (("createTime", "CreateTime"), ("updateTime", "UpdateTime"))
            if item.get(api)
        }
        return {**times, "name": item["Name"], "catalogId": item["CatalogId"]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            catalog_input = to_api(_INPUT, {**self._inherited(old, new), **new})
            named = {"CatalogId": f"{context.account}:{id}", "CatalogInput": catalog_input}
            context.call("glue", "UpdateCatalog", named)
