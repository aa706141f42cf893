"""AWS Budgets: budgets and their notifications. Nothing is spent on the twin, so that none is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, to_api
from twin.provider_interface import UNKNOWN, Props

_TIME: Final = "%Y-%m-%d_%H:%M"


def filters(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    return {entry["name"]: entry["values"] for entry in value}


def filter_list(value: Any) -> Any:
    return [{"name": name, "values": value[name]} for name in sorted(value)]


def seconds(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    return int(datetime.strptime(value, _TIME).replace(tzinfo=UTC).timestamp())


def moment(value: Any) -> Any:
    return value.astimezone(UTC).strftime(_TIME) if isinstance(value, datetime) else value


_NOTIFICATION: Final = entries.shape(__name__, "notification")
"""What identifies a notification."""


def _budget(id: str) -> Props:
    """Return the key of a budget."""
    account, _, name = id.partition(":")
    return {"AccountId": account, "BudgetName": name}


def _subscribers(entry: Props) -> list[Props]:
    return [
        {"SubscriptionType": kind, "Address": address}
        for kind, name in (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
        for address in entry.get(name) or ()
    ]


class Budget(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "limitAmount" and isinstance(old, str) and isinstance(new, str):
            return float(old) == float(new)
        return super().same(path, old, new)

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        account = inputs.get("accountId") or context.account
        return {"AccountId": account, **super().create_params(context, inputs)}

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        wanted = inputs.get("notifications") or ()
        # Of a create that failed midway some exist already.
        present = self._notifications(context, id) if wanted else ()
        existing = [to_api(_NOTIFICATION, notification) for notification in present]
        for entry in wanted:
            if to_api(_NOTIFICATION, entry) not in existing:
                self._notify(context, id, "CreateNotification", entry)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        notifications: list[Props] = []
        for notification in self._notifications(context, id):
            params = {**_budget(id), "Notification": to_api(_NOTIFICATION, notification)}
            subscribers: Any = context.call("budgets", "DescribeSubscribersForNotification", params)
            addresses: dict[str, list[str]] = {"SNS": [], "EMAIL": []}
            for subscriber in subscribers["Subscribers"]:
                addresses[subscriber["SubscriptionType"]].append(subscriber["Address"])
            named = {"subscriberSnsTopicArns": addresses["SNS"]}
            notifications.append({**notification, **named, "subscriberEmailAddresses": addresses["EMAIL"]})
        return {"notifications": notifications} if notifications else {}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed - {"notifications"}:
            params = self.create_params(context, {**self._inherited(old, new), **new})
            update = {"AccountId": params["AccountId"], "NewBudget": params["Budget"]}
            context.call("budgets", "UpdateBudget", update)
        if "notifications" in changed:
            # As the provider: all of them again.
            for entry in old.get("notifications") or ():
                self._notify(context, id, "DeleteNotification", entry)
            self.after_create(context, id, new, {})

    def _notifications(self, context: AwsContext, id: str) -> list[Props]:
        answer = context.call("budgets", "DescribeNotificationsForBudget", _budget(id))
        default = {"thresholdType": "PERCENTAGE"}
        return [{**default, **from_api(_NOTIFICATION, entry)} for entry in answer["Notifications"]]

    def _notify(self, context: AwsContext, id: str, operation: str, entry: Props) -> None:
        params: Props = {**_budget(id), "Notification": to_api(_NOTIFICATION, entry)}
        if operation == "CreateNotification":
            params["Subscribers"] = _subscribers(entry)
        context.call("budgets", operation, params)
