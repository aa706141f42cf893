"""How far apart the runs of a schedule are. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

_DAYS: Final = 366 * 4
_FIRST: Final = date(2024, 1, 1)
_MINUTES: Final = 24 * 60


def longest_gap_hours(schedule: str) -> float:
    """Return the longest time between two runs, in hours, within four years; infinity for a schedule that
    never runs. schedule: one that `cron` accepts. The shift of a time zone in summer is left out."""
    minute, hour, day, month, weekday = schedule.split()
    times = [
        of_hour * 60 + of_minute for of_hour in _values(hour, 0, 23) for of_minute in _values(minute, 0, 59)
    ]
    days = set(_values(day, 1, 31))
    weekdays = set(_values(weekday, 0, 6))
    months = set(_values(month, 1, 12))

    def runs(known: date) -> bool:
        of_month, of_week = known.day in days, known.isoweekday() % 7 in weekdays
        # Where both are restricted, one of them is enough (crontab(5)).
        either = day != "*" and weekday != "*"
        return known.month in months and ((of_month or of_week) if either else (of_month and of_week))

    last: int | None = None
    longest = 0
    for index in range(_DAYS):
        if not runs(_FIRST + timedelta(days=index)):
            continue
        if last is not None:
            longest = max(longest, index * _MINUTES + times[0] - last)
        longest = max([longest, *_gaps(times)])
        last = index * _MINUTES + times[-1]
    return longest / 60 if longest else float("inf")


def _gaps(times: Sequence[int]) -> Iterator[int]:
    return (later - earlier for earlier, later in pairwise(times))


def _values(part: str, low: int, high: int) -> list[int]:
    """Return the values of a field, in ascending order."""
    if part.startswith("*"):
        step = int(part.partition("/")[2] or 1)
        return list(range(low, high + 1, step))
    values: set[int] = set()
    for piece in part.split(","):
        first, _, last = piece.partition("-")
        values.update(range(int(first), int(last or first) + 1))
    return sorted(values)
