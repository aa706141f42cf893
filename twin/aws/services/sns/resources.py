"""SNS: topics and their subscriptions."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, reads
from twin.aws.resources.tags import Tagging
from twin.provider_interface import UNKNOWN, AutoName, Failure, Props

_ABSENT: Final = frozenset({"NotFound", "NotFoundException"})
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


def _is_true(value: Any) -> Any:
    return value == "true" if isinstance(value, str) else value


def _attribute(name: str, **functions: Any) -> Field:
    return Field(f"Attributes.{name}", **functions)


class Topic(AwsResource):
    token = "aws:sns/topic:Topic"
    service = "sns"
    title = "SNS Topic"
    fields = {
        "name": Field("Name", read=""),
        **kept("namePrefix"),
        "displayName": _attribute("DisplayName"),
        "kmsMasterKeyId": _attribute("KmsMasterKeyId"),
        "policy": _attribute("Policy"),
        "deliveryPolicy": _attribute("DeliveryPolicy"),
        **kept(*_OTHERS),
        **reads(arn="Attributes.TopicArn", owner="Attributes.Owner"),
    }
    create_call = Call("CreateTopic")
    id_path = "TopicArn"
    read_call = Call("GetTopicAttributes", {"TopicArn": "{id}"})
    not_found = _ABSENT
    delete_call = Call("DeleteTopic", {"TopicArn": "{id}"})
    tagging = Tagging(
        listing=Call("ListTagsForResource", {"ResourceArn": "{id}"}),
        listed="Tags",
        add=Call("TagResource", {"ResourceArn": "{id}", "Tags": "{tags}"}),
        remove=Call("UntagResource", {"ResourceArn": "{id}", "TagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=256)
    name_prefix = ("namePrefix", "name", 256)
    computed = frozenset({"policy"})
    documents = frozenset({"policy", "deliveryPolicy"})
    paths = {"InvalidParameter": "name"}

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
    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    title = "SNS Topic Subscription"
    fields = {
        "topic": Field("TopicArn", read="Attributes.TopicArn"),
        "protocol": Field("Protocol", read="Attributes.Protocol"),
        "endpoint": Field("Endpoint", read="Attributes.Endpoint"),
        "rawMessageDelivery": _attribute("RawMessageDelivery", encode=_text, decode=_is_true),
        "filterPolicy": _attribute("FilterPolicy"),
        "filterPolicyScope": _attribute("FilterPolicyScope"),
        **kept("confirmationTimeoutInMinutes", "endpointAutoConfirms", *_SUBSCRIPTION_OTHERS),
        **reads(arn="Attributes.SubscriptionArn", ownerId="Attributes.Owner"),
    }
    create_call = Call("Subscribe", {"ReturnSubscriptionArn": True})
    id_path = "SubscriptionArn"
    read_call = Call("GetSubscriptionAttributes", {"SubscriptionArn": "{id}"})
    not_found = _ABSENT
    delete_call = Call("Unsubscribe", {"SubscriptionArn": "{id}"})
    computed = frozenset({"filterPolicyScope"})
    documents = frozenset({"filterPolicy"})
    defaults = {"rawMessageDelivery": False}
    paths = {"InvalidParameter": "endpoint", "NotFound": "topic"}

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
