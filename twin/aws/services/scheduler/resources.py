"""EventBridge Scheduler: schedules of the default group. None of them invokes its target here."""

from __future__ import annotations

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props


class Schedule(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            context.call(
                "scheduler", "UpdateSchedule", to_api(self.fields, {**self._inherited(old, new), **new})
            )
