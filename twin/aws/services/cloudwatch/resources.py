"""CloudWatch: alarms on one metric. None of them is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.resources.base import AwsResource
from twin.provider_interface import UNKNOWN, Failure, Props

_PERIODS: Final = (10, 20, 30)
"""Seconds of a period; all others are multiples of 60."""
_LONGEST: Final = 86_400
"""Seconds that are evaluated together, of periods below an hour."""
_MOST_ACTIONS: Final = 5


def dimensions(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    return [{"Name": name, "Value": value[name]} for name in sorted(value)]


def of_dimensions(value: Any) -> Any:
    return {element["Name"]: element["Value"] for element in value}


class MetricAlarm(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _times(inputs)
        for name in ("alarmActions", "okActions", "insufficientDataActions"):
            actions = inputs.get(name)
            if isinstance(actions, list) and len(actions) > _MOST_ACTIONS:
                yield Failure(name, f"expected at most {_MOST_ACTIONS}, got {len(actions)}")


def _times(inputs: Props) -> Iterator[Failure]:
    period, periods = inputs.get("period"), inputs.get("evaluationPeriods")
    if not isinstance(period, (int, float)):
        return
    if period not in _PERIODS and (period <= 0 or period % 60):
        yield Failure("period", f"expected 10, 20, 30 or a multiple of 60 seconds, got {period:g}")
    elif isinstance(periods, (int, float)) and period < 3600 and period * periods > _LONGEST:
        yield Failure("evaluationPeriods", "metrics cannot be checked across more than a day")
