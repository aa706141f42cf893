"""Amazon Managed Service for Prometheus: workspaces and their configuration."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, Update
from twin.aws.resources.fields import Field, kept, reads, same
from twin.aws.resources.tags import Tagging
from twin.provider_interface import Failure, Props

_ABSENT: Final = frozenset({"ResourceNotFoundException"})
_LARGEST: Final = 1095
"""Days: the quota "Retention time for ingested data"."""


class Workspace(AwsResource):
    token = "aws:amp/workspace:Workspace"
    service = "amp"
    title = "AMP (Managed Prometheus) Workspace"
    fields = {
        "alias": Field("alias"),
        "kmsKeyArn": Field("kmsKeyArn", read=""),
        **kept("loggingConfiguration"),
        **reads(arn="arn", prometheusEndpoint="prometheusEndpoint"),
    }
    create_call = Call("CreateWorkspace")
    id_path = "workspaceId"
    read_call = Call("DescribeWorkspace", {"workspaceId": "{id}"})
    item = "workspace"
    not_found = _ABSENT
    updates = (Update(("alias",), Call("UpdateWorkspaceAlias", {"workspaceId": "{id}", "alias": "{alias}"})),)
    delete_call = Call("DeleteWorkspace", {"workspaceId": "{id}"})
    tagging = Tagging(
        create="tags",
        key="",
        value="",
        item="tags",
        add=Call("TagResource", {"resourceArn": "{arn}", "tags": "{tags}"}),
        remove=Call("UntagResource", {"resourceArn": "{arn}", "tagKeys": "{keys}"}),
    )
    paths = {"ValidationException": "alias"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("loggingConfiguration") is not None:
            yield Failure("loggingConfiguration", "logs of a workspace are not in the twin")


class WorkspaceConfiguration(AwsResource):
    token = "aws:amp/workspaceConfiguration:WorkspaceConfiguration"
    service = "amp"
    title = "AMP (Managed Prometheus) Workspace Configuration"
    fields = {
        **same("workspaceId", "retentionPeriodInDays"),
        **kept("limitsPerLabelSets", "outOfOrderTimeWindowInSeconds", "ruleQueryOffsetInSeconds", "timeouts"),
    }
    create_call = Call("UpdateWorkspaceConfiguration")
    id_form = "{workspaceId}"
    read_call = Call("DescribeWorkspaceConfiguration", {"workspaceId": "{id}"})
    item = "workspaceConfiguration"
    not_found = _ABSENT
    paths = {"ValidationException": "retentionPeriodInDays", "ResourceNotFoundException": "workspaceId"}

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
