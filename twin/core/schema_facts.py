"""What the real provider's schemas state of a resource type: twin/<cloud>/facts.json, extracted by
tools/provider_facts, which names the sources. A table entry adds only what no schema states.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from twin.checks.sdk import ResourceSchema, sdk
from twin.core.unasked import Unasked
from twin.property_values import Path_
from twin.provider_interface import UNKNOWN, Failure, Props, ResourceType

Facts = Mapping[str, Any]


@cache
def every(file: Path) -> Mapping[str, Facts]:
    """The facts of a cloud's types by token."""
    return json.loads(file.read_bytes())["types"]


class FromSchema(ResourceType):
    """A resource type whose attributes the facts complete; what the entry states itself wins."""

    _stated: ClassVar[Mapping[str, Any]]
    completed: ClassVar[tuple[str, ...]] = (
        *("immutable", "immutable_blocks", "computed", "server", "sets", "suppressed", "defaults"),
        *("nested_defaults", "conflicts", "exactly_one", "at_least_one", "together"),
    )
    """The attributes that facts complete."""
    facts_file: ClassVar[Path]
    strict: ClassVar[bool] = True
    """Whether a value that the service alone fills in is a change."""
    package: ClassVar[str]
    """The SDK's package (`pulumi_gcp`)."""
    sets: ClassVar[frozenset[str]] = frozenset()
    """Paths of lists whose order means nothing."""
    nested_defaults: ClassVar[Mapping[str, Any]] = {}
    """Defaults of the provider's schema inside of objects, by path; `defaults` has those of the top."""
    conflicts: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Properties that exclude each other: the first all others."""
    exactly_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    at_least_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of which one at least must be there, where the object is that they are in."""
    together: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Properties that need others."""
    immutable_blocks: ClassVar[frozenset[str]] = frozenset()
    """Objects that cannot be added or removed in place, though something in them can change."""
    server: ClassVar[frozenset[str]] = frozenset()
    """Paths of inputs that the cloud fills in where the program leaves them out."""
    suppressed: ClassVar[Mapping[str, str]] = {}
    """Paths whose differences a function of the provider decides on, or that only the cloud writes: no value
    from the program is no difference."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "token" in vars(cls):
            # Of a class that is a type itself, what it states: its facts are not this type's.
            cls._stated = {name: cls._stated_value(name) for name in cls.completed}
            for name, value in cls._stated.items():
                setattr(cls, name, value)
            cls.complete(every(cls.facts_file).get(cls.token, {}))

    @classmethod
    def _stated_value(cls, name: str) -> Any:
        home = next(base for base in cls.__mro__ if name in vars(base))
        return vars(home).get("_stated", vars(home))[name]

    @classmethod
    def complete(cls, facts: Facts) -> None:
        """Complete the entry with these facts."""
        server = frozenset(facts.get("server", ()))
        cls.immutable = cls.immutable.union(facts.get("immutable", ()))
        cls.immutable_blocks = cls.immutable_blocks.union(facts.get("immutable_blocks", ()))
        cls.computed = cls.computed.union(path for path in server if "." not in path)
        cls.server = cls.server | server
        cls.sets = cls.sets.union(facts.get("sets", ()))
        cls.suppressed = {
            **dict.fromkeys(facts.get("output", ()), ""),
            **facts.get("suppressed", {}),
            **cls.suppressed,
        }
        defaults = facts.get("defaults", {})
        cls.defaults = {
            **{path: value for path, value in defaults.items() if "." not in path},
            **cls.defaults,
        }
        cls.nested_defaults = {
            **{path: value for path, value in defaults.items() if "." in path},
            **cls.nested_defaults,
        }
        cls.conflicts = (*cls.conflicts, *_pairs(facts.get("conflicts", {}), cls.conflicts))
        cls.exactly_one = _groups(cls.exactly_one, facts.get("exactly_one_of", ()))
        cls.at_least_one = _groups(cls.at_least_one, facts.get("at_least_one_of", ()))
        cls.together = {**facts.get("required_with", {}), **cls.together}

    @cached_property
    def sdk_schema(self) -> ResourceSchema:
        """Inputs and outputs by the SDK."""
        schema = sdk(self.package).resource(self.token)
        if schema is None:
            raise LookupError(f"{self.package} has no {self.token}")
        return schema

    def wrong_company(self, inputs: Props) -> Iterator[Failure]:
        """What excludes something else, of what one must be there, and what needs another.

        A group inside an object applies where that object is.
        """
        # A default that Check filled in excludes nothing.
        changed = {name: value for name, value in inputs.items() if self.defaults.get(name, UNKNOWN) != value}
        yield from _conflicting(self.conflicts, changed)
        yield from _too_many(self.exactly_one, changed)
        yield from _too_few((*self.exactly_one, *self.at_least_one), inputs)
        for name, needed in self.together.items():
            if is_set(changed, name) and not all(is_set(inputs, other) for other in needed):
                yield Failure(name, f'"{name}": all of `{",".join([name, *needed])}` must be specified')

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path in self.immutable_blocks or super().replaces(path, old, new):
            return True
        # An object that comes or goes with something immutable in it.
        inside = [property for property in self.immutable if property.startswith(f"{path}.")]
        return any(is_set(props, property) for property in inside for props in (old, new))

    def unasked(self, state: Props, inputs: Props) -> Iterable[Path_]:
        if not self.strict or self.token not in every(self.facts_file):
            return ()
        defaults = {**self.nested_defaults, **self.defaults}
        known = Unasked(sdk(self.package), self.server, frozenset(self.suppressed), defaults, self.sets)
        return known.paths(self.sdk_schema.inputs, state, inputs)


def _conflicting(conflicts: Sequence[Sequence[str]], inputs: Props) -> Iterator[Failure]:
    for name, *others in conflicts:
        for other in others:
            if is_set(inputs, name) and is_set(inputs, other):
                yield Failure(name, f'"{name}": conflicts with {other}')


def _too_many(groups: Sequence[Sequence[str]], inputs: Props) -> Iterator[Failure]:
    for names in groups:
        there = [name for name in names if is_set(inputs, name)]
        if len(there) > 1:
            both = ",".join(there)
            reason = f"only one of `{','.join(names)}` can be specified, but `{both}` were specified."
            yield Failure(there[0], f'"{there[0]}": {reason}')


def _too_few(groups: Sequence[Sequence[str]], inputs: Props) -> Iterator[Failure]:
    for names in groups:
        if _applies(inputs, names) and not any(is_set(inputs, name) for name in names):
            yield Failure(names[0], f'"{names[0]}": one of `{",".join(names)}` must be specified')


def at(value: Any, path: Sequence[str], place: str = "") -> Iterator[tuple[str, Any]]:
    """The values at a path without indices, each with its own path; lists on the way are walked."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from at(item, path, f"{place}[{index}]")
    elif not path:
        yield place, value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from at(value[path[0]], path[1:], f"{place}.{path[0]}" if place else path[0])


def is_set(inputs: Props, name: str) -> bool:
    """Whether there is a value at a path without indices: false and an empty object are values."""
    return any(value is not None and value != [] for _, value in at(inputs, name.split(".")))


def _applies(inputs: Props, names: Sequence[str]) -> bool:
    """Whether the object is there that all of these are in."""
    first, *others = (name.split(".")[:-1] for name in names)
    common = [part for i, part in enumerate(first) if all(other[i : i + 1] == [part] for other in others)]
    return not common or any(isinstance(item, Mapping) for _, item in at(inputs, common))


def _groups(groups: tuple[tuple[str, ...], ...], more: Any) -> tuple[tuple[str, ...], ...]:
    known = {frozenset(group) for group in groups}
    # A group of one is what is left of names that are relative to a block: the property itself is optional.
    return (*groups, *(tuple(group) for group in more if len(group) > 1 and frozenset(group) not in known))


def _pairs(conflicts: Mapping[str, list[str]], groups: tuple[tuple[str, ...], ...]) -> list[tuple[str, str]]:
    known = {frozenset((first, other)) for first, *others in groups for other in others}
    pairs: list[tuple[str, str]] = []
    for first, others in conflicts.items():
        for other in others:
            if frozenset((first, other)) not in known:
                known.add(frozenset((first, other)))
                pairs.append((first, other))
    return pairs
