"""CloudWatch: log groups and their streams."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.core.templates import fill
from twin.provider_interface import Props


class LogGroup(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        # The call answers every group whose name begins so.
        more: Props = {}
        while True:
            answer = context.call("logs", "DescribeLogGroups", {"logGroupNamePrefix": id, **more})
            for group in answer["logGroups"]:
                if group["logGroupName"] == id:
                    return group
            if not answer.get("nextToken"):
                return None
            more = {"nextToken": answer["nextToken"]}

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
            if new.get("kmsKeyId"):
                context.call("logs", "AssociateKmsKey", {"logGroupName": id, "kmsKeyId": new["kmsKeyId"]})
            else:
                context.call("logs", "DisassociateKmsKey", {"logGroupName": id})
        if "deletionProtectionEnabled" in changed:
            arguments = {
                "logGroupIdentifier": id,
                "deletionProtectionEnabled": bool(new.get("deletionProtectionEnabled")),
            }
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
        try:
            answer = context.call(
                "logs", "DescribeLogStreams", fill(self.read_call.params, {**state, "id": id})
            )
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        return next(
            (log_stream for log_stream in answer["logStreams"] if log_stream["logStreamName"] == id), None
        )
