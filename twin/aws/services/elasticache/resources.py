"""ElastiCache: users, their groups, serverless caches, subnet groups."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, Wait
from twin.aws.resources.fields import Field, Fields, kept, pascal, reads, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_TAGGING: Final = Tagging(
    listing=Call("ListTagsForResource", {"ResourceName": "{arn}"}),
    listed="TagList",
    add=Call("AddTagsToResource", {"ResourceName": "{arn}", "Tags": "{tags}"}),
    remove=Call("RemoveTagsFromResource", {"ResourceName": "{arn}", "TagKeys": "{keys}"}),
)
_ACTIVE: Final = Wait("Status", frozenset({"active"}), frozenset({"failed"}), seconds=600)
_AVAILABLE: Final = Wait("Status", frozenset({"available"}), frozenset({"create-failed"}), seconds=2400)
_ENGINES: Final = ("redis", "valkey")


class User(AwsResource):
    token = "aws:elasticache/user:User"
    service = "elasticache"
    title = "ElastiCache User"
    fields = {
        **pascal("userId", "userName", "engine", "accessString"),
        "noPasswordRequired": Field("NoPasswordRequired", read=""),
        "passwords": Field("Passwords", read=""),
        "passwordsWo": Field("Passwords", read=""),
        "authenticationMode": Field(
            "AuthenticationMode", of={**pascal("type", "passwords"), "passwordCount": Field()}, read=""
        ),
        **kept("passwordsWoVersion"),
        **reads(arn="ARN"),
    }
    create_call = Call("CreateUser")
    id_path = "UserId"
    read_call = Call("DescribeUsers", {"UserId": "{id}"})
    item = "Users[0]"
    not_found = frozenset({"UserNotFound", "UserNotFoundFault"})
    created = updated = _ACTIVE
    delete_call = Call("DeleteUser", {"UserId": "{id}"})
    busy = frozenset({"InvalidUserState"})
    tagging = _TAGGING
    nested_computed = frozenset({"authenticationMode.passwordCount"})
    secrets = frozenset({"passwords", "passwordsWo"})
    paths = {
        "UserAlreadyExists": "userId",
        "InvalidParameterValue: user id": "userId",
        "InvalidParameterValue: Access String": "accessString",
        "InvalidParameterValue: assword": "passwords",
        "InvalidParameterCombination: user name": "userName",
        "InvalidParameterCombination": "authenticationMode",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _engine(inputs)
        mode = inputs.get("authenticationMode")
        if isinstance(mode, dict) and inputs.get("passwords") is not None:
            yield Failure("passwords", '"authentication_mode": conflicts with passwords')

    def same(self, path: str, old: Any, new: Any) -> bool:
        # ElastiCache tells an access string in an order and form of its own.
        if path == "accessString" and isinstance(old, str) and isinstance(new, str):
            return sorted(old.split()) == sorted(new.split())
        return (path == "engine" and str(old).lower() == str(new).lower()) or super().same(path, old, new)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        told = item.get("Authentication") or {}
        kind = "no-password-required" if told.get("Type") == "no-password" else told.get("Type")
        mode: Props = {"type": kind, "passwordCount": told.get("PasswordCount") or 0}
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

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("userId") or "")


def _engine(inputs: Props) -> Iterator[Failure]:
    engine = inputs.get("engine")
    if isinstance(engine, str) and engine.lower() not in _ENGINES:
        yield Failure("engine", f"expected engine to be one of {list(_ENGINES)}, got {engine}")


class UserGroup(AwsResource):
    token = "aws:elasticache/userGroup:UserGroup"
    service = "elasticache"
    title = "ElastiCache User Group"
    fields = {**pascal("userGroupId", "engine", "userIds"), **reads(arn="ARN")}
    create_call = Call("CreateUserGroup")
    id_path = "UserGroupId"
    read_call = Call("DescribeUserGroups", {"UserGroupId": "{id}"})
    item = "UserGroups[0]"
    not_found = frozenset({"UserGroupNotFound", "UserGroupNotFoundFault"})
    created = updated = _ACTIVE
    delete_call = Call("DeleteUserGroup", {"UserGroupId": "{id}"})
    busy = frozenset({"InvalidUserGroupState"})
    tagging = _TAGGING
    paths = {
        "UserGroupAlreadyExists": "userGroupId",
        "UserNotFound": "userIds",
        "DuplicateUserName": "userIds",
        "DefaultUserRequired": "userIds",
        "InvalidParameterCombination": "engine",
        "InvalidParameterValue": "userGroupId",
    }

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

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("userGroupId") or "")


class SubnetGroup(AwsResource):
    token = "aws:elasticache/subnetGroup:SubnetGroup"
    service = "elasticache"
    title = "ElastiCache Subnet Group"
    fields = {
        "name": Field("CacheSubnetGroupName"),
        "description": Field("CacheSubnetGroupDescription"),
        "subnetIds": Field("SubnetIds", read="Subnets[].SubnetIdentifier"),
        **reads(arn="ARN", vpcId="VpcId"),
    }
    create_call = Call("CreateCacheSubnetGroup")
    id_path = "CacheSubnetGroup.CacheSubnetGroupName"
    read_call = Call("DescribeCacheSubnetGroups", {"CacheSubnetGroupName": "{id}"})
    item = "CacheSubnetGroups[0]"
    not_found = frozenset({"CacheSubnetGroupNotFoundFault"})
    delete_call = Call("DeleteCacheSubnetGroup", {"CacheSubnetGroupName": "{id}"})
    busy = frozenset({"CacheSubnetGroupInUse"})
    tagging = _TAGGING
    autoname = AutoName(max_length=255, lower=True)
    paths = {
        "CacheSubnetGroupAlreadyExists": "name",
        "InvalidParameterValue": "name",
        "InvalidSubnet": "subnetIds",
    }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
            params = to_api(self.fields, {**wanted, "name": id})
            context.call("elasticache", "ModifyCacheSubnetGroup", params)


def _first(value: Any) -> Any:
    """The provider takes a list where ElastiCache has one object."""
    first = value[0] if isinstance(value, list) and value else value
    return to_api(_COMPUTED, first) if isinstance(first, dict) else first


def _listed(value: Any) -> Any:
    names = {"Maximum": "maximum", "Minimum": "minimum"}
    return [{names[name]: value[name] for name in names if value.get(name) is not None}]


_COMPUTED: Final = pascal("maximum", "minimum")
_LIMITS: Final[Fields] = {
    "dataStorage": Field("DataStorage", of=pascal("maximum", "minimum", "unit")),
    "ecpuPerSeconds": Field("ECPUPerSecond", encode=_first, decode=_listed),
}


class ServerlessCache(AwsResource):
    token = "aws:elasticache/serverlessCache:ServerlessCache"
    service = "elasticache"
    title = "ElastiCache Serverless Cache"
    fields = {
        "name": Field("ServerlessCacheName"),
        **pascal("dailySnapshotTime", "description", "engine", "kmsKeyId", "majorEngineVersion"),
        **pascal("networkType", "securityGroupIds", "snapshotRetentionLimit", "subnetIds", "userGroupId"),
        "snapshotArnsToRestores": Field("SnapshotArnsToRestore", read=""),
        "cacheUsageLimits": Field("CacheUsageLimits", of=_LIMITS),
        **kept("timeouts"),
        **reads(arn="ARN", fullEngineVersion="FullEngineVersion", status="Status"),
    }
    create_call = Call("CreateServerlessCache")
    id_path = "ServerlessCache.ServerlessCacheName"
    read_call = Call("DescribeServerlessCaches", {"ServerlessCacheName": "{id}"})
    item = "ServerlessCaches[0]"
    not_found = frozenset({"ServerlessCacheNotFoundFault"})
    created = updated = _AVAILABLE
    deleted_seconds = 2400
    delete_call = Call("DeleteServerlessCache", {"ServerlessCacheName": "{id}"})
    tagging = _TAGGING
    autoname = AutoName(max_length=40, lower=True)
    computed = frozenset(
        {
            "cacheUsageLimits",
            "dailySnapshotTime",
            "description",
            "majorEngineVersion",
            "networkType",
            "region",
        }
        | {"securityGroupIds", "snapshotRetentionLimit", "subnetIds"}
    )
    volatile = frozenset({"fullEngineVersion", "status"})
    others_change = frozenset({"status"})
    paths = {
        "ServerlessCacheAlreadyExistsFault": "name",
        "InvalidSubnet": "subnetIds",
        "UserGroupNotFound": "userGroupId",
        "InvalidParameterValue: cache name": "name",
        "InvalidParameterValue: engine version": "majorEngineVersion",
        "InvalidParameterValue: engine": "engine",
        "InvalidParameterValue: security group": "securityGroupIds",
        "InvalidParameterValue: KMS": "kmsKeyId",
        "InvalidParameterValue: retention": "snapshotRetentionLimit",
        "InvalidParameterValue": "cacheUsageLimits",
    }

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        ends = {"endpoints": "Endpoint", "readerEndpoints": "ReaderEndpoint"}
        found: Props = {
            name: [{"address": item[api]["Address"], "port": item[api]["Port"]}]
            for name, api in ends.items()
            if item.get(api)
        }
        if item.get("CreateTime"):
            found["createTime"] = item["CreateTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return found

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
