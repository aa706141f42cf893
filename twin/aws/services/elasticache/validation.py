"""ElastiCache: users, their groups, serverless caches.

Sources: the API Reference of CreateUser, CreateUserGroup and CreateServerlessCache;
"Role-Based Access Control (RBAC)" and "Authenticating with IAM" in the User Guide. A cache holds nothing
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store, subnets
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

USERS: Final = "cache_users"
GROUPS: Final = "cache_user_groups"
CACHES: Final = "serverless_caches"
VERSIONS: Final = {"valkey": ("7", "8", "9"), "redis": ("7",), "memcached": ("1.6",)}
"""Major versions of serverless caches, oldest first."""
_NAME: Final = re.compile(r"[a-z](-?[a-z0-9])*")
_CATEGORIES: Final = frozenset(
    {"all", "read", "write", "keyspace", "set", "sortedset", "list", "hash", "string", "bitmap", "geo"}
    | {"hyperloglog", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection"}
    | {"transaction", "scripting", "json", "search", "bloom"}
)
_WORD: Final = re.compile(
    r"[~&].+|%(?:R|W|RW)~.+|[+-][a-z][a-z0-9._|-]*|[+-]@(?P<category>[a-z]+)"
    r"|allkeys|resetkeys|allchannels|resetchannels|allcommands|nocommands|clearselectors|sanitize-payload"
)
_PASSWORD: Final = (16, 128)


def wrong(words: str) -> Refusal:
    """A value that ElastiCache does not take."""
    return Refusal("InvalidParameterValue", words)


def apart(words: str) -> Refusal:
    """Values that do not go together."""
    return Refusal("InvalidParameterCombination", words)


def create_user(params: Params, state: MotoState) -> None:
    """CreateUser."""
    id = str(params.get("UserId"))
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", id.lower()):
        raise wrong(f"The user id must begin with a letter and have at most 40 letters, digits and '-': {id}")
    if id.lower() in extension_store.resources(_backend(state), USERS) or id == "default":
        raise Refusal("UserAlreadyExists", "User already exists.")
    _access(str(params.get("AccessString")))
    _authentication(params, str(params.get("Engine")).lower())


def modify_user(params: Params, state: MotoState) -> None:
    """ModifyUser."""
    existing = user(state, params.get("UserId"))
    if params.get("AccessString"):
        _access(str(params["AccessString"]))
    if params.get("AppendAccessString"):
        _access(f"on {params['AppendAccessString']}")
    names = ("Passwords", "NoPasswordRequired", "AuthenticationMode")
    if any(params.get(name) is not None for name in names):
        _authentication({**existing.description, **params}, existing.description["Engine"])


def _access(text: str) -> None:
    words = text.split()
    if not words or words[0] not in ("on", "off"):
        raise wrong(f"The Access String syntax is incorrect: it begins with `on` or `off`, got {text!r}")
    for word in re.sub(r"[()]", " ", " ".join(words[1:])).split():
        match = _WORD.fullmatch(word)
        if match is None or (match["category"] and match["category"] not in _CATEGORIES):
            raise wrong(f"The Access String syntax is incorrect: {word!r} is no rule")


def _authentication(params: Params, engine: str) -> None:
    mode: Params = params.get("AuthenticationMode") or {}
    kind = mode.get("Type")
    passwords = params.get("Passwords") or mode.get("Passwords") or []
    open_ = bool(params.get("NoPasswordRequired")) or kind == "no-password-required"
    if kind == "iam" and params.get("UserId") != params.get("UserName"):
        raise apart("The user name and the user id must be the same for a user that IAM authenticates.")
    if (kind == "iam" or open_) and passwords:
        raise apart("Passwords can be given for password authentication alone.")
    if open_ and engine == "valkey":
        raise apart("A user of the engine valkey must have a password or IAM authentication.")
    if not passwords and not open_ and kind != "iam":
        raise apart("A user needs a password, IAM authentication, or no-password-required.")
    if len(passwords) > 2:
        raise wrong("A user has at most two passwords.")
    for password in passwords:
        if not _PASSWORD[0] <= len(password) <= _PASSWORD[1] or "," in password:
            least, most = _PASSWORD
            raise wrong(f"Passwords length must be between {least}-{most} characters, without commas.")


def create_group(params: Params, state: MotoState) -> None:
    """CreateUserGroup."""
    id = str(params.get("UserGroupId")).lower()
    if not _NAME.fullmatch(id) or len(id) > 40:
        raise wrong(f"The user group id is not valid: {id}")
    if id in extension_store.resources(_backend(state), GROUPS):
        raise Refusal("UserGroupAlreadyExists", f"User Group {id} already exists.")
    _members(params.get("UserIds") or [], str(params.get("Engine")).lower(), state)


def modify_group(params: Params, state: MotoState) -> None:
    """ModifyUserGroup."""
    description = group(state, params.get("UserGroupId")).description
    ids = [
        user_id for user_id in description["UserIds"] if user_id not in (params.get("UserIdsToRemove") or [])
    ]
    _members([*ids, *(params.get("UserIdsToAdd") or [])], description["Engine"], state)


def _members(ids: list[str], engine: str, state: MotoState) -> None:
    names: list[str] = []
    for id in ids:
        if id == "default":
            names.append("default")
            continue
        description = user(state, id).description
        names.append(description["UserName"])
        if engine == "redis" and description["Engine"] != "redis":
            raise apart(f"User {id} is of the engine {description['Engine']}, the group of {engine}.")
    if len(set(names)) != len(names):
        raise Refusal("DuplicateUserName", "Two users of a group have the same name.")
    if engine == "redis" and "default" not in names:
        raise Refusal("DefaultUserRequired", "A user group of the engine redis needs a user named default.")


def drop_group(params: Params, state: MotoState) -> None:
    """DeleteUserGroup: none that a cache has."""
    id = group(state, params.get("UserGroupId")).description["UserGroupId"]
    for cache in extension_store.resources(_backend(state), CACHES).values():
        if cache.description.get("UserGroupId") == id:
            name = cache.description["ServerlessCacheName"]
            raise Refusal("InvalidUserGroupState", f"User group {id} is in use by the cache {name}.")


def create_cache(params: Params, state: MotoState) -> None:
    """CreateServerlessCache."""
    name = str(params.get("ServerlessCacheName"))
    if not _NAME.fullmatch(name.lower()) or len(name) > 40:
        raise wrong(f"The serverless cache name is not valid: {name}")
    if name.lower() in extension_store.resources(_backend(state), CACHES):
        raise Refusal("ServerlessCacheAlreadyExistsFault", f"Serverless Cache {name} already exists.")
    engine = str(params.get("Engine"))
    if engine not in VERSIONS:
        raise wrong(f"Unsupported engine: {engine}. Valid values are {', '.join(VERSIONS)}.")
    _cache(params, engine, state)
    _place(params, state)
    key = state.key(str(params["KmsKeyId"])) if params.get("KmsKeyId") else None
    if params.get("KmsKeyId") and (key is None or not key.enabled):
        raise wrong(f"The KMS key {params['KmsKeyId']} does not exist or is not enabled.")


def modify_cache(params: Params, state: MotoState) -> None:
    """ModifyServerlessCache."""
    description = cache(state, params.get("ServerlessCacheName")).description
    _cache(params, params.get("Engine") or description["Engine"], state)
    if params.get("SecurityGroupIds"):
        _place({**description, **params}, state)


def _cache(params: Params, engine: str, state: MotoState) -> None:
    version, offered = params.get("MajorEngineVersion"), VERSIONS[engine]
    if version and version not in offered:
        raise wrong(f"Invalid major engine version {version} for {engine}: one of {', '.join(offered)}.")
    if params.get("UserGroupId"):
        if engine == "memcached":
            raise apart("User groups are not for the engine memcached.")
        group(state, params["UserGroupId"])
    _snapshots(params, engine)
    limits = params.get("CacheUsageLimits") or {}
    for member, low, high in (("DataStorage", 1, 5000), ("ECPUPerSecond", 1000, 15_000_000)):
        limit = limits.get(member) or {}
        values = [limit[name] for name in ("Minimum", "Maximum") if limit.get(name) is not None]
        if any(not low <= value <= high for value in values) or values != sorted(values):
            raise wrong(f"{member} must be between {low} and {high}, the minimum not more than the maximum.")


def _snapshots(params: Params, engine: str) -> None:
    days = params.get("SnapshotRetentionLimit")
    if days is not None and not 0 <= days <= 35:
        raise wrong(f"Snapshot retention limit must be between 0 and 35, got {days}.")
    if engine == "memcached" and (days or params.get("DailySnapshotTime")):
        raise apart("Snapshots are not for the engine memcached.")


def _place(params: Params, state: MotoState) -> None:
    there = subnets.of_one_network(params.get("SubnetIds"), state, _no_subnet, "a serverless cache")
    if there and not 2 <= len(there) <= 3:
        raise Refusal("InvalidSubnet", f"A serverless cache takes two or three subnets, got {len(there)}.")
    if len(subnets.zones(there)) != len(there):
        raise Refusal("InvalidSubnet", "The subnets of a serverless cache must be in different zones.")
    vpcs = {member.vpc_id for member in there} or {getattr(state.ec2.default_vpc, "id", "")}
    groups = state.groups()
    for id in params.get("SecurityGroupIds") or []:
        if id not in groups or groups[id].vpc_id not in vpcs:
            raise wrong(f"Some security groups are not in the VPC of the cache: {id}")


def _no_subnet(id: str) -> str:
    return f"Some input subnets in :[{id}] are invalid."


def user(state: MotoState, id: Any) -> extension_store.Thing:
    """A user, or the refusal."""
    return _require(
        extension_store.resources(_backend(state), USERS), id, "UserNotFound", f"User {id} not found."
    )


def group(state: MotoState, id: Any) -> extension_store.Thing:
    """A user group, or the refusal."""
    return _require(
        extension_store.resources(_backend(state), GROUPS),
        id,
        "UserGroupNotFound",
        f"User Group {id} not found.",
    )


def cache(state: MotoState, name: Any) -> extension_store.Thing:
    """A serverless cache, or the refusal."""
    words = f"Serverless Cache {name} not found."
    return _require(
        extension_store.resources(_backend(state), CACHES), name, "ServerlessCacheNotFoundFault", words
    )


def _drop_user(params: Params, state: MotoState) -> None:
    user(state, params.get("UserId"))


def _drop_cache(params: Params, state: MotoState) -> None:
    cache(state, params.get("ServerlessCacheName"))


def _require(
    things: Mapping[str, extension_store.Thing], name: Any, code: str, words: str
) -> extension_store.Thing:
    if str(name).lower() not in things:
        raise Refusal(code, words, 404)
    return things[str(name).lower()]


def _backend(state: MotoState) -> Any:
    return state.moto.backend("elasticache", state.region)


RULES: Final = {
    "CreateCacheSubnetGroup": absent("subnet groups of caches"),
    "CreateUser": create_user,
    "ModifyUser": modify_user,
    "DeleteUser": _drop_user,
    "CreateUserGroup": create_group,
    "ModifyUserGroup": modify_group,
    "DeleteUserGroup": drop_group,
    "CreateServerlessCache": create_cache,
    "ModifyServerlessCache": modify_cache,
    "DeleteServerlessCache": _drop_cache,
}
