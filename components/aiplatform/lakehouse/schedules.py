"""Schedules in cron's format: minute, hour, day of the month, month, day of the week; in UTC."""

import re
from typing import Any, Final

_NUMBER: Final = r"\d{1,2}"
_PART: Final = re.compile(rf"\*(/{_NUMBER})?|{_NUMBER}(-{_NUMBER})?(,{_NUMBER}(-{_NUMBER})?)*")
_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def schedule_rule(value: Any) -> str | None:
    """A rule for a schedule."""
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
    if parts[2] != "*" and parts[4] != "*":
        return (
            "expected day of the month or day of the week, and * for the other one: AWS does not accept both"
        )
    return None


def as_aws(schedule: str) -> str:
    """Return a schedule in the format of EventBridge and Glue, with a year and `?` for the unspecified day
    (Glue developer guide, "Time-based schedules for jobs and crawlers")."""
    minute, hour, day, month, weekday = schedule.split()
    if weekday == "*":
        weekday = "?"
    else:
        day = "?"
        weekday = re.sub(r"(?<!/)\b[0-6]\b", lambda number: _DAYS[int(number[0])], weekday)
    return f"cron({minute} {hour} {day} {month} {weekday} *)"
