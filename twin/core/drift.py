"""The inputs that would give what the cloud has: for a refresh (drift) and for an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.checks.sdk import Sdk
from twin.checks.types import ListOf, MapOf, ObjectOf, OneOf, Property, Type
from twin.core.autonaming import DEFAULTS_KEY
from twin.core.diff import nothing
from twin.property_values import compact
from twin.provider_interface import Props, ResourceType


def inputs_now(
    sdk: Sdk, type: ResourceType, properties: Mapping[str, Property], old: Props, before: Props, now: Props
) -> Props:
    """The inputs that the outputs `now` speak of.

    properties: the type's arguments by the SDK. old: the inputs of before, empty on an import. before: the
    outputs of before. What the program never asked for and what did not change since stays out, so that a
    refresh without drift gives the old inputs.
    """
    candidate = _candidate(type, properties, now)
    if not old:
        return _imported(sdk, type, properties, candidate)
    result: Props = {DEFAULTS_KEY: old[DEFAULTS_KEY]} if DEFAULTS_KEY in old else {}
    view = _View(sdk, type)
    for name, property in properties.items():
        value = candidate.get(name)
        if name in old:
            projected = view.project(property.type, name, old[name], before.get(name), value)
            if projected is not None:
                result[name] = projected
        elif name in before and not nothing(value) and not view.same(name, before[name], value):
            result[name] = view.prune(property.type, value)
    return result


def _candidate(type: ResourceType, properties: Mapping[str, Property], now: Props) -> Props:
    try:
        return type.inputs(now)
    except NotImplementedError:
        return {name: now[name] for name in properties if name in now}


def _imported(sdk: Sdk, type: ResourceType, properties: Mapping[str, Property], candidate: Props) -> Props:
    view = _View(sdk, type)
    empty = (None, "", [], {})
    return {
        name: pruned
        for name, property in properties.items()
        if name in candidate
        and candidate[name] not in empty
        and (pruned := view.prune(property.type, candidate[name])) not in empty
    }


class _View:
    def __init__(self, sdk: Sdk, type: ResourceType) -> None:
        self._sdk = sdk
        self._type = type

    def same(self, path: str, old: Any, new: Any) -> bool:
        return bool(old == new) or self._type.same(path, old, new)

    def project(self, type: Type, path: str, wanted: Any, before: Any, now: Any) -> Any:
        """What the cloud has now, in the shape of what was asked: what was not asked for is left out unless
        it changed since."""
        if now is None:
            # An API that does not return it (a password) did not return it before either; one that leaves
            # out what is false or empty has not changed it.
            return wanted if before is None or nothing(wanted) else None
        if self.same(path, wanted, now):
            return wanted
        if isinstance(wanted, dict) and isinstance(now, dict) and (known := self._known(type)):
            was = before if isinstance(before, dict) else {}
            result: Props = {}
            for name, property in known.items():
                where = f"{path}.{name}"
                if name in wanted:
                    projected = self.project(property.type, where, wanted[name], was.get(name), now.get(name))
                    if projected is not None:
                        result[name] = projected
                elif now.get(name) is not None and name in was and not self.same(where, was[name], now[name]):
                    result[name] = self.prune(property.type, now[name])
            return result
        if isinstance(wanted, list) and isinstance(now, list) and len(wanted) == len(now):
            was_list = before if isinstance(before, list) and len(before) == len(now) else [None] * len(now)
            item = _item(type)
            return [
                self.project(item, path, one, was, new)
                for one, was, new in zip(wanted, was_list, now, strict=True)
            ]
        return self.prune(type, now)

    def prune(self, type: Type, value: Any) -> Any:
        """Without what is no argument, at every depth."""
        if isinstance(value, dict):
            known = self._known(type)
            if not known:
                return compact(value)
            return {
                name: self.prune(property.type, value[name])
                for name, property in known.items()
                if value.get(name) is not None
            }
        if isinstance(value, list):
            return [self.prune(_item(type), item) for item in value]
        return value

    def _known(self, type: Type) -> Mapping[str, Property]:
        if isinstance(type, OneOf):
            return next((known for option in type.options if (known := self._known(option))), {})
        return self._sdk.properties(type) if isinstance(type, ObjectOf) else {}


def _item(type: Type) -> Type:
    if isinstance(type, OneOf):
        return next((option.item for option in type.options if isinstance(option, ListOf)), type)
    return type.item if isinstance(type, ListOf | MapOf) else type
