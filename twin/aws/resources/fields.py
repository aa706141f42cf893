"""How a Pulumi property and an AWS API member correspond, in both directions.

A table of fields says it once: creating maps properties to parameters, reading maps the answer to
properties, and an error in a parameter is traced back to its property.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jmespath

from twin.provider_interface import UNKNOWN, Props

_PART: Final = re.compile(r"[^.\[\]]+|\[\d+\]")


@dataclass(frozen=True)
class Field:
    """One property.

    api: the member of the create call's parameters, dotted where it is nested (`Placement.Tenancy`);
    empty: not part of the create call. read: the jmespath in what the read call answers; None: as `api`;
    empty: the API does not report, and the state is believed. of: the fields of a nested object, or of the
    objects of a list. encode, decode: from a property's value to a parameter's and back.
    """

    api: str = ""
    read: str | None = None
    of: Mapping[str, Field] | None = None
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None

    @property
    def path(self) -> str:
        """The jmespath that reads it."""
        return self.api if self.read is None else self.read


Fields = Mapping[str, Field]


def pascal(*names: str) -> dict[str, Field]:
    """Properties whose API member is the same word with a capital letter (EC2, IAM, KMS)."""
    return {name: Field(name[0].upper() + name[1:]) for name in names}


def same(*names: str) -> dict[str, Field]:
    """Properties whose API member has the same name (EKS, CloudWatch Logs)."""
    return {name: Field(name) for name in names}


def json_text(value: Any) -> Any:
    """A JSON document given as an object, as text; UNKNOWN where any part of it is."""
    if isinstance(value, str):
        return value
    return UNKNOWN if has_unknown(value) else json.dumps(value, separators=(",", ":"))


def has_unknown(value: Any) -> bool:
    """Whether UNKNOWN is anywhere in it."""
    if isinstance(value, Mapping):
        return any(has_unknown(member) for member in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_unknown(member) for member in value)
    return value is UNKNOWN


def boolean_text(value: Any) -> Any:
    """Terraform's nullable booleans are text in Pulumi's types: "true" -> True."""
    return {"true": True, "false": False, "1": True, "0": False, "": None}.get(value, value)


def text_of_boolean(value: Any) -> Any:
    """True -> "true"."""
    return str(value).lower() if isinstance(value, bool) else value


def to_api(fields: Fields, props: Mapping[str, Any]) -> Props:
    """The parameters for these properties. UNKNOWN stays where it is; None is left out."""
    params: Props = {}
    for name, field in fields.items():
        value = props.get(name)
        if value is None or not field.api:
            continue
        value = _encode(field, value)
        if value is not None:
            _put(params, field.api.split("."), value)
    return params


def from_api(fields: Fields, item: Mapping[str, Any]) -> Props:
    """The properties that an answer reports; what it leaves out is left out."""
    props: Props = {}
    for name, field in fields.items():
        if not field.path:
            continue
        value = _compiled(field.path).search(item)
        value = None if value is None else _decode(field, value)
        if value is not None:
            props[name] = value
    return props


def property_path(fields: Fields, api_path: str) -> str:
    """The property that an API path came from: `Placement.GroupName` -> `placement.groupName`."""
    return _back(fields, _PART.findall(api_path)) or ""


def names(fields: Fields, prefix: str = "") -> set[str]:
    """The paths of all properties of a table, nested ones dotted."""
    result: set[str] = set()
    for name, field in fields.items():
        result.add(prefix + name)
        if field.of:
            result |= names(field.of, f"{prefix}{name}.")
    return result


def _back(fields: Fields, parts: list[str]) -> str | None:
    # The longest match wins: `LaunchTemplateData.Placement` before `LaunchTemplateData`.
    best: tuple[int, str, Field] | None = None
    for name, field in fields.items():
        wanted = field.api.split(".") if field.api else []
        if wanted and parts[: len(wanted)] == wanted and (best is None or len(wanted) > best[0]):
            best = (len(wanted), name, field)
    if best is None:
        return None
    length, name, field = best
    rest, indices = parts[length:], ""
    while rest and rest[0].startswith("["):
        indices += rest.pop(0)
    if field.of and rest:
        nested = _back(field.of, rest)
        return f"{name}{indices}.{nested}" if nested else name + indices
    # Below a property without nested fields only a map's key can stand.
    return name + indices + "".join(f".{part}" for part in rest if not part.startswith("["))


def _encode(field: Field, value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    if field.encode:
        return field.encode(value)
    return _nested(field, value, to_api)


def _decode(field: Field, value: Any) -> Any:
    if field.decode:
        return field.decode(value)
    return _nested(field, value, from_api)


def _nested(field: Field, value: Any, convert: Callable[[Fields, Mapping[str, Any]], Props]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_nested(field, member, convert) for member in value]
    if field.of is not None and isinstance(value, Mapping):
        return convert(field.of, value)
    return value


def _put(params: Props, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        params = params.setdefault(part, {})
    params[path[-1]] = value


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)
