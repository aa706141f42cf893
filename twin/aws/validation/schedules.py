"""Schedules of EventBridge and of what is scheduled as it does: `cron(...)`, `rate(...)` and `at(...)`.

Source: "Setting a schedule pattern for scheduled rules" in the EventBridge User Guide.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    (0, 59, (), r""),
    (0, 23, (), r""),
    (1, 31, (), r"\?|L|LW|L-\d{1,2}|\d{1,2}W"),
    (1, 12, _MONTHS, r""),
    (1, 7, _DAYS, r"\?|L|\w+L|\w+#[1-5]"),
    (1970, 2199, (), r""),
)
"""Of minute, hour, day of month, month, day of week, year: least and greatest number, names, other forms."""
_CRON: Final = re.compile(r"cron\(([^()]*)\)")
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_PART: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def is_schedule(text: str, *, once: bool = False) -> bool:
    """Whether AWS accepts a schedule. once: whether `at(...)` is one."""
    if cron := _CRON.fullmatch(text):
        return is_cron(cron[1])
    if rate := _RATE.fullmatch(text):
        number = int(rate[1])
        return number > 0 and bool(rate[3]) == (number > 1)
    at = _AT.fullmatch(text) if once else None
    return at is not None and _is_time(at[1])


def is_cron(text: str) -> bool:
    """Whether the six fields of a cron expression are valid: of both days exactly one is `?`."""
    parts = text.split()
    if len(parts) != len(_FIELDS) or (parts[2] == "?") == (parts[4] == "?"):
        return False
    return all(
        bool(special and re.fullmatch(special, part)) or _is_in(part, low, high, names)
        for part, (low, high, names, special) in zip(parts, _FIELDS, strict=True)
    )


def _is_in(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[3] is not None and int(match[3]) < 1):
            return False
        numbers = [_number(word, names) for word in match.group(1, 2) if word is not None]
        if not all(number is not None and low <= number <= high for number in numbers):
            return False
    return True


def _number(word: str, names: tuple[str, ...]) -> int | None:
    if word.isdigit():
        return int(word)
    return names.index(word.upper()) + 1 if word.upper() in names else None


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
