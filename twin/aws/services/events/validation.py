"""EventBridge: schedules and patterns of rules.

Sources: the API Reference of PutRule; "Comparison operators for use in event patterns" in the User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

_MATCHERS: Final = frozenset(
    {"prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "wildcard", "equals-ignore-case"}
)
_OR: Final = "$or"


def put_rule(params: Mapping[str, Any], _: MotoState) -> None:
    """PutRule."""
    pattern = params.get("EventPattern")
    if pattern:
        try:
            _check(json.loads(pattern))
        except ValueError as error:
            raise _invalid(str(error)) from error


def _check(pattern: Any) -> None:
    """An object whose members are objects, or lists of values and matchers. Raises Refusal."""
    if not isinstance(pattern, dict):
        raise _invalid("Filter is not an object")
    for name, value in pattern.items():
        if name == _OR and isinstance(value, list):
            for alternative in value:
                _check(alternative)
        elif isinstance(value, dict):
            _check(value)
        elif isinstance(value, list) and value:
            _matchers(value)
        else:
            raise _invalid(f'"{name}" must be an object or an array')


def _matchers(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, list):
            raise _invalid("Match value must be String, number, true, false, or null")
        if not isinstance(value, dict):
            continue
        if len(value) != 1:
            raise _invalid("Only one key allowed in match expression")
        [kind] = value
        if kind not in _MATCHERS:
            raise _invalid(f"Unrecognized match type {kind}")
        if kind == "exists" and not isinstance(value[kind], bool):
            raise _invalid("exists match pattern must be either true or false.")


def _invalid(reason: str) -> Refusal:
    return Refusal("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


RULES: Final = stated.rules(__name__, {"PutRule": put_rule})
