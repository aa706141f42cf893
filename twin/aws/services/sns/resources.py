"""SNS: topics and their subscriptions."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import text_of_boolean as text
from twin.provider_interface import Props


class _WithAttributes(AwsResource):
    """What has attributes, each of which a separate call sets."""

    set_call: ClassVar[str]
    key: ClassVar[str]

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        for name in sorted(self.changed(old, new)):
            head, _, attribute = self.fields[name].api.partition(".")
            if head == "Attributes":
                value = text(new.get(name))
                params = {
                    self.key: id,
                    "AttributeName": attribute,
                    "AttributeValue": "" if value is None else str(value),
                }
                context.call("sns", self.set_call, params)


class Topic(_WithAttributes):
    set_call = "SetTopicAttributes"
    key = "TopicArn"

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"name": id.rpartition(":")[2]}


class TopicSubscription(_WithAttributes):
    set_call = "SetSubscriptionAttributes"
    key = "SubscriptionArn"

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"pendingConfirmation": False, "confirmationWasAuthenticated": True}
