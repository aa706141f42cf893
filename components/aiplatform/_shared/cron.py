"""Schedules in cron's format: minute, hour, day of the month, month, day of the week."""

import re
from typing import Any, Final

_NUMBER: Final = r"\d{1,2}"
_PART: Final = re.compile(rf"\*(/{_NUMBER})?|{_NUMBER}(-{_NUMBER})?(,{_NUMBER}(-{_NUMBER})?)*")
_RANGE: Final = re.compile(r"(\d+)-(\d+)")
_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)


def fields_problem(value: Any) -> str | None:
    """Return the problem of a field that is not one of cron's, or None."""
    parts = value.split()
    if len(parts) != len(_FIELDS):
        return "expected cron's five fields, minute hour day month weekday: '15 3 * * *'"
    for part, (name, low, high) in zip(parts, _FIELDS, strict=True):
        if not _PART.fullmatch(part):
            return f"expected {name} as *, */n, a number, or numbers and ranges with commas, found {part!r}"
        numbers = [int(number) for number in re.findall(r"\d+", part)]
        if part.startswith("*/"):
            if not 1 <= numbers[0] <= high:
                return f"expected {name} as */n with n from 1 to {high}, found {part!r}"
        elif any(not low <= number <= high for number in numbers):
            return f"expected {name} from {low} to {high}, found {part!r}"
    return None


def cron(value: Any) -> str | None:
    """A rule for a schedule of Kubernetes or Argo Workflows."""
    problem = fields_problem(value)
    if problem is None and any(int(first) > int(last) for first, last in _RANGE.findall(value)):
        return "expected ranges whose first number is the lower one"
    return problem
