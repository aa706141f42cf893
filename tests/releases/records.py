"""Records of released versions: URNs of each environment, and the inputs whose change replaces a resource."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.components.recording import Recording, Registered
from tests.inventories.rendering import inputs_by_urn
from tests.stacks.environments import STACKS, built
from twin.aws.provider import AwsCloud
from twin.gcp.provider import GcpCloud

FOLDER: Final = Path(__file__).parent
STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:"
_KUBERNETES: Final = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True)
class Resource:
    """One resource of a version."""

    urn: str
    """Without stack and project: the types of its ancestors and its own, and its name (`A$B::name`)."""
    reference: str
    """How inputs of other resources refer to it: `TYPE NAME`."""
    fixed: Mapping[str, str]
    """Property path -> value, of the inputs whose change replaces the resource."""
    former: frozenset[str] = frozenset()
    """URNs that it had, by its aliases and those of its ancestors. Not recorded."""


def versions() -> list[str]:
    """Return the versions that have a record."""
    return sorted(folder.name for folder in FOLDER.iterdir() if list(folder.glob("*.json.gz")))


def recorded(version: str, stack: str) -> list[Resource] | None:
    """Return the resources of an environment in a version; None where the version had no such file."""
    file = _file(version, stack)
    if not file.is_file():
        return None
    return [Resource(*entry) for entry in json.loads(gzip.decompress(file.read_bytes()))]


@cache
def registered(stack: str) -> list[Resource]:
    """Return the resources that this version of the program registers for an environment."""
    return resources(built(stack).recording)


def resources(recording: Recording) -> list[Resource]:
    """Return the resources of a recording, sorted by URN."""
    by_urn = {resource.urn: resource for resource in recording.resources}
    inputs = inputs_by_urn(recording)
    return sorted(
        (
            Resource(
                _urn(_types(resource, by_urn), resource.name),
                f"{resource.type} {resource.name}",
                _fixed(resource, inputs[resource.urn]),
                frozenset(_former(resource, by_urn)),
            )
            for resource in recording.resources
            if resource.type != STACK
        ),
        key=lambda resource: resource.urn,
    )


def write(version: str) -> None:
    """Record what the program registers as this version. The record of a published version is final."""
    for stack in STACKS:
        file = _file(version, stack)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_content(registered(stack)))


def stale(version: str) -> list[str]:
    """Return the environments whose record is not what the program registers now."""
    return [
        stack
        for stack in STACKS
        if not _file(version, stack).is_file()
        or gzip.decompress(_file(version, stack).read_bytes()) != gzip.decompress(_content(registered(stack)))
    ]


def _file(version: str, stack: str) -> Path:
    return FOLDER / version / f"{stack}.json.gz"


def _content(entries: list[Resource]) -> bytes:
    lines = ",\n".join(
        json.dumps([entry.urn, entry.reference, entry.fixed], sort_keys=True) for entry in entries
    )
    # Without the time, so that one content has one file.
    return gzip.compress(f"[{lines}]\n".encode(), mtime=0)


def _urn(types: tuple[str, ...], name: str) -> str:
    return f"{'$'.join(types)}::{name}"


def _types(resource: Registered, by_urn: Mapping[str, Registered]) -> tuple[str, ...]:
    """Return the types of its ancestors and its own, as the engine writes them into the URN."""
    parent = by_urn.get(resource.parent)
    if parent is None or parent.type == STACK:
        return (resource.type,)
    return (*_types(parent, by_urn), resource.type)


def _former(resource: Registered, by_urn: Mapping[str, Registered]) -> set[str]:
    """Return the URNs that a resource had: its own aliases below each URN of its parent, as in the engine."""
    parent = by_urn.get(resource.parent)
    parents: set[tuple[tuple[str, ...], str]] = {((), "")}
    if parent is not None and parent.type != STACK:
        former = {tuple(urn.split("::", 1)) for urn in _former(parent, by_urn)}
        parents = {(tuple(types.split("$")), name) for types, name in former}
        parents.add((_types(parent, by_urn), parent.name))
    shapes = [(resource.type, resource.name, True)]
    urns: set[str] = set()
    for alias in resource.aliases:
        if alias.startswith("urn:"):
            urns.add(alias.split("::", 2)[2])
            continue
        parts = dict(part.split("=", 1) for part in alias.split(" "))
        unknown = set(parts) - {"name", "type", "noParent"}
        assert not unknown, f"{resource.urn}: an alias with {unknown}, which this module does not follow"
        shapes.append(
            (parts.get("type", resource.type), parts.get("name", resource.name), "noParent" not in parts)
        )
    for type_, name, below in shapes:
        for types, parent_name in parents if below else {((), "")}:
            urns.add(_urn((*types, type_), _inherited(name, parent, parent_name)))
    return urns - {_urn(_types(resource, by_urn), resource.name)}


def _inherited(name: str, parent: Registered | None, parent_name: str) -> str:
    """Return the name of a child of a renamed parent: a prefix that is the parent's name changes with it."""
    if parent is not None and parent_name and name.startswith(parent.name):
        return parent_name + name.removeprefix(parent.name)
    return name


def _fixed(resource: Registered, inputs: Mapping[str, Any]) -> dict[str, str]:
    return {
        path: yaml.safe_dump(values, default_flow_style=True, width=10_000).strip()
        for path in _immutable(resource.type)
        if path.split(".")[0] not in resource.ignore_changes and (values := _values(inputs, path.split(".")))
    }


@cache
def _clouds() -> tuple[AwsCloud, GcpCloud]:
    return AwsCloud(), GcpCloud()


@cache
def _immutable(type_: str) -> tuple[str, ...]:
    """Return the paths of a type whose change is a replacement, by the schema of its provider."""
    if type_.startswith("kubernetes:"):
        return _KUBERNETES
    for cloud in _clouds():
        if type_ == f"{_PROVIDER}{cloud.name}":
            return tuple(sorted(cloud.identity))
        if kind := cloud.resource(type_):
            return tuple(sorted(kind.immutable))
    return ()


def _values(value: Any, path: list[str]) -> list[Any]:
    """Return the values at a path without indices: those of all elements of lists on the way."""
    if isinstance(value, list) and path:
        return [inner for item in value for inner in _values(item, path)]
    if not path:
        return [] if value is None else [value]
    return _values(value.get(path[0]), path[1:]) if isinstance(value, dict) else []
