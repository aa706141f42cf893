"""Conditions that tables state of a body or of inputs: by dotted path, what is there.

    {spot = true, "sharing.strategy" = "MPS"}   all of them: a value is there; it is this one
    {spot = false}                              nothing, or what is false, 0 or empty
    {mode = ["A", "B"]}                         one of these
    {mode = {not = ["A", ""]}}                  none of these; where nothing is there, neither
    {mode = {is = false}}                       exactly this, also where it is empty
    {count = {over = 4}}                        a number, or how many there are, above this
    {version = {matches = "MYSQL.*"}}           a text of this form
    {size = {set = true}}                       a value, whichever it is
    {kinds = {has = "A"}}                       a list with this

A path without a value is None. A value that is not known yet meets no condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.provider_interface import UNKNOWN


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for part in path.split("."):
        body = body.get(part) if isinstance(body, Mapping) else None
    return body


def hold(body: Any, conditions: Mapping[str, Any]) -> bool:
    """Whether a body meets all conditions."""
    return all(_meets(at(body, path), wanted) for path, wanted in conditions.items())


def _over(value: Any, least: float) -> bool:
    return (len(value) if isinstance(value, list | dict) else float(value or 0)) > least


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "not": lambda value, others: value not in others,
    "is": lambda value, wanted: value == wanted and type(value) is type(wanted),
    "over": _over,
    "matches": lambda value, pattern: re.fullmatch(pattern, str(value or "")) is not None,
    "has": lambda value, wanted: wanted in (value or ()),
    "set": lambda value, wanted: (value is not None) == wanted,
}


def _meets(value: Any, wanted: Any) -> bool:
    if value is UNKNOWN:
        return False
    if isinstance(wanted, bool):
        return bool(value) == wanted
    if isinstance(wanted, list | tuple):
        return value in wanted
    if isinstance(wanted, Mapping):
        return all(_OPERATORS[name](value, argument) for name, argument in wanted.items())
    return value == wanted
