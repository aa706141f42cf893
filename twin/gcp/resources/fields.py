"""How a Pulumi property and a Google API field correspond, in both directions.

Most have the same name, and their types state the rest: the SDK's for the property, the discovery document's
for the field. A number in text (`int64`), one object where the other side has a list of one, are found by
them. A table entry names only what differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.checks.sdk import Sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Type
from twin.provider_interface import UNKNOWN, Props

Schema = Mapping[str, Any]
_INDEX: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Field:
    """One property that is not simply a field of the same name.

    api: the field, dotted where it lies deeper than the property (`routingConfig.routingMode`); None: the
    same name. sent, read: whether requests and answers hold it; one that is not read is believed from the
    state. encode, decode: from the property's value to the field's and back; they get the value converted by
    its types already.
    """

    api: str | None = None
    sent: bool = True
    read: bool = True
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


Fields = Mapping[str, Field]
"""By the property's path without indices (`nodeConfig.taints`)."""


def renamed(**names: str) -> dict[str, Field]:
    """Top-level properties with another name in the API."""
    return {name: Field(api) for name, api in names.items()}


def local(*names: str) -> dict[str, Field]:
    """Inputs that steer the provider and that no API knows: the state is believed."""
    return {name: Field(sent=False, read=False) for name in names}


def only_read(*names: str, **others: str) -> dict[str, Field]:
    """Properties that no request holds."""
    return {name: Field(sent=False) for name in names} | {
        name: Field(api, sent=False) for name, api in others.items()
    }


def only_sent(*names: str) -> dict[str, Field]:
    """Inputs that no answer holds."""
    return {name: Field(read=False) for name in names}


@dataclass(frozen=True)
class Shape:
    """Properties of a resource type and fields of an API's schema.

    schemas: of the API's document. root: the name of the resource's schema. fields: what differs.
    """

    sdk: Sdk
    schemas: Mapping[str, Schema]
    root: str
    fields: Fields

    # Properties -> fields

    def encode(self, properties: Mapping[str, Property], props: Props) -> tuple[Props, dict[str, str]]:
        """The body for these properties, and by each field's path the property that it came from.

        UNKNOWN stays where it is, None is left out.
        """
        body: Props = {}
        places: dict[str, str] = {}
        self._encode_object(self._schema(self.root), props, body, "", "", places)
        return body, places

    def _encode_object(
        self, schema: Schema, props: Props, body: Props, path: str, api_path: str, places: dict[str, str]
    ) -> None:
        for name, value in props.items():
            where = f"{path}.{name}" if path else name
            field = self.fields.get(_INDEX.sub("", where), _SAME)
            if value is None or not field.sent:
                continue
            api = name if field.api is None else field.api
            there = f"{api_path}.{api}" if api_path else api
            inner: Schema | None = schema
            for part in api.split("."):
                inner = self._property(inner, part)
            encoded = self._encode(inner, value, where, there, places)
            if field.encode and encoded is not UNKNOWN:
                encoded = field.encode(encoded)
            if encoded is not None:
                places[there] = where
                _put(body, api.split("."), encoded)

    def _encode(
        self, schema: Schema | None, value: Any, path: str, api_path: str, places: dict[str, str]
    ) -> Any:
        if value is UNKNOWN or value is None:
            return value
        kind = (schema or {}).get("type", "object" if (schema or {}).get("properties") else "")
        if isinstance(value, list):
            if kind == "array" or not schema or "additionalProperties" in schema:
                # A list of what the API keys by one of its fields is turned into that by its own `encode`.
                inside = schema.get("items", schema.get("additionalProperties")) if schema else None
                items = self._resolved(inside)
                return [
                    self._encode(items, item, f"{path}[{i}]", f"{api_path}[{i}]", places)
                    for i, item in enumerate(value)
                ]
            return self._encode(schema, value[0], f"{path}[0]", api_path, places) if value else None
        if isinstance(value, dict):
            if kind == "array":
                items = self._resolved((schema or {}).get("items"))
                return [self._encode(items, value, path, f"{api_path}[0]", places)]
            if schema and "additionalProperties" in schema:
                return dict(value)
            encoded: Props = {}
            self._encode_object(schema or {}, value, encoded, path, api_path, places)
            return encoded
        return _scalar_to_api(schema or {}, value)

    # Fields -> properties

    def decode(self, properties: Mapping[str, Property], item: Props) -> Props:
        """The properties that an answer states; what it leaves out is left out."""
        return self._decode_object(properties, item, "")

    def _decode_object(self, properties: Mapping[str, Property], item: Mapping[str, Any], path: str) -> Props:
        props: Props = {}
        for name, property in properties.items():
            where = f"{path}.{name}" if path else name
            field = self.fields.get(where, _SAME)
            if not field.read:
                continue
            value: Any = item
            for part in (name if field.api is None else field.api).split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if field.decode:
                value = field.decode(value)
            value = None if value is None else self._decode(property.type, value, where)
            if value is not None:
                props[name] = value
        return props

    def _decode(self, type: Type, value: Any, path: str) -> Any:
        if isinstance(type, OneOf):
            type = type.options[0]
        if isinstance(type, ListOf):
            items = value if isinstance(value, list) else [value]
            return [self._decode(type.item, item, path) for item in items]
        if isinstance(type, ObjectOf):
            if isinstance(value, list):
                return self._decode(type, value[0], path) if value else None
            if isinstance(value, Mapping):
                return self._decode_object(self.sdk.properties(type), value, path)
            return value
        if isinstance(type, MapOf) or not isinstance(type, Scalar):
            return value
        return _scalar_from_api(type, value)

    # Schemas

    def _schema(self, name: str) -> Schema:
        return self.schemas.get(name, {})

    def _resolved(self, schema: Schema | None) -> Schema | None:
        return self._schema(schema["$ref"]) if schema and "$ref" in schema else schema

    def _property(self, schema: Schema | None, name: str) -> Schema | None:
        return self._resolved((schema or {}).get("properties", {}).get(name))


_SAME: Final = Field()


def _scalar_to_api(schema: Schema, value: Any) -> Any:
    kind = schema.get("type")
    if isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "integer" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind == "boolean" and value in ("TRUE", "FALSE"):
        return value == "TRUE"
    return value


def _scalar_from_api(type: Scalar, value: Any) -> Any:
    if type.name == "integer" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if type.name == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if type.name == "number" and isinstance(value, str):
        return float(value)
    if type.name == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if type.name == "string" and isinstance(value, bool):
        return str(value).upper()
    return value


def _put(body: Props, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    if isinstance(value, dict) and isinstance(body.get(path[-1]), dict):
        body[path[-1]].update(value)
    else:
        body[path[-1]] = value
