"""Step Functions: state machines (executions.py executes them)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import UNKNOWN, Failure, Props

_OTHERS: Final = ("publish", "versionDescription")


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
    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in _OTHERS:
            if inputs.get(other):
                yield Failure(other, "of state machines the twin has those without versions")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params: Any = to_api(self.fields, new)
            for key in ("name", "type"):
                params.pop(key, None)
            context.call("stepfunctions", "UpdateStateMachine", {"stateMachineArn": id, **params})
