"""Calls as table entries: an operation and a template of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twin.resource import UNKNOWN

_PLACE: Final = re.compile(r"\{(\w+)\}")
_EMPTY: Final[tuple[Any, ...]] = ({}, [])


@dataclass(frozen=True)
class Call:
    """An API operation (`DescribeSubnets`) and its parameters, with `{name}` for values.

    A parameter that is nothing but `{name}` takes the value as it is (a list, a number), and is left out
    where there is no such value; inside other text the value is written into it.
    """

    operation: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Update:
    """A call that carries a change of some properties.

    when: the properties; the call is made when one of them changed. created: made after a create too,
    when one of them has another value than the given one (what the API sets on its own).
    """

    when: tuple[str, ...]
    call: Call
    created: Any = None
    after_create: bool = False


@dataclass(frozen=True)
class Wait:
    """Poll the read call until a state.

    status: jmespath in the item. ready: states that end the wait. failed: states that end it as an error.
    issues: jmespath of what the error adds. seconds: how long, unless customTimeouts says. stuck: states
    that may pass (an add-on without nodes is DEGRADED) and are errors after `patience` seconds in a row.
    """

    status: str
    ready: frozenset[str]
    failed: frozenset[str] = frozenset()
    issues: str = ""
    seconds: float = 600.0
    stuck: frozenset[str] = frozenset()
    patience: float = 60.0


def after(when: str, operation: str, params: Mapping[str, Any], initial: Any = None) -> Update:
    """A property that creating cannot set: a call after it, unless the value is what the API begins with."""
    return Update((when,), Call(operation, params), created=initial, after_create=True)


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its values; what has none is left out."""
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, Mapping):
        filled = {key: fill(value, values) for key, value in template.items()}
        return {
            key: value
            for key, value in filled.items()
            if value is not None
            and not (value in _EMPTY and template[key] not in _EMPTY and _is_mapping(template[key]))
        }
    if isinstance(template, (list, tuple)):
        return [value for member in template if (value := fill(member, values)) is not None]
    return template


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACE.fullmatch(template)
    if whole:
        return values.get(whole[1])
    wanted = _PLACE.findall(template)
    if any(values.get(name) is UNKNOWN for name in wanted):
        return UNKNOWN
    if any(values.get(name) is None for name in wanted):
        return None
    return _PLACE.sub(lambda match: str(values[match[1]]), template)


def parse(form: str, text: str) -> dict[str, str]:
    """The values in a text of a form: `{clusterName}:{addonName}` in `a:b`. {} where it does not fit."""
    pattern = "".join(
        f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(_PLACE.split(form))
    )
    match = re.fullmatch(pattern, text)
    return match.groupdict() if match else {}
