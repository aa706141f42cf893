"""Rules for a value of the right type, for `Annotated[T, rule]`."""

from collections.abc import Callable, Iterable
from typing import Any

from aiplatform._shared.problems import nearest

Rule = Callable[[Any], "str | None"]
"""Returns the problem of a value of the right type, or None, without path and value: `expected 2 or 3`, or
`which is public; expected a private range`."""


def one_of(known: Iterable[str | int], what: str = "one of") -> Rule:
    """Return a rule for the keys of a table; annotate with Literal where the words or numbers are fixed."""
    values = list(known) if isinstance(known, (list, tuple)) else sorted(known)
    words = [str(value) for value in values]

    def rule(value: Any) -> str | None:
        # true is equal to 1.
        if value in values and not isinstance(value, bool):
            return None
        # Of numbers the spelling says nothing.
        hint = "" if isinstance(value, int | float) else nearest(str(value), words)
        return f"expected {what} {', '.join(words)}{hint}"

    return rule


def between(low: float, high: float, unit: str = "") -> Rule:
    """Return a rule for a number from `low` to `high`, both included."""

    def rule(value: Any) -> str | None:
        return None if low <= value <= high else f"expected {low} to {high}{' ' + unit if unit else ''}"

    return rule


def matches(pattern: str, description: str) -> Rule:
    """Return a rule: the whole text matches. description: of the expected text in errors (`an IAM role's
    arn`)."""
    import re

    compiled = re.compile(pattern)

    def rule(value: Any) -> str | None:
        return None if compiled.fullmatch(value) else f"expected {description}"

    return rule


def length(low: int, high: int, what: str) -> Rule:
    """Return a rule for the number of entries of a list or object: `length(1, 16, "subnets")`."""

    def rule(value: Any) -> str | None:
        entries = len(value)
        return None if low <= entries <= high else f"of length {entries}; expected {low} to {high} {what}"

    return rule
