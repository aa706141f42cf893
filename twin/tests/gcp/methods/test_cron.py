"""Schedules as Google's services take them."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.methods import cron


@pytest.mark.parametrize("text", ["0 3 * * *", "*/15 0-6,20 1 JAN-MAR MON", "5 4 * * 7"])
def test_a_schedule_of_five_fields_is_taken(text: str) -> None:
    cron.check(text, "schedule")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@daily", "five fields"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of month"),
        ("0 0 * * SOMEDAY", "'SOMEDAY' is no day of week"),
        ("*/0 * * * *", "is no minute"),
        ("TZ=Etc/UTC 0 3 * * *", "five fields"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, words: str) -> None:
    with pytest.raises(GoogleError, match=words):
        cron.check(text, "schedule")


def test_a_time_zone_may_stand_in_front_where_a_service_says_so() -> None:
    cron.check("CRON_TZ=Europe/Berlin 0 3 * * *", "cron", zone=True)
    with pytest.raises(GoogleError, match="a name of the tz database"):
        cron.check("TZ=Mars/Base 0 3 * * *", "cron", zone=True)
