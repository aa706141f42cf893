"""Compares a value with the type that the SDK gives it: unknown, missing and mistyped keys at any depth."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.checks.sdk import Sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Type
from twin.property_values import Archive, Asset, Path_, show
from twin.provider_interface import UNKNOWN, Failure

_WORDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "asset": "an asset or an archive",
    "enum": "a single value",
}


def check(
    sdk: Sdk, what: str, properties: Mapping[str, Property], values: Mapping[str, Any]
) -> list[Failure]:
    """All that is wrong with these values; `what` is the token, for the messages."""
    return [Failure(show(path), reason) for path, reason in _object(sdk, what, properties, values, ())]


Found = Iterator[tuple[Path_, str]]


def _object(
    sdk: Sdk, what: str, properties: Mapping[str, Property], values: Mapping[str, Any], path: Path_
) -> Found:
    unknown = [key for key in values if key not in properties]
    for key in unknown:
        yield (*path, key), _unknown(what, key, properties, values)
    for name, property in properties.items():
        value = values.get(name)
        if value is not None:
            yield from _value(sdk, property.type, value, (*path, name))
        elif property.required and not any(_close(key, name) for key in unknown):
            # A misspelt key has its own message; that the right one is missing follows from it.
            yield (*path, name), f"missing: {what} requires {name!r}, {words(property.type)}"


def _unknown(what: str, key: str, properties: Mapping[str, Property], values: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, properties, n=1, cutoff=0.6)
    near = near or [name for name in properties if _close(key, name)]
    if near:
        also = " (which is set too)" if values.get(near[0]) is not None else ""
        return f"unknown property of {what}; did you mean {near[0]!r}{also}?"
    known = ", ".join(sorted(properties)) or "none"
    return f"unknown property of {what}; it knows: {known}"


def _close(one: str, other: str) -> bool:
    a, b = (text.replace("_", "").lower() for text in (one, other))
    return a == b or difflib.SequenceMatcher(None, a, b).ratio() >= 0.8


def _value(sdk: Sdk, type: Type, value: Any, path: Path_) -> Found:
    if value is UNKNOWN or value is None:
        return
    if isinstance(type, OneOf):
        yield from _one_of(sdk, type, value, path)
    elif isinstance(type, ListOf):
        if isinstance(value, list):
            for i, item in enumerate(value):
                yield from _value(sdk, type.item, item, (*path, i))
        else:
            yield path, _wrong(type, value)
    elif isinstance(type, MapOf | ObjectOf):
        if not isinstance(value, dict):
            yield path, _wrong(type, value)
        elif isinstance(type, MapOf):
            for key, item in value.items():
                yield from _value(sdk, type.item, item, (*path, key))
        else:
            name = type.name.removesuffix("Args")
            yield from _object(sdk, name, sdk.properties(type), value, path)
    elif not _scalar(type, value):
        yield path, _wrong(type, value)


def _one_of(sdk: Sdk, type: OneOf, value: Any, path: Path_) -> Found:
    by_option = [list(_value(sdk, option, value, path)) for option in type.options]
    if not all(by_option):
        return
    # The option whose shape the value has states what is wrong inside it.
    inside = [errors for errors in by_option if any(where != path for where, _ in errors)]
    yield from inside[0] if inside else [(path, _wrong(type, value))]


def _scalar(type: Scalar, value: Any) -> bool:
    match type.name:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "asset":
            return isinstance(value, Asset | Archive)
        case "enum":
            return isinstance(value, str | int | float | bool)
        case _:
            return True


def words(type: Type) -> str:
    """A type in words: `a list of strings`."""
    match type:
        case Scalar(name):
            return _WORDS.get(name, "any value")
        case ListOf(item):
            return f"a list, each item {words(item)}"
        case MapOf(item):
            return f"a map, each value {words(item)}"
        case ObjectOf():
            return f"an object ({type.name.removesuffix('Args')})"
        case OneOf(options):
            return " or ".join(words(option) for option in options)


def _wrong(type: Type, value: Any) -> str:
    return f"expected {words(type)}, got {_got(value)}"


def _got(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        keys = ", ".join(map(str, list(value)[:4])) or "nothing"
        return f"an object with {keys}"
    if isinstance(value, Asset | Archive):
        return "an asset"
    text = json.dumps(value)
    return f"the string {text if len(text) <= 60 else text[:57] + '...'}"
