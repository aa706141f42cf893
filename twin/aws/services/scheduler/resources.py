"""EventBridge Scheduler: schedules of the default group. None of them invokes its target here."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, Fields, kept, pascal, reads, to_api
from twin.provider_interface import AutoName, Failure, Props

_NAMED: Final = {"Name": "{name}", "GroupName": "{groupName}"}
_OTHERS: Final = (
    "ecsParameters",
    "eventbridgeParameters",
    "kinesisParameters",
    "sagemakerPipelineParameters",
    "sqsParameters",
)
_TARGET: Final[Fields] = {
    **pascal("arn", "roleArn", "input"),
    "deadLetterConfig": Field("DeadLetterConfig", of=pascal("arn")),
    "retryPolicy": Field("RetryPolicy", of=pascal("maximumEventAgeInSeconds", "maximumRetryAttempts")),
}


class Schedule(AwsResource):
    token = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    title = "EventBridge Scheduler Schedule"
    fields = {
        **pascal(
            "name", "groupName", "description", "scheduleExpression", "scheduleExpressionTimezone", "state"
        ),
        **pascal("kmsKeyArn"),
        "flexibleTimeWindow": Field("FlexibleTimeWindow", of=pascal("mode", "maximumWindowInMinutes")),
        "target": Field("Target", of=_TARGET),
        **kept("namePrefix", "startDate", "endDate", "actionAfterCompletion"),
        **reads(arn="Arn"),
    }
    create_call = Call("CreateSchedule")
    id_form = "{groupName}/{name}"
    read_call = Call("GetSchedule", _NAMED)
    not_found = frozenset({"ResourceNotFoundException"})
    delete_call = Call("DeleteSchedule", _NAMED)
    autoname = AutoName(max_length=64)
    name_prefix = ("namePrefix", "name", 64)
    defaults = {"groupName": "default", "scheduleExpressionTimezone": "UTC", "state": "ENABLED"}
    paths = {"ValidationException": "scheduleExpression", "ResourceNotFoundException": "groupName"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in ("startDate", "endDate", "actionAfterCompletion"):
            if inputs.get(other) is not None:
                yield Failure(other, "of schedules the twin has those without a beginning and an end")
        target: Any = inputs.get("target")
        for other in _OTHERS if isinstance(target, dict) else ():
            if target.get(other) is not None:
                yield Failure(f"target.{other}", "targets of this kind are not in the twin")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            context.call(
                "scheduler", "UpdateSchedule", to_api(self.fields, {**self._inherited(old, new), **new})
            )
