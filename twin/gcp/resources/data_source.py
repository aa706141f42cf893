"""What a function answers of a resource, from the outputs of the resource's type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.checks.sdk import sdk
from twin.checks.types import ListOf, ObjectOf, Property, Type
from twin.provider_interface import Props


def data_source(properties: Mapping[str, Property], answered: Props) -> Props:
    """A data source's object, whose blocks are lists of one under a plural name, at every depth."""
    decoded: Props = {}
    for name, property in properties.items():
        single = next((name_ for name_ in (name, *_singular(name)) if name_ in answered), "")
        decoded[name] = _as(property.type, answered.get(single))
    return decoded


def _as(type: Type, value: Any) -> Any:
    if isinstance(type, ListOf):
        members: list[Any] = [] if value is None else value if isinstance(value, list) else [value]
        return [_as(type.item, member) for member in members]
    if isinstance(type, ObjectOf) and isinstance(value, dict):
        return data_source(sdk("pulumi_gcp").properties(type), value)
    return value


def _singular(name: str) -> list[str]:
    return [name.removesuffix("s"), f"{name.removesuffix('ies')}y", name.removesuffix("es")]
