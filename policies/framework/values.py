"""Conversion of property values from the engine's protocol to plain Python values and UNKNOWN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# Signatures of the protocol (pulumi, sdk/python/lib/pulumi/runtime/rpc.py); no public constant exists for
# them.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown:
    """A value that is known only after the resource that it comes from has been created. The only instance
    is UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        # `if not value` would treat it as missing, and a policy would report a violation that there may not
        # be.
        raise TypeError("an unknown value is neither true nor false; read it with `known`")


UNKNOWN: Final = Unknown()


class Hidden(str):
    """The text of a secret. A policy can test it; in a message it appears as `[secret]`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"

    def __format__(self, spec: str) -> str:
        return "[secret]"

    def __str__(self) -> str:
        return "[secret]"


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the properties of a resource as plain Python values, with secrets as Hidden."""
    return {name: _value(value) for name, value in struct.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_value(entry) for entry in value.list_value.values]
    if kind == "struct_value":
        return _object(value.struct_value)
    return None


def _object(struct: struct_pb2.Struct) -> Any:
    signature = struct.fields[_SIGNATURE].string_value if _SIGNATURE in struct.fields else ""
    if signature == _SECRET:
        return _hidden(_value(struct.fields["value"]))
    if signature == _OUTPUT:
        return _value(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
    return plain(struct)


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return Hidden(value)
    if isinstance(value, list):
        return [_hidden(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _hidden(entry) for name, entry in cast("dict[str, Any]", value).items()}
    return value


_STEP: Final = re.compile(r"[^.\[\]]+")


def at(node: Any, path: str) -> Any:
    """Return the value at a property path (`spec.containers[0].image`): None where there is none, UNKNOWN
    where it or something above it is unknown."""
    for step in _STEP.findall(path):
        if node is UNKNOWN:
            return UNKNOWN
        if isinstance(node, Mapping):
            node = cast("Mapping[str, Any]", node).get(step)
        elif isinstance(node, list):
            entries, index = cast("list[Any]", node), int(step) if step.isdigit() else -1
            node = entries[index] if 0 <= index < len(entries) else None
        else:
            return None
    return node


def contains_unknown(node: Any) -> bool:
    """Return whether a value or any part of it is unknown."""
    if isinstance(node, Mapping):
        return any(map(contains_unknown, cast("Mapping[str, Any]", node).values()))
    if isinstance(node, list):
        return any(map(contains_unknown, cast("list[Any]", node)))
    return node is UNKNOWN
