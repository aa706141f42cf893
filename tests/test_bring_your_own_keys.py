"""docs/bring-your-own.md: owners of keys have to allow what components allow on the keys that they create."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import pytest

import twin
from tests.components.aiplatform.cluster import gke
from tests.components.recording import ACCOUNT, REGION, Recording
from tests.components.test_created_keys import CASES, KEYS, NAMES, ROOT, build, safeguards_of
from tests.components.test_existing_keys import ARN, AWS, GOOGLE, GRANT, crypto_key
from tests.inventories import variants
from tests.test_bring_your_own import PAGE, rows

_ARGUMENTS: Final[Mapping[str, str]] = {
    "interruptions": "interruptions_kms_key",
    "volumes": "volumes_kms_key",
}
"""Part of a key's logical name -> the argument in place of which it is created, if not `kms_key`."""
_FOOTNOTES: Final = dict(re.findall(r"([¹²³])\s+(`[^¹²³⁴|]+`)\.", PAGE))
_CODE: Final = re.compile(r"`([^`]+)`")
_CONDITION: Final = re.compile(r"(?:aws|kms):[A-Z][\w:]+")
_ROLE: Final = "a role"
_REPLACED_BY_THE_PROVIDER: Final[Mapping[str, frozenset[str]]] = {
    "gcp:bigtable/instance:Instance": frozenset({"clusters.kmsKeyName"}),
}
"""What providers decide in code, so that their schema does not state it: twin/gcp/services/bigtableadmin."""
_WITHOUT_CONTENT: Final = "aws:glue/securityConfiguration:SecurityConfiguration"
_OF_KEYS: Final = (GRANT, "aws:kms/alias:Alias")
_AGENT: Final = ".iam.gserviceaccount.com"


@dataclass(frozen=True)
class Permission:
    """What principals may do with the key of an argument. principals: services, paths of service-linked
    roles, or `a role` that another argument names."""

    argument: str
    principals: frozenset[str]
    actions: frozenset[str]
    conditions: frozenset[str]
    """Their keys."""


def _recordings(cloud: str, name: str) -> Iterator[Recording]:
    """Yield a component that creates its keys, in all variants."""
    yield build(cloud, name)
    for variant in variants.NAMES:
        if variant.startswith(f"{name}/{cloud}"):
            yield variants.recorded(variant)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _general(value: str) -> str:
    return value.replace(REGION, "REGION").replace(ACCOUNT, "ACCOUNT")


def _argument(name: str, key: str) -> str:
    """Return the argument in place of which a component creates a key."""
    default = "logs.kms_key" if name == "observability" else "kms_key"
    return next((argument for part, argument in _ARGUMENTS.items() if part in key), default)


def _statements(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what the policies of the keys that a component creates allow others than the account, with the
    argument in place of which the key is created."""
    for recording in _recordings("aws", name):
        for key in recording.all("aws:kms/key:Key"):
            for statement in json.loads(key.inputs["policy"])["Statement"]:
                if statement["Effect"] == "Allow" and statement["Sid"] != "AccountDecides":
                    yield f"{NAMES[name]} `{_argument(name, key.name)}`", statement


@cache
def _in_code(name: str) -> Mapping[Permission, frozenset[str]]:
    """Permission on the keys that a component creates -> the values of its conditions."""
    collected: dict[Permission, frozenset[str]] = {}
    for argument, statement in _statements(name):
        permission = _permission(argument, statement)
        entries = [entry for operands in statement["Condition"].values() for entry in operands.values()]
        values = frozenset(_general(value) for entry in entries for value in _list(entry))
        collected[permission] = collected.get(permission, frozenset()) | values
    return _by_roles(collected)


def _permission(argument: str, statement: Mapping[str, Any]) -> Permission:
    conditions = {key for operands in statement["Condition"].values() for key in operands}
    principal = statement["Principal"]
    if "Service" in principal:
        principals = set(map(_general, _list(principal["Service"])))
    elif principal["AWS"] == "*":
        roles = _list(statement["Condition"]["StringEquals"]["aws:PrincipalArn"])
        principals = {role.partition(":role/")[2] for role in roles}
    else:
        principals = {_ROLE}
    actions = frozenset(_list(statement["Action"]))
    return Permission(argument, frozenset(principals), actions, frozenset(conditions))


def _by_roles(permissions: Mapping[Permission, frozenset[str]]) -> Mapping[Permission, frozenset[str]]:
    """Return the permissions with those of several service-linked roles in one: a condition on the role has
    one value."""
    merged: dict[Permission, frozenset[str]] = {}
    for permission, values in permissions.items():
        alike = [
            other
            for other in merged
            if "aws:PrincipalArn" in other.conditions
            and (other.argument, other.actions, other.conditions)
            == (permission.argument, permission.actions, permission.conditions)
        ]
        for other in alike:
            values |= merged.pop(other)
            principals = permission.principals | other.principals
            permission = Permission(other.argument, principals, other.actions, other.conditions)
        merged[permission] = values
    return merged


@cache
def _on_page() -> Mapping[Permission, str]:
    """Permission of each row of the page -> the cells with values of its conditions."""
    permissions: dict[Permission, str] = {}
    former = former_conditions = ""
    for argument, principal, action, condition in rows("### AWS", 4):
        if argument == "argument":
            continue
        principal = former if principal == "the same roles" else principal
        condition = condition.replace("the same", former_conditions)
        former, former_conditions = principal, condition
        stated = [code for code in _CODE.findall(principal) if ".amazonaws.com" in code]
        permission = Permission(
            argument,
            frozenset(stated or [_ROLE]),
            frozenset(re.findall(r"kms:\w+", _with_footnotes(action))),
            frozenset(_CONDITION.findall(_with_footnotes(condition))),
        )
        assert permission not in permissions, f"{argument}: one row for {principal}"
        permissions[permission] = f"{principal} {condition}"
    return permissions


def _with_footnotes(cell: str) -> str:
    return re.sub(r"[¹²³]", lambda number: _FOOTNOTES[number[0]], cell)


def _pattern(code: str) -> re.Pattern[str]:
    """Return the pattern of values that end with a text of the page, in which `*` stands for any text and
    `{name}` for a name."""
    text = re.escape(code.replace("{prefix}", "acme-dev")).replace(r"\*", ".*")
    return re.compile("(^|[:/]|(?<=log-group:))" + re.sub(r"\\\{\w+\\\}", r"[\\w-]+", text) + "$")


def _of(name: str) -> set[Permission]:
    return {entry for entry in _on_page() if entry.argument.startswith(f"{NAMES[name]} ")}


def test_the_footnotes_of_the_page_are_read() -> None:
    assert set(_FOOTNOTES) == {"¹", "²", "³"}
    assert "kms:ReEncryptTo" in _FOOTNOTES["¹"]


@pytest.mark.parametrize("name", AWS)
def test_the_page_has_the_statements_of_the_policies_of_created_keys(name: str) -> None:
    assert _of(name) == set(_in_code(name)), "argument, principals, actions, and keys of conditions"


@pytest.mark.parametrize("name", AWS)
def test_the_page_has_the_values_of_their_conditions(name: str) -> None:
    for permission, values in _in_code(name).items():
        patterns = [_pattern(code) for code in _CODE.findall(_on_page()[permission])]
        for value in values:
            assert any(pattern.search(value) for pattern in patterns), f"{permission.argument}: {value}"


def test_the_page_has_no_permission_of_another_component() -> None:
    assert set(_on_page()) == {entry for name in AWS for entry in _of(name)}


@cache
def _agents(name: str) -> Mapping[tuple[str, str], bool]:
    """Argument and service agent of each grant of a component on its keys -> whether all variants of the
    component that have a key have the grant."""
    region, on_existing = GOOGLE[name]
    recordings = [on_existing(kms_key=crypto_key(region)), *_recordings("gcp", name)]
    argument_of: dict[str, str] = {}
    if name == "cluster":
        # What is granted on which of two keys.
        of_volumes = crypto_key("europe-west4").replace("data", "volumes")
        recordings = [gke.cluster(kms_key=crypto_key("europe-west4"), volumes_kms_key=of_volumes)]
        argument_of = {of_volumes: "volumes_kms_key"}
    default = "logs.kms_key" if name == "observability" else "kms_key"
    granted = [
        {
            (
                f"{NAMES[name]} `{argument_of.get(grant.inputs['cryptoKeyId'], default)}`",
                re.sub(r"(service-|cmek-p|bq-)\d+@", r"\1P@", grant.inputs["member"].partition(":")[2]),
            )
            for grant in grants
        }
        for recording in recordings
        if (grants := recording.all(GRANT))
    ]
    every = {entry for entries in granted for entry in entries}
    return {entry: all(entry in entries for entries in granted) for entry in every}


def _agents_on_page(name: str) -> list[tuple[tuple[str, str], str]]:
    """Return argument and service agent of each row of a component, with the condition."""
    return [
        ((argument, f"{_CODE.findall(agent)[0]}{_AGENT}"), condition)
        for argument, agent, condition in rows("### Google Cloud", 3)
        if argument.startswith(f"{NAMES[name]} ")
    ]


@pytest.mark.parametrize("name", GOOGLE)
def test_the_page_has_the_service_agents_that_components_grant_the_use_of_keys(name: str) -> None:
    assert sorted(entry for entry, _ in _agents_on_page(name)) == sorted(_agents(name))


@pytest.mark.parametrize("name", GOOGLE)
def test_the_page_has_a_condition_for_each_agent_that_not_all_variants_grant(name: str) -> None:
    for entry, condition in _agents_on_page(name):
        assert (condition == "") == _agents(name)[entry], f"{entry}: {condition or 'no condition'}"
        for argument in _CODE.findall(condition):
            keys = argument.partition(":")[0].split(".")
            source = (ROOT / name).rglob("*inputs.py")
            text = "\n".join(file.read_text() for file in source)
            assert all(re.search(rf"\b{key}: ", text) for key in keys), f"{entry}: no argument {argument}"


def test_the_page_names_the_components_that_protect_or_retain_alone() -> None:
    text = " ".join(PAGE.split())
    alone = {
        safeguard: {NAMES[name] for _, name in CASES if safeguards_of(name) == {safeguard}}
        for safeguard in ("protect", "retain_data")
    }
    for safeguard, names in alone.items():
        stated = re.search(rf"(?:^|[.,] )([A-Z][\w, ]*?)(?: has)? `{safeguard}` alone", text)
        assert stated, safeguard
        assert set(re.split(r", | and ", stated[1])) == names, f"`{safeguard}` alone"


def test_the_page_has_service_agents_of_no_other_component() -> None:
    entries = [row for row in rows("### Google Cloud", 3) if row[0] != "argument"]
    assert len(entries) == sum(len(_agents_on_page(name)) for name in GOOGLE) >= 30


def _paths(value: Any, text: str, path: str = "") -> Iterator[str]:
    """Yield the paths of inputs that have a text, without indices."""
    if isinstance(value, Mapping):
        for key, entry in cast("Mapping[str, Any]", value).items():
            yield from _paths(entry, text, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for entry in cast("list[Any]", value):
            yield from _paths(entry, text, path)
    elif value == text:
        yield path


def _replaced(cloud: str, name: str) -> set[str]:
    """Return the types of a component's resources that another key replaces."""
    facts = json.loads((Path(twin.__file__).parent / cloud / "facts.json").read_text())["types"]
    key = ARN if cloud == "aws" else crypto_key(GOOGLE[name][0])
    build_with = AWS[name] if cloud == "aws" else GOOGLE[name][1]
    replaced: set[str] = set()
    for recording in (build_with(kms_key=key), *_recordings(cloud, name)):
        keys = {key, *(str(created.state.get("arn", created.id)) for created in recording.all(KEYS[cloud]))}
        for resource in recording.resources:
            fixed = {*facts.get(resource.type, {}).get("immutable", ()), *resource.replace_on_changes}
            fixed |= _REPLACED_BY_THE_PROVIDER.get(resource.type, frozenset())
            paths = {path for text in keys for path in _paths(resource.inputs, text)}
            if any(path == part or path.startswith(f"{part}.") for path in paths for part in fixed):
                replaced.add(resource.type)
    return replaced - {_WITHOUT_CONTENT, *_OF_KEYS}


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_page_has_the_components_whose_resources_another_key_replaces(cloud: str) -> None:
    cells = {
        row[0]: row[1:] for row in rows("## Keys", 3) if row[0] not in ("component", "NodePool, GpuPool")
    }
    on_page = {name for name, by_cloud in cells.items() if by_cloud[cloud == "gcp"]}
    assert on_page == {NAMES[name] for of, name in CASES if of == cloud and _replaced(cloud, name)}, (
        "what the providers replace for another key"
    )
