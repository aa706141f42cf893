"""EventBridge Scheduler: schedules of the default group. None of them invokes its target here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Failure, Props

_OTHERS: Final = (
    "ecsParameters",
    "eventbridgeParameters",
    "kinesisParameters",
    "sagemakerPipelineParameters",
    "sqsParameters",
)


class Schedule(AwsResource):
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
