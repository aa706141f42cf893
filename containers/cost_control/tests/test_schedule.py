"""When an environment is off, also in the nights in which clocks are changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from conftest import Memory, queue
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_control import schedule
from cost_control.errors import RefusedError
from cost_control.schedule import Schedule

BERLIN = Schedule("Europe/Berlin", time(20), time(7), overnight=True, weekends=True)
WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 23, tzinfo=UTC)
# The last two change by half an hour, and at midnight; one has no changes.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo")
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda value: time(value // 60, value % 60))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    stop = draw(MINUTES)
    start = draw(MINUTES.filter(lambda value: value != stop))
    return Schedule(draw(st.sampled_from(ZONES)), stop, start, stop > start, draw(st.booleans()))


def changes_of(zone: ZoneInfo) -> list[datetime]:
    """Return the moments of 2026 at which the clock of a zone is changed, to the minute."""
    moments: list[datetime] = []
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        later = moment + timedelta(hours=1)
        if moment.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            moments.append(later)
        moment = later
    return moments


def by_clock(plan: Schedule, moment: datetime) -> bool:
    """Return what the local clock alone states."""
    local = moment.astimezone(plan.zone)
    clock = local.time()
    night = clock >= plan.stop or clock < plan.start if plan.overnight else plan.stop <= clock < plan.start
    return night or (plan.weekends and local.weekday() >= 5)


def is_changed_near(plan: Schedule, moment: datetime) -> bool:
    """Return whether the clock is changed within the day around a moment."""
    offsets = {
        (moment + timedelta(hours=hours)).astimezone(plan.zone).utcoffset()
        for hours in (-3, -2, -1, 0, 1, 2, 3)
    }
    return len(offsets) > 1


@given(schedules(), st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))
def test_off_times_are_those_of_the_local_clock(plan: Schedule, moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    if not is_changed_near(plan, at):
        assert plan.is_off(at) == by_clock(plan, at)


@settings(max_examples=40, deadline=None)
@given(schedules(), st.integers(0, 3))
def test_clock_that_is_changed_neither_ends_nor_begins_a_night_twice(plan: Schedule, choice: int) -> None:
    """In the two days around a change of the clock a night and a day begin at most twice each."""
    changes = changes_of(plan.zone)
    around = changes[choice % len(changes)] if changes else WEDNESDAY
    first = around - timedelta(days=1)
    states = [plan.is_off(first + timedelta(minutes=5 * step)) for step in range(2 * 24 * 12)]
    begun = sum(now and not before for before, now in pairwise(states))
    ended = sum(before and not now for before, now in pairwise(states))
    assert begun <= 3
    assert ended <= 3
    assert abs(begun - ended) <= 1
    lengths = [len(run) for run in "".join("x" if state else " " for state in states[:]).split()]
    # A run that a second change of the state cut would be a part of the change alone.
    inner = lengths[1:-1] if len(lengths) > 2 else []
    assert all(length * 5 >= _night(plan) - 65 for length in inner)


def _night(plan: Schedule) -> int:
    """Return the minutes of a night by the local clock."""
    stop, start = (value.hour * 60 + value.minute for value in (plan.stop, plan.start))
    return (start - stop) % (24 * 60)


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 3, 28), 10), (datetime(2026, 10, 24), 12), (datetime(2026, 6, 6), 11)]
)
def test_night_of_a_change_is_an_hour_shorter_or_longer(day: datetime, hours: int) -> None:
    plan = Schedule("Europe/Berlin", time(20), time(7), overnight=True, weekends=False)
    noon = day.replace(hour=12, tzinfo=plan.zone).astimezone(UTC)
    off = sum(plan.is_off(noon + timedelta(minutes=step)) for step in range(24 * 60))
    assert off == hours * 60


def test_hour_that_comes_twice_ends_the_night_once() -> None:
    plan = Schedule("Europe/Berlin", time(20), time(2, 30), overnight=True, weekends=False)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in summer; 02:30 in winter is an hour later
    assert plan.is_off(first - timedelta(minutes=1))
    assert not plan.is_off(first)
    assert not plan.is_off(first + timedelta(minutes=59)), "the clock shows 02:29 again"


def test_weekend_is_off_by_the_local_clock() -> None:
    plan = Schedule("Asia/Tokyo", time(20), time(7), overnight=True, weekends=True)
    assert plan.is_off(datetime(2026, 11, 27, 15, tzinfo=UTC)), "midnight of Saturday in Tokyo"
    assert plan.is_off(datetime(2026, 11, 29, 3, tzinfo=UTC)), "noon of Sunday"
    assert not plan.is_off(datetime(2026, 11, 29, 22, tzinfo=UTC)), "07:00 of Monday"


def test_queues_are_drained_at_night_and_admit_in_the_morning() -> None:
    cluster = Memory(queue("shared"))
    schedule.run(cluster, ["shared", "deleted"], BERLIN, lambda: WEDNESDAY)
    assert (cluster.policy(), cluster.events) == ("None", [])
    schedule.run(cluster, ["shared"], BERLIN, lambda: NIGHT)
    schedule.run(cluster, ["shared"], BERLIN, lambda: NIGHT)
    assert cluster.policy() == "HoldAndDrain"
    assert cluster.state().schedule == "off from 20:00 to 07:00 and at weekends, Europe/Berlin"
    schedule.run(cluster, ["shared"], BERLIN, lambda: NIGHT + timedelta(hours=9))
    assert cluster.policy() == "None"
    assert [reason for _, reason, _, _ in cluster.events] == ["HeldBySchedule", "ReleasedBySchedule"]


def test_morning_does_not_release_what_a_budget_holds() -> None:
    cluster = Memory(queue("shared", "Hold", budget="2026-11: spent"))
    schedule.run(cluster, ["shared"], BERLIN, lambda: NIGHT)
    assert cluster.policy() == "HoldAndDrain"
    schedule.run(cluster, ["shared"], BERLIN, lambda: WEDNESDAY)
    assert cluster.policy() == "Hold"


@pytest.mark.parametrize(
    ("label", "policy"),
    [
        ("true", "None"),
        ("2026-11-26", "None"),
        ("2026-11-25", "HoldAndDrain"),
        ("false", "HoldAndDrain"),
        ("always", "HoldAndDrain"),
    ],
)
def test_label_leaves_a_queue_out_until_its_day(label: str, policy: str) -> None:
    cluster = Memory(queue("shared"))
    cluster.label("shared", label)
    schedule.run(cluster, ["shared"], BERLIN, lambda: NIGHT)  # the 26th in Berlin
    assert cluster.policy() == policy


@pytest.mark.parametrize("change", [{"timezone": "Europe/Berlln"}, {"stop": "late"}, {"start": None}])
def test_schedule_of_another_form_is_refused(change: dict[str, str | None]) -> None:
    stated = {"timezone": "Europe/Berlin", "stop": "20:00", "start": "07:00", "overnight": True}
    text = json.dumps({**stated, "weekends": True, **change})
    with pytest.raises(RefusedError, match="has another form"):
        schedule.parse(text)
