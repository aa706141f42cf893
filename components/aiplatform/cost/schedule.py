"""The schedule by which an environment is off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiplatform._shared.args import Problem, got, matches
from aiplatform._shared.cron import cron
from aiplatform.cost.inputs import CostScheduleArgs as CostScheduleArgs
from aiplatform.pipelines.args import time_zone

_CLOCK: Final = matches(r"([01]\d|2[0-3]):[0-5]\d", "a time of the day, '20:00'")


@dataclass(frozen=True)
class CostSchedule:
    """When the environment is off: each ClusterQueue gets the stopPolicy `HoldAndDrain`, which evicts what
    runs, and its nodes are removed where their pool has no minimum. A queue with the label
    `ai-platform/keep-running` is left out: `true`, or the last day, `2026-12-24`."""

    timezone: Annotated[str, time_zone]
    """The time zone of the times, `Europe/Berlin`."""
    stop: Annotated[str, _CLOCK]
    """When it goes off each day, by the local clock, `20:00`."""
    start: Annotated[str, _CLOCK]
    """When it is on again, `07:00`."""
    overnight: bool = False
    """Whether `start` is on the day after `stop`, as of most nights. Default false: both are on one day."""
    weekends: bool = True
    """Whether it is off on Saturday and Sunday, too. Default true."""
    every: Annotated[str, cron] = "*/5 * * * *"
    """When the times are compared with the clock, in cron's format, UTC. Default every five minutes."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        if self.stop == self.start:
            yield Problem("start", f"{got(self.start)}, which is `stop`, too; expected another time")
        elif self.stop > self.start and not self.overnight:
            yield Problem(
                "start",
                f"{got(self.start)}, before stop {self.stop}, so that the night ends before it begins; "
                "expected overnight: true if it ends on the next day",
            )
        elif self.stop < self.start and self.overnight:
            yield Problem(
                "overnight",
                f"got true, and from {self.stop} to {self.start} of the next day is longer than a day; "
                "expected overnight left out",
            )

    def environment(self) -> dict[str, Any]:
        """Return what the program reads (containers/cost_control)."""
        keys = ("timezone", "stop", "start", "overnight", "weekends")
        return {key: getattr(self, key) for key in keys}
