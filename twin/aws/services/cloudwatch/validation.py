"""CloudWatch: what a metric alarm compares. Source: the API Reference of PutMetricAlarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

_DAY, _WEEK, _HOUR = 86_400, 604_800, 3_600


def put_metric_alarm(params: Mapping[str, Any], _: MotoState) -> None:
    """PutMetricAlarm."""
    periods = int(params.get("EvaluationPeriods") or 1)
    if int(params.get("DatapointsToAlarm") or 1) > periods:
        raise _invalid("The value for DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    period = int(params.get("Period") or 0)
    longest = _WEEK if period >= _HOUR else _DAY
    if period * periods > longest:
        raise _invalid(f"Metrics cannot be checked across more than {longest // _DAY} days")


def _invalid(words: str) -> Refusal:
    return Refusal("ValidationError", words)


RULES: Final = {"PutMetricAlarm": put_metric_alarm}
