"""Times in which an environment is off: nights and weekends of a time zone.

Off times are intervals between instants, and each begins and ends where the local clock first shows its time.
So a night has its length of the local clock in every week but those in which the clock is changed, and a
clock that goes back does not end it twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cost_control.budget import Queues, note
from cost_control.errors import RefusedError
from cost_control.labels import KEEP, is_kept
from cost_control.queues import Held, Object

_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Schedule:
    """When an environment is off. stop, start: of a night, by the local clock. overnight: whether it ends on
    the next day. weekends: whether Saturday and Sunday are off, too."""

    timezone: str
    stop: time
    start: time
    overnight: bool
    weekends: bool

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.timezone)

    @property
    def reason(self) -> str:
        """What it states, for people."""
        weekends = " and at weekends" if self.weekends else ""
        return f"off from {self.stop:%H:%M} to {self.start:%H:%M}{weekends}, {self.timezone}"

    def is_off(self, moment: datetime) -> bool:
        """Return whether the environment is off at a moment."""
        local = moment.astimezone(self.zone).date()
        return any(begin <= moment < end for begin, end in self._intervals(local))

    def _intervals(self, local: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield the intervals that can contain a moment of a local day."""
        for day in (local - _DAY, local, local + _DAY):
            yield self._instant(day, self.stop), self._instant(day + _DAY * self.overnight, self.start)
            if self.weekends and day.weekday() >= _SATURDAY:
                yield self._instant(day, time()), self._instant(day + _DAY, time())

    def _instant(self, day: date, clock: time) -> datetime:
        """Return the first moment at which the local clock shows a time; one that it leaves out is as much
        later as it is set forward."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def parse(text: str) -> Schedule:
    """Return the schedule of a JSON text. Raises RefusedError for one of another form."""
    try:
        stated: dict[str, Any] = json.loads(text)
        schedule = Schedule(
            str(stated["timezone"]),
            time.fromisoformat(stated["stop"]),
            time.fromisoformat(stated["start"]),
            bool(stated["overnight"]),
            bool(stated["weekends"]),
        )
        schedule.zone  # noqa: B018 - refuses an unknown one
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RefusedError(f"the schedule {text!r} has another form: {error}") from error
    return schedule


def run(
    cluster: Queues, names: Sequence[str], schedule: Schedule, now: Callable[[], datetime] | None = None
) -> None:
    """Hold and drain queues while the schedule is off, and release them from it when it is on."""
    moment = now() if now is not None else datetime.now(UTC)
    off = schedule.is_off(moment)
    today = moment.astimezone(schedule.zone).date()
    for name in names:

        def decide(state: Held, queue: Object) -> Held:
            return state.by_schedule(
                schedule.reason if off and not is_kept(queue["metadata"].get("labels"), today) else ""
            )

        changed = cluster.change(name, decide)
        if changed is None:
            note(f"{name}: no such ClusterQueue")
            continue
        before, now_held = changed[0].schedule, changed[1].schedule
        if before == now_held:
            note(f"{name}: {'off' if now_held else 'on'}, as before")
        elif now_held:
            note(f"{name}: held and drained: {schedule.reason}")
            cluster.report(name, "HeldBySchedule", f"{schedule.reason}; the label {KEEP} leaves a queue out")
        else:
            note(f"{name}: on again")
            cluster.report(name, "ReleasedBySchedule", f"on again: {schedule.reason}")
