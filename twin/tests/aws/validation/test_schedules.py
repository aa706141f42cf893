"""Schedules as EventBridge accepts and refuses them (its User Guide, "Cron-based schedules")."""

from __future__ import annotations

import pytest

from twin.aws.validation.schedules import is_schedule


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 12 * * ? *)",
        "cron(0/15 8-17 L * ? 2027-2030)",
        "cron(30 9 ? JAN,JUL FRI#2 *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 12 LW * ? *)",
        "cron(0,30 0 ? * 6L *)",
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(12 hours)",
    ],
)
def test_schedule_of_the_documentation_is_accepted(schedule: str) -> None:
    assert is_schedule(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 12 * * *)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 12 * 13 ? *)",
        "cron(0 12 ? * FRI#6 *)",
        "cron(0/0 12 * * ? *)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(30 seconds)",
        "at(2030-01-01T08:00:00)",
        "every hour",
    ],
)
def test_schedule_that_eventbridge_refuses_is_none(schedule: str) -> None:
    assert not is_schedule(schedule)


def test_one_time_is_a_schedule_of_the_scheduler_only() -> None:
    assert is_schedule("at(2030-01-01T08:00:00)", once=True)
    assert not is_schedule("at(2030-02-30T08:00:00)", once=True)
