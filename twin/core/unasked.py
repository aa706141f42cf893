"""What the cloud has and the program does not ask for, where the real provider would take it away.

A property that the provider's schema calls optional and not computed must be what the program says. Where
the service fills in a value by itself, every preview shows a change; a schema that knows better calls the
property computed, gives it a default, or suppresses the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twin.checks.sdk import Sdk, objects
from twin.checks.types import ListOf, Property
from twin.core.diff import nothing
from twin.property_values import Path_, without_indices


@dataclass(frozen=True)
class Unasked:
    """One resource type's schema.

    accepted: paths that may have a value though the program gives none. suppressed: the same, with all that
    is in them. defaults: values of the schema by path.
    """

    sdk: Sdk
    accepted: frozenset[str]
    suppressed: frozenset[str]
    defaults: Mapping[str, Any]
    sets: frozenset[str] = frozenset()
    """Paths of lists whose order means nothing."""

    def paths(
        self, properties: Mapping[str, Property], state: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Iterator[Path_]:
        """Where the state has what these inputs do not ask for. properties: of the type's arguments."""
        yield from self._paths(properties, state, inputs, ())

    def _paths(
        self,
        properties: Mapping[str, Property],
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        before: Path_,
    ) -> Iterator[Path_]:
        for name, property in properties.items():
            path = (*before, name)
            has, wanted = state.get(name), inputs.get(name)
            if nothing(has):
                continue
            plain = without_indices(path)
            if plain in self.suppressed:
                continue
            if wanted is None:
                if plain not in self.accepted and has != self.defaults.get(plain):
                    yield path
                continue
            inner = next(iter(objects(property.type)), None)
            if inner is None:
                continue
            known = self.sdk.properties(inner)
            if isinstance(has, Mapping) and isinstance(wanted, Mapping):
                yield from self._paths(known, has, wanted, path)
            elif isinstance(property.type, ListOf) and isinstance(has, list) and isinstance(wanted, list):
                pairs = _by_likeness(has, wanted) if plain in self.sets else zip(has, wanted, strict=False)
                for index, (one, other) in enumerate(pairs):
                    if isinstance(one, Mapping) and isinstance(other, Mapping):
                        yield from self._paths(known, one, other, (*path, index))


def _by_likeness(has: list[Any], wanted: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each member of one set with the member of the other that has most of its values."""
    left = list(wanted)
    for member in has:
        if not left:
            return
        like = max(left, key=lambda other: _likeness(member, other))
        left.remove(like)
        yield member, like


def _likeness(one: Any, other: Any) -> int:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return int(one == other)
    return sum(key in other and other[key] == value for key, value in one.items())
