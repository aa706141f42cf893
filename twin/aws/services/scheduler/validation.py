"""EventBridge Scheduler: when a schedule runs. Source: the API Reference of CreateSchedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from twin.aws.api_server.request import Refusal
from twin.aws.validation import schedules
from twin.aws.validation.moto_state import MotoState


def schedule(params: Mapping[str, Any], _: MotoState) -> None:
    """CreateSchedule and UpdateSchedule."""
    expression = str(params.get("ScheduleExpression"))
    if not schedules.is_schedule(expression, once=True):
        raise _invalid(f"Invalid Schedule Expression {expression}.")
    zone = params.get("ScheduleExpressionTimezone")
    if zone and zone not in available_timezones():
        raise _invalid("Provided ScheduleExpressionTimezone is not valid.")
    window = params.get("FlexibleTimeWindow") or {}
    if window.get("Mode") == "FLEXIBLE" and not window.get("MaximumWindowInMinutes"):
        raise _invalid("MaximumWindowInMinutes is required when FlexibleTimeWindow is FLEXIBLE.")


def _invalid(words: str) -> Refusal:
    return Refusal("ValidationException", words)


RULES: Final = {"CreateSchedule": schedule, "UpdateSchedule": schedule}
