"""Step Functions: state machines (executions.py executes them)."""

from __future__ import annotations

from typing import Any

from twin.provider_interface import UNKNOWN


def logging(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    arn = value.get("logDestination")
    destination = {"destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]} if arn else {}
    rest = {key: value[key] for key in ("level", "includeExecutionData") if value.get(key) is not None}
    return {**rest, **destination}


def logged(value: Any) -> Any:
    destinations = value.get("destinations") or [{}]
    arn = (destinations[0].get("cloudWatchLogsLogGroup") or {}).get("logGroupArn")
    rest = {
        "level": value.get("level", "OFF"),
        "includeExecutionData": value.get("includeExecutionData", False),
    }
    return {**rest, **({"logDestination": arn} if arn else {})}
