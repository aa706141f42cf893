"""Calls as table entries: an operation and a template of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twin.aws.resources.fields import Field, Fields


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
class Change:
    """A call that carries any change: it sends all that creating sends, but for tags.

    call: none where the create call is made again. without: parameters that it does not take. keeps: what the
    program leaves to the service is sent as it was. only_changed: it sends what changed and no more. fields:
    properties that the call names otherwise than creating does, or with "" does not take. cleared: by
    property, the parameters that take it away.
    """

    call: Call | None = None
    without: frozenset[str] = frozenset()
    keeps: bool = False
    only_changed: bool = False
    fields: Fields = field(default_factory=dict[str, Field])
    cleared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


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
