"""CloudWatch: log groups and their streams."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class LogGroup(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        # The call answers every group whose name begins so.
        groups = context.pages("logs", "DescribeLogGroups", {"logGroupNamePrefix": id}, "logGroups")
        return next((group for group in groups if group["logGroupName"] == id), None)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"retentionInDays": item.get("retentionInDays", 0)}

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("retentionInDays"):
            self._retain(context, id, inputs["retentionInDays"])

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if "retentionInDays" in changed:
            self._retain(context, id, new.get("retentionInDays") or 0)
        if "kmsKeyId" in changed:
            key = {"kmsKeyId": new["kmsKeyId"]} if new.get("kmsKeyId") else {}
            operation = "AssociateKmsKey" if key else "DisassociateKmsKey"
            context.call("logs", operation, {"logGroupName": id, **key})
        if "deletionProtectionEnabled" in changed:
            enabled = bool(new.get("deletionProtectionEnabled"))
            arguments = {"logGroupIdentifier": id, "deletionProtectionEnabled": enabled}
            context.call("logs", "PutLogGroupDeletionProtection", arguments)

    @staticmethod
    def _retain(context: AwsContext, id: str, days: float) -> None:
        if days:
            context.call("logs", "PutRetentionPolicy", {"logGroupName": id, "retentionInDays": int(days)})
        else:
            context.call("logs", "DeleteRetentionPolicy", {"logGroupName": id})


class LogStream(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        # The call answers every stream whose name begins so.
        streams = super().find(context, id, state) or ()
        return next((stream for stream in streams if stream["logStreamName"] == id), None)
