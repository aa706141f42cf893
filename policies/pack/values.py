"""The values of a resource's properties, as policies see them: plain ones, and UNKNOWN."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# The protocol's own words (pulumi, sdk/python/lib/pulumi/runtime/rpc.py); public under no other name.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown:
    """A value that is known only when what it comes from has been made. There is one, UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        # `if not value` would take it for missing, and a policy would accuse the innocent.
        raise TypeError("an unknown value is neither true nor false: ask `value is UNKNOWN` first")

    def get(self, _key: str) -> Unknown:
        """UNKNOWN: of an object that is not known yet, an entry of a list it may be, no key is."""
        return self


UNKNOWN: Final = Unknown()


class Hidden(str):
    """The text of a secret: a policy can look at it, and no message can show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"

    def __format__(self, spec: str) -> str:
        return "[secret]"

    def __str__(self) -> str:
        return "[secret]"


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties of a resource as plain Python values; secrets as what is in them."""
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
    """The value at a property path (`spec.containers[0].image`): None where nothing is there, UNKNOWN where
    it or something above it is not known yet."""
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


def each(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(index path, entry) of a list that is known: `path[0]`, ... Of anything else nothing."""
    if isinstance(node, list):
        for index, entry in enumerate(cast("list[Any]", node)):
            yield f"{path}[{index}]", entry


def holds_unknown(node: Any) -> bool:
    """Whether a value or anything in it is not known yet."""
    if isinstance(node, Mapping):
        return any(holds_unknown(entry) for entry in cast("Mapping[str, Any]", node).values())
    if isinstance(node, list):
        return any(holds_unknown(entry) for entry in cast("list[Any]", node))
    return node is UNKNOWN
