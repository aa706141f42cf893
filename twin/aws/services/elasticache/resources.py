"""ElastiCache: users, their groups, serverless caches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Wait
from twin.aws.resources.fields import pascal, to_api
from twin.provider_interface import Failure, Props

_ACTIVE: Final = Wait("Status", frozenset({"active"}), frozenset({"failed"}), seconds=600)
_AVAILABLE: Final = Wait("Status", frozenset({"available"}), frozenset({"create-failed"}), seconds=2400)
_ENGINES: Final = ("redis", "valkey")


class User(AwsResource):
    created = updated = _ACTIVE

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _engine(inputs)

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

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        params: Props = {}
        wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
        for name in ("accessString", "passwords", "noPasswordRequired", "authenticationMode", "engine"):
            if name in changed and name in wanted:
                params |= to_api({name: self.fields[name]}, wanted)
        if "passwordsWoVersion" in changed and wanted.get("passwordsWo"):
            params["Passwords"] = wanted["passwordsWo"]
        if params:
            context.call("elasticache", "ModifyUser", {"UserId": id, **params})


def _engine(inputs: Props) -> Iterator[Failure]:
    engine = inputs.get("engine")
    if isinstance(engine, str) and engine.lower() not in _ENGINES:
        yield Failure("engine", f"expected engine to be one of {list(_ENGINES)}, got {engine}")


class UserGroup(AwsResource):
    created = updated = _ACTIVE

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _engine(inputs)

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
    created = updated = _AVAILABLE

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

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        names = ("cacheUsageLimits", "dailySnapshotTime", "description", "securityGroupIds", "userGroupId")
        params: Props = {}
        for name in (*names, "snapshotRetentionLimit"):
            if name in changed and new.get(name) is not None:
                params |= to_api({name: self.fields[name]}, new)
        if "userGroupId" in changed and not new.get("userGroupId"):
            params["RemoveUserGroup"] = True
        if changed & {"engine", "majorEngineVersion"}:
            params |= to_api({n: self.fields[n] for n in ("engine", "majorEngineVersion")}, new)
        if params:
            context.call("elasticache", "ModifyServerlessCache", {"ServerlessCacheName": id, **params})
