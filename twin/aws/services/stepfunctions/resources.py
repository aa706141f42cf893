"""Step Functions: state machines (executions.py executes them)."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import UNKNOWN, Props


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


class StateMachine(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params: Any = to_api(self.fields, new)
            for key in ("name", "type"):
                params.pop(key, None)
            context.call("stepfunctions", "UpdateStateMachine", {"stateMachineArn": id, **params})
