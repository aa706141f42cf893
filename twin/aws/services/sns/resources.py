"""SNS: topics and their subscriptions."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class Topic(AwsResource):
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
