"""SNS: topics and their subscriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import UNKNOWN, Failure, Props

_NAME: Final = re.compile(r"[\w-]{1,256}")
_OTHERS: Final = (
    *("archivePolicy", "contentBasedDeduplication", "fifoThroughputScope", "fifoTopic"),
    *("maximumMessageSize", "signatureVersion", "tracingConfig"),
    *(
        f"{kind}{outcome}"
        for kind in ("application", "firehose", "http", "lambda", "sqs")
        for outcome in (
            "FailureFeedbackRoleArn",
            "SuccessFeedbackRoleArn",
            "SuccessFeedbackSampleRate",
        )
    ),
)
_SUBSCRIPTION_OTHERS: Final = ("deliveryPolicy", "redrivePolicy", "replayPolicy", "subscriptionRoleArn")


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class Topic(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        name = inputs.get("name")
        if isinstance(name, str) and not _NAME.fullmatch(name):
            yield Failure("name", f"invalid name: {name}: expected 1 to 256 letters, digits, - and _")
        for other in _OTHERS:
            if inputs.get(other) not in (None, False, 0, ""):
                yield Failure(other, "of topics the twin has those without order and without delivery logs")

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"name": id.rpartition(":")[2]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        for name in sorted(self.changed(old, new)):
            api = self.fields[name].api
            if api.startswith("Attributes."):
                value = new.get(name)
                params = {"TopicArn": id, "AttributeName": api.partition(".")[2]}
                context.call(
                    "sns",
                    "SetTopicAttributes",
                    {**params, "AttributeValue": "" if value is None else str(value)},
                )


class TopicSubscription(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in _SUBSCRIPTION_OTHERS:
            if inputs.get(other) is not None:
                yield Failure(other, "of subscriptions the twin has those that are delivered at once")
        if inputs.get("protocol") not in ("sqs", UNKNOWN):
            yield Failure("protocol", "of subscriptions the twin has those of queues of SQS")

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"pendingConfirmation": False, "confirmationWasAuthenticated": True}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        for name in sorted(self.changed(old, new)):
            api = self.fields[name].api
            if api.startswith("Attributes."):
                value = _text(new.get(name))
                context.call(
                    "sns",
                    "SetSubscriptionAttributes",
                    {
                        "SubscriptionArn": id,
                        "AttributeName": api.partition(".")[2],
                        "AttributeValue": "" if value is None else str(value),
                    },
                )
