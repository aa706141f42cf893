"""Lake Formation: who administers it, places in S3, LF-tags. What it grants is in grants.py."""

from __future__ import annotations

import json
import zlib
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


def digest(*parts: Any) -> str:
    """An id for what has none, as the provider makes one."""
    return str(zlib.crc32(json.dumps(parts, sort_keys=True, default=str).encode()))


class DataLakeSettings(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params.setdefault("DataLakeSettings", {})
        return params

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return digest(inputs.get("catalogId") or context.account)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # Settings cannot be deleted; the provider empties them.
        empty = {"DataLakeAdmins": [], "ReadOnlyAdmins": [], "TrustedResourceOwners": []}
        empty |= {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
        context.call("lakeformation", "PutDataLakeSettings", {"DataLakeSettings": empty})


class Resource(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        if inputs.get("roleArn") is None:
            params["UseServiceLinkedRole"] = True
        return params


class LfTag(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        before, wanted = list(old.get("values") or []), list(new.get("values") or [])
        params: Props = {"CatalogId": old["catalogId"], "TagKey": old["key"]}
        more = [value for value in wanted if value not in before]
        less = [value for value in before if value not in wanted]
        if more:
            params["TagValuesToAdd"] = more
        if less:
            params["TagValuesToDelete"] = less
        if more or less:
            context.call("lakeformation", "UpdateLFTag", params)
