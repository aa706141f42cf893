"""S3: who owns objects, how long they live, who is reported of them, what may not be deleted."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.services.s3.resources.buckets import Configuration
from twin.provider_interface import Props


def ownership(rule: Any) -> Any:
    return [{"ObjectOwnership": rule.get("objectOwnership")}]


class BucketLogging(Configuration):
    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        context.call("s3", "PutBucketLogging", {"Bucket": id, "BucketLoggingStatus": {}})


class BucketObjectLockConfiguration(Configuration):
    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # Object Lock stays on for good; only its default retention can be taken away.
        nothing = {"ObjectLockEnabled": "Enabled"}
        params = {"Bucket": id, "ObjectLockConfiguration": nothing}
        context.call("s3", "PutObjectLockConfiguration", params)


def switch(on: Any) -> Any:
    return {} if on is True else None


def switched(setting: Any) -> bool:
    return setting is not None


class BucketNotification(Configuration):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params.setdefault("NotificationConfiguration", {})
        return params

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        reported = {name: value for name, value in (item or {}).items() if name != "ResponseMetadata"}
        return reported or None

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params = {"Bucket": id, "NotificationConfiguration": {}}
        context.call("s3", "PutBucketNotificationConfiguration", params)
