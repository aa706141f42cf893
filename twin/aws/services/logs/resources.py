"""CloudWatch: log groups and their streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.core.templates import fill
from twin.provider_interface import Failure, Props

RETENTIONS: Final = tuple(
    map(
        int,
        [
            "0",
            "1",
            "3",
            "5",
            "7",
            "14",
            "30",
            "60",
            "90",
            "120",
            "150",
            "180",
            "365",
            "400",
            "545",
            "731",
            "1096",
            "1827",
            "2192",
            "2557",
            "2922",
            "3288",
            "3653",
        ],
    )
)
"""Days that PutRetentionPolicy accepts; 0 is the provider's word for forever."""


class LogGroup(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        days = inputs.get("retentionInDays")
        if isinstance(days, (int, float)) and days not in RETENTIONS:
            yield Failure(
                "retentionInDays",
                f"expected retention_in_days to be one of [{' '.join(map(str, RETENTIONS))}], got {days:g}",
            )

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
            given = {
                "logGroupIdentifier": id,
                "deletionProtectionEnabled": bool(new.get("deletionProtectionEnabled")),
            }
            context.call("logs", "PutLogGroupDeletionProtection", given)

    @staticmethod
    def _retain(context: AwsContext, id: str, days: float) -> None:
        if days:
            context.call("logs", "PutRetentionPolicy", {"logGroupName": id, "retentionInDays": int(days)})
        else:
            context.call("logs", "DeleteRetentionPolicy", {"logGroupName": id})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        if not state.get("skipDestroy"):
            super().unmake(context, id, state)


_STREAM_SIGNS: Final = re.compile(r"[^:*]{1,512}")


class LogStream(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("name")
        if isinstance(name, str) and not _STREAM_SIGNS.fullmatch(name):
            yield Failure("name", "must be between 1 and 512 characters long, without colons and asterisks")

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
        return next((each for each in answer["logStreams"] if each["logStreamName"] == id), None)
