"""Schedules as Google's services take them: five fields of unix-cron, or App Engine's words for Cloud
Scheduler; and a time zone."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import available_timezones

from twin.gcp.api_server.errors import invalid

_FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    ("day of week", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)
_PART: Final = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_ORDINAL: Final = r"(?:1st|2nd|3rd|4th|5th|first|second|third|fourth|fifth)"
_DAY: Final = r"(?:sun|mon|tue|wed|thu|fri|sat)\w*"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
_TIME: Final = r"(?:[01]\d|2[0-3]|\d):[0-5]\d"
_ENGLISH: Final = re.compile(
    rf"every [1-9]\d* (?:hours?|minutes?|mins?)(?: (?:synchronized|from {_TIME} to {_TIME}))?"
    rf"|(?:every|{_ORDINAL}(?:,{_ORDINAL})*) (?:day|{_DAY}(?:,{_DAY})*)"
    rf"(?: of (?:month|{_MONTH}(?:,{_MONTH})*))? {_TIME}"
    rf"|[1-9]\d?(?:,[1-9]\d?)* of (?:month|{_MONTH}(?:,{_MONTH})*) {_TIME}",
    re.IGNORECASE,
)
"""Source: "Scheduling jobs with cron.yaml" of App Engine, whose schedules Cloud Scheduler accepts."""
_PREFIX: Final = re.compile(r"(?:CRON_TZ|TZ)=(\S+)\s+")


def check_zone(name: str, field: str) -> None:
    """A name of the IANA time zone database. Raises 400."""
    if name not in available_timezones():
        raise invalid(f"Invalid {field} '{name}': a name of the tz database, such as Etc/UTC, is right.")


def check(text: str, field: str, *, zone: bool = False, english: bool = False) -> None:
    """A schedule. Raises 400. zone: whether a time zone may be in front (`TZ=Etc/UTC 0 3 * * *`). english:
    whether App Engine's words are accepted (`every 12 hours`)."""
    if english and _ENGLISH.fullmatch(text):
        return
    match = _PREFIX.match(text)
    if match and zone:
        check_zone(match[1], field)
        text = text[match.end() :]
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise invalid(f"Invalid {field} '{text}': five fields (minute hour day month weekday) are right.")
    for part, (name, low, high, words) in zip(parts, _FIELDS, strict=True):
        for item in part.split(","):
            if not _good(item, low, high, words):
                raise invalid(f"Invalid {field} '{text}': '{item}' is no {name} from {low} to {high}.")


def _good(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if not match or (match[4] is not None and int(match[4]) < 1):
        return False
    if match[1] == "*":
        return True
    ends = [_number(bound, low, words) for bound in (match[2], match[3]) if bound is not None]
    return all(bound is not None and low <= bound <= high for bound in ends)


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return words.index(text.upper()) + (low if len(words) == 12 else 0) if text.upper() in words else None
