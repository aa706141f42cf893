"""S3: who owns objects, how long they live, who is told of them, what may not be deleted."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, Fields, kept, pascal
from twin.aws.services.s3.resources.buckets import HERE, NO_BUCKET, Configuration
from twin.provider_interface import Failure, Props


class BucketOwnershipControls(Configuration):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    title = "S3 Bucket Ownership Controls"
    fields = {
        "bucket": Field("Bucket", read=""),
        "rule": Field(
            "OwnershipControls.Rules",
            read="OwnershipControls.Rules[0]",
            of=pascal("objectOwnership"),
            encode=lambda rule: [{"ObjectOwnership": rule.get("objectOwnership")}],
        ),
    }
    create_call = Call("PutBucketOwnershipControls")
    read_call = Call("GetBucketOwnershipControls", HERE)
    not_found = frozenset({NO_BUCKET, "OwnershipControlsNotFoundError"})
    delete_call = Call("DeleteBucketOwnershipControls", HERE)


def _tags(value: Any) -> Any:
    return [{"Key": key, "Value": value[key]} for key in sorted(value)] if isinstance(value, dict) else value


def _of_tags(value: Any) -> Any:
    return {each["Key"]: each.get("Value", "") for each in value}


_SIZES: Final = pascal("objectSizeGreaterThan", "objectSizeLessThan", "prefix")
_RULE: Final[Fields] = {
    "id": Field("ID"),
    **pascal("status", "prefix"),
    "abortIncompleteMultipartUpload": Field(
        "AbortIncompleteMultipartUpload", of=pascal("daysAfterInitiation")
    ),
    "expiration": Field("Expiration", of=pascal("date", "days", "expiredObjectDeleteMarker")),
    "filter": Field(
        "Filter",
        of={
            **_SIZES,
            "tag": Field("Tag", of=pascal("key", "value")),
            "and": Field("And", of={**_SIZES, "tags": Field("Tags", encode=_tags, decode=_of_tags)}),
        },
    ),
    "noncurrentVersionExpiration": Field(
        "NoncurrentVersionExpiration", of=pascal("noncurrentDays", "newerNoncurrentVersions")
    ),
    "noncurrentVersionTransitions": Field(
        "NoncurrentVersionTransitions",
        of=pascal("noncurrentDays", "newerNoncurrentVersions", "storageClass"),
    ),
    "transitions": Field("Transitions", of=pascal("date", "days", "storageClass")),
}


class BucketLifecycleConfiguration(Configuration):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    title = "S3 Bucket Lifecycle Configuration"
    fields = {
        "bucket": Field("Bucket", read=""),
        "expectedBucketOwner": Field("ExpectedBucketOwner", read=""),
        "rules": Field("LifecycleConfiguration.Rules", read="Rules", of=_RULE),
        "transitionDefaultMinimumObjectSize": Field("TransitionDefaultMinimumObjectSize"),
        **kept("timeouts"),
    }
    create_call = Call("PutBucketLifecycleConfiguration")
    read_call = Call("GetBucketLifecycleConfiguration", HERE)
    not_found = frozenset({NO_BUCKET, "NoSuchLifecycleConfiguration"})
    delete_call = Call("DeleteBucketLifecycle", HERE)
    paths = {NO_BUCKET: "bucket", "InvalidArgument": "rules", "InvalidRequest": "rules"}


class BucketLogging(Configuration):
    token = "aws:s3/bucketLogging:BucketLogging"
    title = "S3 Bucket Logging"
    fields = {
        "bucket": Field("Bucket", read=""),
        "expectedBucketOwner": Field("ExpectedBucketOwner", read=""),
        "targetBucket": Field("BucketLoggingStatus.LoggingEnabled.TargetBucket", read="TargetBucket"),
        "targetPrefix": Field("BucketLoggingStatus.LoggingEnabled.TargetPrefix", read="TargetPrefix"),
        "targetGrants": Field(
            "BucketLoggingStatus.LoggingEnabled.TargetGrants",
            read="",
            of={
                "grantee": Field(
                    "Grantee",
                    of={
                        **pascal("displayName", "emailAddress", "type"),
                        "id": Field("ID"),
                        "uri": Field("URI"),
                    },
                ),
                "permission": Field("Permission"),
            },
        ),
        "targetObjectKeyFormat": Field(
            "BucketLoggingStatus.LoggingEnabled.TargetObjectKeyFormat",
            read="",
            of={
                "partitionedPrefix": Field("PartitionedPrefix", of=pascal("partitionDateSource")),
                "simplePrefix": Field("SimplePrefix"),
            },
        ),
    }
    create_call = Call("PutBucketLogging")
    read_call = Call("GetBucketLogging", HERE)
    item = "LoggingEnabled"
    not_found = frozenset({NO_BUCKET})
    immutable = frozenset({"expectedBucketOwner"})
    paths = {NO_BUCKET: "bucket", "InvalidTargetBucketForLogging": "targetBucket"}

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        context.call("s3", "PutBucketLogging", {"Bucket": id, "BucketLoggingStatus": {}})


class BucketObjectLockConfiguration(Configuration):
    token = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    title = "S3 Bucket Object Lock Configuration"
    fields = {
        "bucket": Field("Bucket", read=""),
        "expectedBucketOwner": Field("ExpectedBucketOwner", read=""),
        "token": Field("Token", read=""),
        "objectLockEnabled": Field("ObjectLockConfiguration.ObjectLockEnabled"),
        "rule": Field(
            "ObjectLockConfiguration.Rule",
            of={"defaultRetention": Field("DefaultRetention", of=pascal("days", "mode", "years"))},
        ),
    }
    create_call = Call("PutObjectLockConfiguration")
    read_call = Call("GetObjectLockConfiguration", HERE)
    not_found = frozenset({NO_BUCKET, "ObjectLockConfigurationNotFoundError"})
    defaults = {"objectLockEnabled": "Enabled"}
    paths = {NO_BUCKET: "bucket", "InvalidBucketState": "bucket", "MalformedXML": "rule"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        rule = inputs.get("rule")
        retention = rule.get("defaultRetention") if isinstance(rule, dict) else None
        if isinstance(retention, dict) and (
            (retention.get("days") is None) == (retention.get("years") is None)
        ):
            where = "rule.defaultRetention"
            yield Failure(where, "exactly one of days and years must be specified in a default retention")

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # Object Lock stays on for good; only its default retention can be taken away.
        nothing = {"ObjectLockEnabled": "Enabled"}
        given = {"Bucket": id, "ObjectLockConfiguration": nothing}
        context.call("s3", "PutObjectLockConfiguration", given)


def _told(arn: str) -> Fields:
    return {
        "id": Field("Id"),
        "events": Field("Events"),
        f"{arn[0].lower()}{arn[1:]}": Field(arn),
    }


class BucketNotification(Configuration):
    token = "aws:s3/bucketNotification:BucketNotification"
    title = "S3 Bucket Notification"
    fields = {
        "bucket": Field("Bucket", read=""),
        "eventbridge": Field(
            "NotificationConfiguration.EventBridgeConfiguration",
            read="EventBridgeConfiguration",
            encode=lambda on: {} if on is True else None,
            decode=lambda held: held is not None,
        ),
        **{
            name: Field(f"NotificationConfiguration.{member}", read=member, of=_told(arn))
            for name, member, arn in (
                ("topics", "TopicConfigurations", "TopicArn"),
                ("queues", "QueueConfigurations", "QueueArn"),
                ("lambdaFunctions", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
            )
        },
    }
    create_call = Call("PutBucketNotificationConfiguration", {"NotificationConfiguration": {}})
    read_call = Call("GetBucketNotificationConfiguration", HERE)
    not_found = frozenset({NO_BUCKET})

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for kind in ("topics", "queues", "lambdaFunctions"):
            for index, each in enumerate(inputs.get(kind) or []):
                for name in ("filterPrefix", "filterSuffix"):
                    if isinstance(each, dict) and each.get(name):
                        yield Failure(
                            f"{kind}[{index}].{name}", "filters of notifications are not in the twin"
                        )

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        params.setdefault("NotificationConfiguration", {})
        return params

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        found = super().find(context, id, state)
        told = {name: value for name, value in (found or {}).items() if name != "ResponseMetadata"}
        return told or None

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        given = {"Bucket": id, "NotificationConfiguration": {}}
        context.call("s3", "PutBucketNotificationConfiguration", given)
