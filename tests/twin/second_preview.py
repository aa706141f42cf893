"""What a second preview shows where the server fills in and rewrites all that the schemas allow it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from tests.components.recording import Registered
from tests.inventories import variants
from tests.stacks.environments import STACKS, built
from twin.checks.sdk import Sdk, objects, sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Type
from twin.core.diff import compare
from twin.core.drift import inputs_now
from twin.core.grpc_messages import complete
from twin.core.schema_facts import FromSchema
from twin.provider_interface import Props

LINKS = ("CompareSelfLinkOrResourceName", "CompareSelfLinkRelativePaths")
LINK = "https://www.googleapis.com/compute/v1/"


def registered(cloud: str, known: Iterable[str]) -> dict[str, list[Registered]]:
    """What a cloud's environments and the variants of all components register of these types, by token."""
    recordings = [built(stack).recording for stack in STACKS if stack.startswith(f"{cloud}-")]
    recordings += [variants.recorded(name) for name in variants.NAMES]
    by_token: dict[str, list[Registered]] = {}
    for resource in (resource for recording in recordings for resource in recording.resources):
        if resource.type in known:
            by_token.setdefault(resource.type, []).append(resource)
    return by_token


Kind = TypeVar("Kind", bound=FromSchema)


def of_all(
    resources: Mapping[str, Sequence[Registered]], table: Mapping[str, Kind]
) -> Iterator[tuple[str, Kind, Props]]:
    """`token name`, kind and inputs of every resource of `registered`."""
    for token, registrations in resources.items():
        for resource in registrations:
            yield f"{token} {resource.name}", table[token], checked_inputs(resource, table[token])


def checked_inputs(resource: Registered, kind: FromSchema) -> Props:
    """The inputs as Check answers them."""
    return {**kind.defaults, **_without_none(resource.inputs)}


def changes(kind: FromSchema, inputs: Props, sent: Props) -> Iterator[str]:
    """What differs. sent: the inputs with what the provider adds before it sends them."""
    package = sdk(kind.package)
    state = _rewritten(kind, copy.deepcopy(sent))
    _fill(package, kind.sdk_schema.inputs, state, kind.server, "")
    state = complete(kind.sdk_schema, {}, state)
    refreshed = inputs_now(package, kind, kind.sdk_schema.inputs, inputs, state, state)
    for when, before in (("", inputs), (" after a refresh", refreshed)):
        for change in compare(kind, before, state, inputs).changes:
            yield f"{change.text}{when}"


def _filled(package: Sdk, type: Type, depth: int = 0) -> Any:
    """A value that no program states."""
    if isinstance(type, OneOf):
        type = type.options[0]
    if isinstance(type, ListOf):
        return [_filled(package, type.item, depth + 1)]
    if isinstance(type, MapOf):
        return {"filled": "in"}
    if isinstance(type, ObjectOf):
        inside = package.properties(type) if depth < 4 else {}
        return {name: _filled(package, entry.type, depth + 1) for name, entry in inside.items()}
    if isinstance(type, Scalar):
        return {"boolean": True, "integer": 7, "number": 7.0}.get(type.name, "filled in")
    return "filled in"


def _fill(
    package: Sdk, properties: Mapping[str, Property], target: Props, paths: frozenset[str], before: str
) -> None:
    """Fill in what the server may, where the object is that it is in."""
    for name, property in properties.items():
        path = f"{before}{name}"
        value = target.get(name)
        if value is None:
            if path in paths:
                target[name] = _filled(package, property.type)
            continue
        inner = next(iter(objects(property.type)), None)
        for item in value if isinstance(value, list) else [value]:
            if inner is not None and isinstance(item, dict):
                _fill(package, package.properties(inner), item, paths, f"{path}.")


def _rewritten(kind: FromSchema, value: Any, path: str = "") -> Any:
    """The value as the server would write it: names as links, sets in another order."""
    if isinstance(value, dict):
        return {
            name: _rewritten(kind, part, f"{path}.{name}" if path else name) for name, part in value.items()
        }
    if isinstance(value, list):
        items = [_rewritten(kind, item, path) for item in value]
        return items[::-1] if path in kind.sets else items
    if not isinstance(value, str) or not value:
        return value
    if kind.suppressed.get(path) in LINKS and "//" not in value:
        return f"{LINK}{value}" if "/" in value else f"{LINK}projects/acme/global/things/{value}"
    return value.upper() if kind.suppressed.get(path) == "CaseDiffSuppress" else value


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
