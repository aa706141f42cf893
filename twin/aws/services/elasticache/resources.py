"""ElastiCache: users, their groups, serverless caches."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Change
from twin.aws.resources.fields import pascal, to_api
from twin.provider_interface import Props


class User(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        # ElastiCache reports an access string in another order and form.
        if path == "accessString" and isinstance(old, str) and isinstance(new, str):
            return sorted(old.split()) == sorted(new.split())
        return (path == "engine" and str(old).lower() == str(new).lower()) or super().same(path, old, new)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        reported = item.get("Authentication") or {}
        kind = "no-password-required" if reported.get("Type") == "no-password" else reported.get("Type")
        mode: Props = {"type": kind, "passwordCount": reported.get("PasswordCount") or 0}
        passwords = (known.get("authenticationMode") or {}).get("passwords")
        return {"authenticationMode": {**mode, **({"passwords": passwords} if passwords else {})}}

    def changed_params(self, change: Change, old: Props, new: Props) -> Props:
        params = super().changed_params(change, old, new)
        if "passwordsWoVersion" in self.changed(old, new) and new.get("passwordsWo"):
            params["Passwords"] = new["passwordsWo"]
        return params


class UserGroup(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new):
            return
        before, wanted = set(old.get("userIds") or []), set(new.get("userIds") or [])
        params: Props = {"UserGroupId": id, "Engine": new["engine"]}
        if wanted - before:
            params["UserIdsToAdd"] = sorted(wanted - before)
        if before - wanted:
            params["UserIdsToRemove"] = sorted(before - wanted)
        context.call("elasticache", "ModifyUserGroup", params)


def first(value: Any) -> Any:
    """The provider takes a list where ElastiCache has one object."""
    first = value[0] if isinstance(value, list) and value else value
    return to_api(_COMPUTED, first) if isinstance(first, dict) else first


def as_block(value: Any) -> Any:
    names = {"Maximum": "maximum", "Minimum": "minimum"}
    return [{names[name]: value[name] for name in names if value.get(name) is not None}]


_COMPUTED: Final = pascal("maximum", "minimum")


class ServerlessCache(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        ends = {"endpoints": "Endpoint", "readerEndpoints": "ReaderEndpoint"}
        endpoints: Props = {
            name: [{"address": item[api]["Address"], "port": item[api]["Port"]}]
            for name, api in ends.items()
            if item.get(api)
        }
        if item.get("CreateTime"):
            endpoints["createTime"] = item["CreateTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return endpoints

    def changed_params(self, change: Change, old: Props, new: Props) -> Props:
        params = super().changed_params(change, old, new)
        if "MajorEngineVersion" in params or "Engine" in params:
            params |= to_api({name: self.fields[name] for name in ("engine", "majorEngineVersion")}, new)
        return params
