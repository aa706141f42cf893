"""ElastiCache: users, their groups, serverless caches.

Sources: the API Reference of CreateUser, CreateUserGroup and CreateServerlessCache;
"Role-Based Access Control (RBAC)" and "Authenticating with IAM" in the User Guide. A cache holds nothing
here.
"""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store, stated, subnets
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

USERS: Final = "cache_users"
GROUPS: Final = "cache_user_groups"
CACHES: Final = "serverless_caches"
VERSIONS: Final = {"valkey": ("7", "8", "9"), "redis": ("7",), "memcached": ("1.6",)}
"""Major versions of serverless caches, oldest first."""
_CATEGORIES: Final = frozenset(
    {"all", "read", "write", "keyspace", "set", "sortedset", "list", "hash", "string", "bitmap", "geo"}
    | {"hyperloglog", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection"}
    | {"transaction", "scripting", "json", "search", "bloom"}
)
_WORD: Final = re.compile(
    r"[~&].+|%(?:R|W|RW)~.+|[+-][a-z][a-z0-9._|-]*|[+-]@(?P<category>[a-z]+)"
    r"|allkeys|resetkeys|allchannels|resetchannels|allcommands|nocommands|clearselectors|sanitize-payload"
)


def wrong(words: str) -> Refusal:
    """A value that ElastiCache does not take."""
    return Refusal("InvalidParameterValue", words)


def create_user(params: Params, _: MotoState) -> None:
    """CreateUser."""
    _access(str(params.get("AccessString")))


def modify_user(params: Params, state: MotoState) -> None:
    """ModifyUser."""
    existing = user(state, params.get("UserId"))
    if params.get("AccessString"):
        _access(str(params["AccessString"]))
    if params.get("AppendAccessString"):
        _access(f"on {params['AppendAccessString']}")
    names = ("Passwords", "NoPasswordRequired", "AuthenticationMode")
    if any(params.get(name) is not None for name in names):
        stated.check(__name__, "authentication", {**existing.description, **params}, state)


def _access(text: str) -> None:
    words = text.split()
    if not words or words[0] not in ("on", "off"):
        raise wrong(f"The Access String syntax is incorrect: it begins with `on` or `off`, got {text!r}")
    for word in re.sub(r"[()]", " ", " ".join(words[1:])).split():
        match = _WORD.fullmatch(word)
        if match is None or (match["category"] and match["category"] not in _CATEGORIES):
            raise wrong(f"The Access String syntax is incorrect: {word!r} is no rule")


def create_group(params: Params, state: MotoState) -> None:
    """CreateUserGroup."""
    _members(params.get("UserIds") or [], str(params.get("Engine")).lower(), state)


def modify_group(params: Params, state: MotoState) -> None:
    """ModifyUserGroup."""
    groups = extension_store.resources(_backend(state), GROUPS)
    description = groups[params["UserGroupId"].lower()].description
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
            words = f"User {id} is of the engine {description['Engine']}, the group of {engine}."
            raise Refusal("InvalidParameterCombination", words)
    if len(set(names)) != len(names):
        raise Refusal("DuplicateUserName", "Two users of a group have the same name.")
    if engine == "redis" and "default" not in names:
        raise Refusal("DefaultUserRequired", "A user group of the engine redis needs a user named default.")


def create_cache(params: Params, state: MotoState) -> None:
    """CreateServerlessCache."""
    _cache(params, str(params.get("Engine")))
    _place(params, state)


def modify_cache(params: Params, state: MotoState) -> None:
    """ModifyServerlessCache."""
    caches = extension_store.resources(_backend(state), CACHES)
    description = caches[params["ServerlessCacheName"].lower()].description
    engine = params.get("Engine") or description["Engine"]
    stated.check(__name__, "cache", {**params, "Engine": engine}, state)
    _cache(params, engine)
    if params.get("SecurityGroupIds"):
        _place({**description, **params}, state)


def _cache(params: Params, engine: str) -> None:
    version, offered = params.get("MajorEngineVersion"), VERSIONS[engine]
    if version and version not in offered:
        raise wrong(f"Invalid major engine version {version} for {engine}: one of {', '.join(offered)}.")


def _place(params: Params, state: MotoState) -> None:
    there = subnets.of_one_network(params.get("SubnetIds"), state, _no_subnet, "a serverless cache")
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
    users = extension_store.resources(_backend(state), USERS)
    return extension_store.require(users, str(id).lower(), "UserNotFound", f"User {id} not found.", 404)


def _backend(state: MotoState) -> Any:
    return state.moto.backend("elasticache", state.region)


RULES: Final = stated.rules(
    __name__,
    {
        "CreateCacheSubnetGroup": absent("subnet groups of caches"),
        "CreateUser": create_user,
        "ModifyUser": modify_user,
        "CreateUserGroup": create_group,
        "ModifyUserGroup": modify_group,
        "CreateServerlessCache": create_cache,
        "ModifyServerlessCache": modify_cache,
    },
)
