"""The component that takes a key, its argument, and what the argument accepts."""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections.abc import Iterator, Sequence
from functools import cache
from types import ModuleType
from typing import Annotated, Any, Final, get_args, get_origin

import pulumi

from aiplatform._plugin import COMPONENTS
from aiplatform._plugin.schema import settings_of
from stacks.explain import types
from stacks.explain.keys import ANY, Key, every
from stacks.settings.generated import ComponentTopic

_UNITS: Final = {
    "bytes": "bytes",
    "cpu": "vCPUs",
    "days": "days",
    "gib": "GiB",
    "hours": "hours",
    "mib": "MiB",
    "minutes": "minutes",
    "percent": "percent",
    "seconds": "seconds",
}
"""Last word of a key's name -> its unit."""
_SHARED: Final = "_shared"
"""The folder of arguments that several components have."""
_UNIT: Final = re.compile(r"-?[\d.]+ to -?[\d.]+ (?P<unit>\w.*)")
_PROBES: Final = (math.inf, "\0", "", ["\0"] * 10_000)
"""Values that rules refuse, stating what they expect."""


def topic(key: Key) -> type[ComponentTopic] | None:
    """Return the model of a key's topic where its keys are arguments of a component."""
    model = next(types.models_in(every()[key.path[:1]].field.annotation))
    return model if issubclass(model, ComponentTopic) else None


def component(key: Key) -> type | None:
    """Return the component that takes a key; None for what only the program reads."""
    model = topic(key)
    if model is None:
        return None
    return _component(model) if len(key.path) == 1 or _is_argument(key) else None


def _is_argument(key: Key) -> bool:
    """Return whether a key is an argument of its topic's component, and not one that only the file has, as a
    team's budget or a network that exists, which the program passes on to other components."""
    model = topic(key)
    return (
        model is not None
        and issubclass(key.owner, ComponentTopic)
        and _folder(key.owner) in (_SHARED, _folder(model))
        and key.path[-1] in key.owner.argument_type.__annotations__
        and (not _whole(model) or arguments_path(key)[0] in model.argument_type.__annotations__)
    )


def _whole(model: type[ComponentTopic]) -> bool:
    """Return whether a topic has the arguments of its component, and not those of one object of them."""
    return f"{_component(model).__name__}Args" == model.argument_type.__name__


def entity(component: type) -> str:
    """Return the folder of a component: `gpu_pool`."""
    return component.__module__.rsplit(".", maxsplit=1)[-1]


def arguments_path(key: Key) -> tuple[str, ...]:
    """Return a key as a path of its component's arguments, without entries: `("capacity", "zone")`."""
    model = topic(key)
    if model is None:
        return ()
    # An entry of `teams` is an object of the argument of this name.
    path = key.path[1:] if _whole(model) else key.path
    return tuple(part for part in path if part != ANY)


def argument(key: Key) -> dataclasses.Field[Any] | None:
    """Return the field of the checked arguments that a key is; None where there is none."""
    return _resolved(key)[0]


def allowed(key: Key) -> list[str]:
    """Return what the rules of a key expect; the words that it accepts are in its type."""
    rules = [*_rules(_resolved(key)[1]), *_constraints(key.field.annotation, key.field.metadata)]
    return list(dict.fromkeys(rules))


def unit(key: Key) -> str | None:
    """Return the unit of a number; None where it has none, or is no number."""
    if not re.search(r"\b(integer|number)\b", types.words(key.field.annotation)):
        return None
    for text in allowed(key):
        match = _UNIT.fullmatch(text)
        if match:
            return match["unit"]
    return _UNITS.get(key.path[-1].rpartition("_")[2])


@cache
def _components() -> dict[str, type]:
    return {entity(component): component for component in COMPONENTS}


def _component(model: type[ComponentTopic]) -> type:
    return _components()[_folder(model)]


def _folder(model: type[ComponentTopic]) -> str:
    """Return the folder of the arguments of a topic, below `aiplatform`."""
    return model.argument_type.__module__.split(".")[1]


@cache
def _hints(model: type) -> dict[str, Any]:
    return typing.get_type_hints(model, localns={"Output": pulumi.Output, "T": Any}, include_extras=True)


def _resolved(key: Key) -> tuple[dataclasses.Field[Any] | None, Any]:
    """Return the field of the checked arguments, and its annotation."""
    taken_by = component(key)
    model: Any = settings_of(taken_by) if taken_by is not None else None
    field, annotation = None, None
    for part in arguments_path(key):
        if model is None:
            return None, None
        field = next((field for field in dataclasses.fields(model) if field.name == part), None)
        if field is None:
            return None, None
        annotation = _hints(model)[part]
        model = next(_dataclasses(annotation), None)
    return field, annotation


def _dataclasses(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        yield annotation
    for inside in get_args(annotation):
        if not isinstance(inside, ModuleType):
            yield from _dataclasses(inside)


def _rules(annotation: Any) -> Iterator[str]:
    """Yield what the rules of an annotation expect, of the entries of a list, too."""
    if get_origin(annotation) is Annotated:
        inside, *rules = get_args(annotation)
        for rule in rules:
            text = _expected(rule) if callable(rule) else None
            if text:
                yield text
        yield from _rules(inside)
        return
    for inside in get_args(annotation):
        yield from _rules(inside)


def _expected(rule: Any) -> str | None:
    """Return what a rule expects, from its answer to a value that it refuses."""
    for probe in _PROBES:
        try:
            reason = rule(probe)
        except (TypeError, ValueError, AttributeError, OverflowError):
            continue
        if isinstance(reason, str) and "expected " in reason:
            return reason.partition("expected ")[2]
    return None


def _constraints(annotation: Any, metadata: Sequence[Any]) -> Iterator[str]:
    """Yield the constraints of a key that only the file has."""
    for entry in metadata:
        for name, words in (
            ("pattern", "matching {}"),
            ("min_length", "at least {} long"),
            ("max_length", "at most {} long"),
            ("ge", "at least {}"),
            ("le", "at most {}"),
        ):
            value = getattr(entry, name, None)
            if value is not None:
                yield words.format(value)
    if hasattr(annotation, "__metadata__"):
        yield from _constraints(get_args(annotation)[0], annotation.__metadata__)
    for inside in get_args(annotation) if not hasattr(annotation, "__metadata__") else ():
        yield from _constraints(inside, ())
