"""Amazon Managed Service for Prometheus: workspaces and their configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Failure, Props

_LARGEST: Final = 1095
"""Days: the quota "Retention time for ingested data"."""


class Workspace(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("loggingConfiguration") is not None:
            yield Failure("loggingConfiguration", "logs of a workspace are not in the twin")


class WorkspaceConfiguration(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        days = inputs.get("retentionPeriodInDays")
        if isinstance(days, (int, float)) and not 1 <= days <= _LARGEST:
            yield Failure("retentionPeriodInDays", f"expected 1 to {_LARGEST} days, got {days:g}")
        for name in ("limitsPerLabelSets", "outOfOrderTimeWindowInSeconds", "ruleQueryOffsetInSeconds"):
            if inputs.get(name) is not None:
                yield Failure(name, "of a workspace's configuration the twin has the retention alone")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            context.call("amp", "UpdateWorkspaceConfiguration", self.create_params(context, new))

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        """Leave it as it is: a workspace always has a configuration, and the provider only forgets it."""
