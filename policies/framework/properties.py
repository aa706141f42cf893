"""Access to the properties of resources by path.

During a preview some values are unknown. `known` returns a value or raises `Deferred`, which ends the rule
and defers it to `up`; no rule has to test for unknown values itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .values import UNKNOWN, at, contains_unknown


class Deferred(Exception):  # noqa: N818 - control flow as with StopIteration, not an error
    """A check met an unknown value: it is deferred to `up`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is known only at `up`")
        self.path = path
        """The property path of the unknown value."""


class Properties:
    """Properties that are read by path, such as `spec.containers[0].image`."""

    path: str
    """Its own property path; empty for a resource."""
    body: Any
    """Its value: a mapping with the properties, or an entry of a list."""

    def where(self, path: str) -> str:
        """Return the property path, from the resource, of what is at a path below this."""
        return f"{self.path}.{path}" if self.path and path else self.path or path

    def known(self, path: str = "") -> Any:
        """Return the value at a path, None where there is none. Raises Deferred where it, or something above
        it, is unknown."""
        value = at(self.body, path)
        if value is UNKNOWN:
            raise Deferred(self.where(path))
        return value

    def fully_known(self, path: str = "") -> Any:
        """Return the value at a path as `known` does. Raises Deferred also where a part of it is unknown."""
        value = at(self.body, path)
        if contains_unknown(value):
            raise Deferred(self.where(path))
        return value

    def raw(self, path: str = "") -> Any:
        """Return the value at a path, UNKNOWN where it is unknown. For a rule that one known value decides
        whatever the others are; any other rule uses `known`."""
        return at(self.body, path)

    def entries(self, path: str = "") -> Iterator[Entry]:
        """Yield the entries of the list at a path; a single value counts as a list of one, a missing one as
        an empty list. Raises Deferred for an unknown list; an unknown entry raises it when it is read."""
        value, where = self.known(path), self.where(path)
        if isinstance(value, list):
            for index, entry in enumerate(cast("list[Any]", value)):
                yield Entry(f"{where}[{index}]", entry)
        elif value is not None:
            yield Entry(where, value)

    def mapping(self, path: str = "") -> Mapping[str, Any]:
        """Return the mapping at a path, an empty one where there is none. Its values may be UNKNOWN."""
        value = self.known(path)
        return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


@dataclass(frozen=True)
class Entry(Properties):
    """An entry of a list, or an object below a resource."""

    path: str
    body: Any


def describe(value: Any) -> str:
    """Return how a message states a value: `is 'X'`, `is false`, or `is not set`."""
    if value is None:
        return "is not set"
    return f"is {str(value).lower() if isinstance(value, bool) else repr(value)}"
