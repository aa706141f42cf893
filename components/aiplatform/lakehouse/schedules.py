"""Schedules in cron's format: minute, hour, day of the month, month, day of the week; in UTC."""

import re
from typing import Any, Final

from aiplatform._shared.cron import fields_problem

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def schedule_rule(value: Any) -> str | None:
    """A rule for a schedule."""
    problem = fields_problem(value)
    if problem is not None:
        return problem
    parts = value.split()
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
