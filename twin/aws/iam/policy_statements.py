"""IAM policy evaluation: actions, resources, conditions; Deny wins, and nothing is allowed that is not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

Document = Mapping[str, Any]
Context = Mapping[str, str]
_LISTED: Final = frozenset({"aws:tagkeys", "kms:encryptioncontextkeys"})
"""Keys of a context that have several values, reported one a line."""


def allows(documents: Iterable[Document], action: str, resource: str | None, context: Context) -> bool:
    """Whether these identity policies together allow an action on a resource.

    resource: an arn; None where it is not known which one a call is about: then a statement that allows the
    action on any resource will do, and one that denies it must speak of all.
    """
    allowed = False
    for document in documents:
        for statement in as_list(document.get("Statement")):
            if not applies(statement, action, resource, context):
                continue
            if statement.get("Effect") == "Deny":
                return False
            allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def denies(documents: Iterable[Document], action: str, resource: str | None, context: Context) -> bool:
    """Whether one of these policies denies it in so many words."""
    return any(
        statement.get("Effect") == "Deny" and applies(statement, action, resource, context)
        for document in documents
        for statement in statements(document)
    )


def statements(document: Any) -> list[Document]:
    """The statements of a policy: a document, or its text as moto keeps it."""
    if not document:
        return []
    if isinstance(document, bytes | str):
        import json

        document = json.loads(document)
    return as_list(document.get("Statement"))


def applies(statement: Document, action: str, resource: str | None, context: Context) -> bool:
    """Whether a statement speaks of this action on this resource under these conditions."""
    return (
        _named(statement, "Action", action.lower(), {}, lower=True)
        and (
            _named(statement, "Resource", resource, context)
            if resource is not None
            else statement.get("Effect") != "Deny" or as_list(statement.get("Resource")) == ["*"]
        )
        and _conditions(statement.get("Condition") or {}, context)
    )


def principals(statement: Document, element: str = "Principal") -> list[str]:
    """The AWS principals that a statement of a resource's policy names; `*` is everybody."""
    principal: Any = statement.get(element)
    if isinstance(principal, str):
        return [principal]
    return [str(arn) for arn in as_list((principal or {}).get("AWS"))]


def services(statement: Document, element: str = "Principal") -> list[str]:
    """The AWS services that a statement of a resource's policy names."""
    principal: Any = statement.get(element)
    return [str(name) for name in as_list(principal.get("Service"))] if isinstance(principal, Mapping) else []


def lets(document: Any, who: Set[str], action: str, resource: str, context: Context) -> bool:
    """Whether a resource's policy allows one of these services or principals, or everybody, an action."""
    return any(
        statement.get("Effect") == "Allow"
        and {*who, "*"} & {*services(statement), *principals(statement)}
        and applies(statement, action, resource, context)
        for statement in statements(document)
    )


def _named(statement: Document, element: str, value: str, context: Context, *, lower: bool = False) -> bool:
    patterns = statement.get(element)
    if patterns is not None:
        return any(
            matches(_filled(pattern.lower() if lower else pattern, context), value)
            for pattern in as_list(patterns)
        )
    excluded = statement.get(f"Not{element}")
    if excluded is None:
        return element == "Resource"  # trust and resource policies have none
    return not any(
        matches(_filled(pattern.lower() if lower else pattern, context), value)
        for pattern in as_list(excluded)
    )


_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")


def _filled(text: str, context: Context) -> str:
    """A text with its policy variables (`${aws:PrincipalTag/team}`) filled in; one without a value matches
    nothing (IAM user guide, "IAM policy elements: Variables and tags")."""
    if "${" not in text:
        return text
    folded = {key.lower(): value for key, value in context.items()}

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in ("*", "?", "$"):
            return name
        context_value = folded.get(name.strip().lower())
        return context_value if context_value is not None else default.strip(" '") if default else "\0"

    return _VARIABLE.sub(value, text)


def matches(pattern: str, value: str) -> bool:
    """IAM's wildcards: `*` any characters, `?` one."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


def _conditions(conditions: Mapping[str, Any], context: Context) -> bool:
    folded = {key.lower(): value for key, value in context.items()}
    for operator, wanted in conditions.items():
        name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
        optional = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        for key, values in wanted.items():
            actual = folded.get(key.lower())
            if actual is None and (optional or operator.startswith("ForAllValues:")):
                continue
            expected = [_filled(_text(value), context) for value in as_list(values)]
            several = actual.split("\n") if actual is not None and key.lower() in _LISTED else [actual]
            each_holds = [_holds(name, one, expected) for one in several]
            if not (any if operator.startswith("ForAnyValue:") else all)(each_holds):
                return False
    return True


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return (actual is None) == (wanted[:1] == ["true"])
    negated = "Not" in operator
    operator = operator.replace("Not", "", 1)
    test = _TESTS.get(operator)
    if test is None:
        return False  # an operator that is not known here grants nothing
    if actual is None:
        return negated
    return any(test(actual, expected) for expected in wanted) != negated


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(actual: str, wanted: str) -> bool:
        try:
            return compare(float(actual), float(wanted))
        except ValueError:
            return False

    return test


def _moment(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def parsed(text: str) -> datetime:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def test(actual: str, wanted: str) -> bool:
        try:
            return compare(parsed(actual), parsed(wanted))
        except ValueError:
            return False

    return test


def _in_network(actual: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _same_bool(actual: str, wanted: str) -> bool:
    return actual.lower() == wanted.lower()


def _like(actual: str, wanted: str) -> bool:
    return matches(wanted, actual)


_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": _same_bool,
    "BinaryEquals": lambda actual, wanted: actual == wanted,
    "IpAddress": _in_network,
    "DateEquals": _moment(lambda a, b: a == b),
    "DateLessThan": _moment(lambda a, b: a < b),
    "DateLessThanEquals": _moment(lambda a, b: a <= b),
    "DateGreaterThan": _moment(lambda a, b: a > b),
    "DateGreaterThanEquals": _moment(lambda a, b: a >= b),
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


def as_list(value: Any) -> list[Any]:
    """A list of what IAM lets stand alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
