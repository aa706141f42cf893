"""IAM policy evaluation: actions, resources, conditions; Deny wins, and nothing is allowed that is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

Document = Mapping[str, Any]


def allows(documents: Sequence[Document], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether these identity policies together allow an action on a resource (an arn)."""
    allowed = False
    for document in documents:
        for statement in _listed(document.get("Statement")):
            if not applies(statement, action, resource, context):
                continue
            if statement.get("Effect") == "Deny":
                return False
            allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a statement speaks of this action on this resource under these conditions."""
    return (
        _named(statement, "Action", action.lower(), lower=True)
        and _named(statement, "Resource", resource)
        and _conditions(statement.get("Condition") or {}, context)
    )


def _named(statement: Mapping[str, Any], element: str, value: str, *, lower: bool = False) -> bool:
    given = statement.get(element)
    if given is not None:
        return any(matches(each.lower() if lower else each, value) for each in _listed(given))
    excluded = statement.get(f"Not{element}")
    if excluded is None:
        return element == "Resource"  # trust and resource policies have none
    return not any(matches(each.lower() if lower else each, value) for each in _listed(excluded))


def matches(pattern: str, value: str) -> bool:
    """IAM's wildcards: `*` any characters, `?` one."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


def _conditions(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    folded = {key.lower(): value for key, value in context.items()}
    for operator, wanted in conditions.items():
        name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
        optional = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        for key, values in wanted.items():
            held = folded.get(key.lower())
            if held is None and (optional or operator.startswith("ForAllValues:")):
                continue
            if not _holds(name, held, [str(each) for each in _listed(values)]):
                return False
    return True


def _holds(operator: str, held: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return (held is None) == (wanted[:1] == ["true"])
    negated = "Not" in operator
    test = _TESTS.get(operator.replace("Not", "", 1) if negated else operator)
    if test is None:
        return False  # an operator that is not known here grants nothing
    if held is None:
        return negated
    return any(test(held, each) for each in wanted) != negated


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(held: str, wanted: str) -> bool:
        try:
            return compare(float(held), float(wanted))
        except ValueError:
            return False

    return test


def _same_bool(held: str, wanted: str) -> bool:
    return held.lower() == wanted.lower()


def _like(held: str, wanted: str) -> bool:
    return matches(wanted, held)


_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda held, wanted: held == wanted,
    "StringEqualsIgnoreCase": _same_bool,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _same_bool,
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
