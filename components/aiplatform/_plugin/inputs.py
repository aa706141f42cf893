"""From inputs as the schema names them (camelCase) to the arguments of a component in Python."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from pulumi import Output
from pulumi.errors import InputPropertyErrorDetails
from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType

from aiplatform._plugin.arrival import Arrived
from aiplatform._plugin.schema import Definitions
from aiplatform._shared.args import got, nearest

_SHAPE: Final = "it decides what is created"


class Reader:
    """Reads the inputs of one component, and collects what is wrong with them in `problems`.

    An output of another resource that is known (a stack reference, or any output once it exists) counts as
    its value, with its dependencies. One that is not known yet is an error where the schema says `plain`.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self.problems: list[InputPropertyErrorDetails] = []

    def read(
        self,
        inputs: Mapping[str, Any],
        properties: Mapping[str, PropertyDefinition],
        names: Mapping[str, str],
        path: str = "",
    ) -> dict[str, Any]:
        """Return the arguments by their names in Python. names: name in the schema -> name in Python."""
        for key in inputs:
            if key not in properties:
                self._report(path + key, f"unknown key{self._suggestion(key, properties)}")
        arguments: dict[str, Any] = {}
        for key, prop in properties.items():
            value = inputs.get(key)
            if value is None or (isinstance(value, Arrived) and value.value is None):
                if not prop.optional:
                    self._report(path + key, f"missing, expected {self._words(prop)}")
            else:
                arguments[names[key]] = self._value(value, prop, path + key)
        return arguments

    def _suggestion(self, key: str, properties: Mapping[str, PropertyDefinition]) -> str:
        for name, prop in properties.items():
            block = self._definitions.type_of(prop)
            if block is not None and key in block.properties:
                return f"; did you mean '{name}.{key}'?"
        return nearest(key, properties) or f"; known keys: {', '.join(sorted(properties))}"

    def _value(self, value: Any, prop: PropertyDefinition, path: str) -> Any:
        if isinstance(value, Output):
            # Only a caller in this process has one: over the wire it would have arrived resolved.
            value = cast("Output[Any]", value)
            return value if not prop.plain else self._late(value, prop, path)
        if not isinstance(value, Arrived):
            return self._composite(value, prop, path)
        if value.entries is not None and (prop.plain or self._has_objects(prop)):
            return self._composite(self._by_schema(value.entries, prop), prop, path)
        if not prop.plain:
            return value.output()
        if not value.known:
            return self._late(value.output(), prop, path)
        if value.secret:
            self._report(path, f"got a secret; expected {self._words(prop)} that is not secret: {_SHAPE}")
            return None
        return value.value

    def _by_schema(self, entries: Any, prop: PropertyDefinition) -> Any:
        """Return the entries of an output by their names in the schema: a stack whose program is in Python
        exports `network.outputs` by their names in Python."""
        definition = self._definitions.type_of(prop)
        if definition is None or not isinstance(entries, Mapping):
            return entries
        names = {python: public for public, python in definition.properties_mapping.items()}
        return {names.get(key, key): entry for key, entry in cast("Mapping[str, Any]", entries).items()}

    def _late(self, value: Any, prop: PropertyDefinition, path: str) -> None:
        definition = self._definitions.type_of(prop)
        hint = ", whose values may be outputs" if definition and definition.enum is None else ""
        self._report(path, f"{got(value)}; expected {self._words(prop)}{hint}: {_SHAPE}")

    def _composite(self, value: Any, prop: PropertyDefinition, path: str) -> Any:
        if prop.items is not None and isinstance(value, list):
            item, entries = prop.items, enumerate(cast("list[Any]", value))
            return [self._value(entry, item, f"{path}[{index}]") for index, entry in entries]
        if prop.additional_properties is not None and isinstance(value, Mapping):
            inner, pairs = prop.additional_properties, cast("Mapping[str, Any]", value).items()
            return {key: self._value(entry, inner, f"{path}.{key}") for key, entry in pairs}
        definition = self._definitions.type_of(prop)
        if definition is None or definition.enum is not None:
            return value
        if not isinstance(value, Mapping):
            self._report(path, f"{got(cast(object, value))}; expected {self._words(prop)}")
            return None
        entries = cast("Mapping[str, Any]", value)
        return self.read(entries, definition.properties, definition.properties_mapping, f"{path}.")

    def _has_objects(self, prop: PropertyDefinition) -> bool:
        """Whether a value has objects in it whose keys are named differently in Python."""
        inner = prop.items or prop.additional_properties
        if inner is not None:
            return self._has_objects(inner)
        definition = self._definitions.type_of(prop)
        return definition is not None and definition.enum is None

    def _words(self, prop: PropertyDefinition) -> str:
        definition = self._definitions.type_of(prop)
        if definition is not None and definition.enum is not None:
            return f"one of {', '.join(str(member.value) for member in definition.enum)}"
        if definition is not None:
            return f"an object with {', '.join(definition.properties)}"
        if prop.type is PropertyType.ARRAY:
            return "a list"
        if prop.type is PropertyType.OBJECT or prop.type is None:
            return "an object"
        return f"{'an' if prop.type is PropertyType.INTEGER else 'a'} {prop.type.value}"

    def _report(self, path: str, reason: str) -> None:
        self.problems.append(problem(path, reason))


def has_unknown(inputs: Mapping[str, Any], path: str) -> bool:
    """Return whether the value at a path, or a part of it, is an output that has no value yet."""
    value: Any = inputs
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, Arrived) and value.known:
            value = value.entries
        if isinstance(value, Arrived | Output):
            return True
        if isinstance(value, list):
            entries = cast("list[Any]", value)
            value = entries[int(key)] if key.isdecimal() and int(key) < len(entries) else None
        else:
            value = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return _contains_unknown(value)


def _contains_unknown(value: Any) -> bool:
    if isinstance(value, Arrived):
        return not value.known
    if isinstance(value, Mapping):
        return any(_contains_unknown(entry) for entry in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(_contains_unknown(entry) for entry in cast("list[Any]", value))
    return isinstance(value, Output)


def problem(path: str, reason: str) -> InputPropertyErrorDetails:
    """Return what is wrong with an input, as the engine takes it."""
    return {"property_path": path, "reason": reason}
