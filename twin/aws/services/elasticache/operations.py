"""ElastiCache's operations: moto changes no users, and knows no groups and no serverless caches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.elasticache.validation import CACHES, GROUPS, USERS, VERSIONS
from twin.aws.validation import extension_store

Params = dict[str, Any]

_PORT: Final = {"valkey": 6379, "redis": 6379, "memcached": 11211}
_FULL: Final = {"7": "7.2", "8": "8.1", "9": "9.0", "1.6": "1.6.22"}


def _arn(backend: Any, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:{kind}:{name}"


def _describe(kind: str, parameter: str, member: str, code: str) -> Callable[[Params, Any], Params]:
    def report(params: Params, backend: Any) -> Params:
        things, name = extension_store.resources(backend, kind), params.get(parameter)
        if name and str(name).lower() not in things:
            raise Refusal(code, f"{name} not found.", 404)
        selected = [things[str(name).lower()]] if name else list(things.values())
        return {member: [thing.description for thing in selected]}

    return report


def _authentication(params: Params) -> Params:
    mode: Params = params.get("AuthenticationMode") or {}
    passwords = params.get("Passwords") or mode.get("Passwords") or []
    if mode.get("Type") == "iam":
        return {"Type": "iam"}
    return {"Type": "password", "PasswordCount": len(passwords)} if passwords else {"Type": "no-password"}


def make_user(params: Params, backend: Any) -> Params:
    """CreateUser."""
    id = params["UserId"].lower()
    description = {
        "UserId": id,
        "UserName": params["UserName"],
        "AccessString": params["AccessString"],
        "UserGroupIds": [],
        "Authentication": _authentication(params),
        "ARN": _arn(backend, "user", id),
    }
    return _add(params, backend, USERS, id, description)


def _add(params: Params, backend: Any, kind: str, id: str, more: Params) -> Params:
    """The description of a new user or group, which is remembered."""
    engine = params["Engine"].lower()
    version = "7.2" if engine == "valkey" else "6.0"
    description = {**more, "Status": "active", "Engine": engine, "MinimumEngineVersion": version}
    extension_store.resources(backend, kind)[id] = extension_store.Thing(description)
    extension_store.tag_anew(backend, description["ARN"], extension_store.pairs(params.get("Tags")))
    _belong(backend)
    return description


def change_user(params: Params, backend: Any) -> Params:
    """ModifyUser."""
    description = extension_store.resources(backend, USERS)[params["UserId"].lower()].description
    if params.get("AccessString"):
        description["AccessString"] = params["AccessString"]
    if params.get("AppendAccessString"):
        description["AccessString"] += f" {params['AppendAccessString']}"
    names = ("Passwords", "NoPasswordRequired", "AuthenticationMode")
    if any(params.get(name) is not None for name in names):
        description["Authentication"] = _authentication(params)
    return description


def drop_user(params: Params, backend: Any) -> Params:
    """DeleteUser: out of its groups too."""
    id = params["UserId"].lower()
    for group in extension_store.resources(backend, GROUPS).values():
        group.description["UserIds"] = [member for member in group.description["UserIds"] if member != id]
    return {**extension_store.resources(backend, USERS).pop(id).description, "Status": "deleting"}


def make_group(params: Params, backend: Any) -> Params:
    """CreateUserGroup."""
    id = params["UserGroupId"].lower()
    description = {
        "UserGroupId": id,
        "UserIds": [user_id.lower() for user_id in params.get("UserIds") or []],
        "ServerlessCaches": [],
        "ReplicationGroups": [],
        "ARN": _arn(backend, "usergroup", id),
    }
    return _add(params, backend, GROUPS, id, description)


def change_group(params: Params, backend: Any) -> Params:
    """ModifyUserGroup."""
    description = extension_store.resources(backend, GROUPS)[params["UserGroupId"].lower()].description
    gone = params.get("UserIdsToRemove") or []
    description["UserIds"] = [
        *(user_id for user_id in description["UserIds"] if user_id not in gone),
        *(params.get("UserIdsToAdd") or []),
    ]
    _belong(backend)
    return description


def drop_group(params: Params, backend: Any) -> Params:
    """DeleteUserGroup."""
    description = extension_store.resources(backend, GROUPS).pop(params["UserGroupId"].lower()).description
    _belong(backend)
    return {**description, "Status": "deleting"}


def _belong(backend: Any) -> None:
    """Users and groups report of those that they belong to."""
    groups, caches = extension_store.resources(backend, GROUPS), extension_store.resources(backend, CACHES)
    for id, user in extension_store.resources(backend, USERS).items():
        user.description["UserGroupIds"] = [
            name for name, user_group in groups.items() if id in user_group.description["UserIds"]
        ]
    for id, group in groups.items():
        group.description["ServerlessCaches"] = [
            name for name, cache in caches.items() if cache.description.get("UserGroupId") == id
        ]


def make_cache(params: Params, backend: Any) -> Params:
    """CreateServerlessCache: in the account's default VPC where no subnets are given."""
    from moto.moto_api._internal import mock_random

    name, engine = params["ServerlessCacheName"].lower(), params["Engine"]
    version = params.get("MajorEngineVersion") or VERSIONS[engine][-1]
    subnets, groups = _default_place(backend, params)
    host = (
        f"{name}-{mock_random.get_random_hex(6)}.serverless.{_short(backend.region_name)}.cache.amazonaws.com"
    )
    usage = {name: value for name, value in params.items() if name not in ("Tags", "SnapshotArnsToRestore")}
    description = {
        "Description": " ",
        "SnapshotRetentionLimit": 0,
        **{name: value for name, value in usage.items() if value is not None},
        "ServerlessCacheName": name,
        "Status": "available",
        "MajorEngineVersion": version,
        "FullEngineVersion": _FULL[version],
        "CreateTime": extension_store.now(),
        "ARN": _arn(backend, "serverlesscache", name),
        "Endpoint": {"Address": host, "Port": _PORT[engine]},
        "ReaderEndpoint": {"Address": host, "Port": _PORT[engine] + 1},
        "SubnetIds": subnets,
        "SecurityGroupIds": groups,
    }
    if engine != "memcached":
        description.setdefault("DailySnapshotTime", "06:00")
    extension_store.resources(backend, CACHES)[name] = extension_store.Thing(description)
    extension_store.tag_anew(backend, description["ARN"], extension_store.pairs(params.get("Tags")))
    _belong(backend)
    return {"ServerlessCache": description}


def _default_place(backend: Any, params: Params) -> tuple[list[str], list[str]]:
    from moto.ec2.models import ec2_backends

    ec2: Any = ec2_backends[backend.account_id][backend.region_name]
    subnets, groups = list(params.get("SubnetIds") or []), list(params.get("SecurityGroupIds") or [])
    subnets_by_id = {id: subnet for zone in ec2.subnets.values() for id, subnet in zone.items()}
    if not subnets and ec2.default_vpc:
        zones = {
            subnet.availability_zone: id
            for id, subnet in subnets_by_id.items()
            if subnet.vpc_id == ec2.default_vpc.id
        }
        subnets = [zones[zone] for zone in sorted(zones)][:2]
    if not groups and subnets:
        groups = [ec2.get_default_security_group(subnets_by_id[subnets[0]].vpc_id).id]
    return subnets, groups


def _short(region: str) -> str:
    first, second, number = region.split("-")[0], region.split("-")[1], region.split("-")[-1]
    compass = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c"}
    return f"{first}{compass.get(second, second[0])}{number}"


def change_cache(params: Params, backend: Any) -> Params:
    """ModifyServerlessCache."""
    description = extension_store.resources(backend, CACHES)[
        params["ServerlessCacheName"].lower()
    ].description
    names = ("Description", "CacheUsageLimits", "SecurityGroupIds", "SnapshotRetentionLimit", "UserGroupId")
    description |= {
        name: params[name] for name in (*names, "DailySnapshotTime") if params.get(name) is not None
    }
    if params.get("RemoveUserGroup"):
        description.pop("UserGroupId", None)
    if params.get("MajorEngineVersion"):
        description |= {
            "MajorEngineVersion": params["MajorEngineVersion"],
            "FullEngineVersion": _FULL[params["MajorEngineVersion"]],
        }
    _belong(backend)
    return {"ServerlessCache": description}


def drop_cache(params: Params, backend: Any) -> Params:
    """DeleteServerlessCache."""
    description = (
        extension_store.resources(backend, CACHES).pop(params["ServerlessCacheName"].lower()).description
    )
    _belong(backend)
    return {"ServerlessCache": {**description, "Status": "deleting"}}


_TAGS: Final = extension_store.TagCalls(
    "ResourceName", calls=("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"), answers=True
)
OPERATIONS: Final = extension_store.operations(
    {
        **_TAGS.acts(),
        "CreateUser": make_user,
        "ModifyUser": change_user,
        "DeleteUser": drop_user,
        "DescribeUsers": _describe(USERS, "UserId", "Users", "UserNotFound"),
        "CreateUserGroup": make_group,
        "ModifyUserGroup": change_group,
        "DeleteUserGroup": drop_group,
        "DescribeUserGroups": _describe(GROUPS, "UserGroupId", "UserGroups", "UserGroupNotFound"),
        "CreateServerlessCache": make_cache,
        "ModifyServerlessCache": change_cache,
        "DeleteServerlessCache": drop_cache,
        "DescribeServerlessCaches": _describe(
            CACHES, "ServerlessCacheName", "ServerlessCaches", "ServerlessCacheNotFoundFault"
        ),
    }
)
