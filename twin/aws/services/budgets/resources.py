"""AWS Budgets: budgets and their notifications. Nothing is spent on the twin, so that none is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
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


def _notification(entry: Props) -> Props:
    """Return a notification as the API identifies it."""
    return {
        "NotificationType": entry["notificationType"],
        "ComparisonOperator": entry["comparisonOperator"],
        "Threshold": entry["threshold"],
        "ThresholdType": entry["thresholdType"],
    }


def _known(notification: Props) -> Props:
    """Return what identifies a notification of the API."""
    keys = ("NotificationType", "ComparisonOperator", "Threshold")
    kind = notification.get("ThresholdType", "PERCENTAGE")
    return {**{key: notification[key] for key in keys}, "ThresholdType": kind}


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
        entries = inputs.get("notifications") or ()
        # Of a create that failed midway some exist already.
        existing = [_known(entry) for entry in self._notifications(context, id)] if entries else []
        for entry in entries:
            if _notification(entry) not in existing:
                self._notify(context, id, "CreateNotification", entry)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        entries: list[Props] = []
        for notification in self._notifications(context, id):
            params = {**_budget(id), "Notification": notification}
            subscribers: Any = context.call("budgets", "DescribeSubscribersForNotification", params)
            addresses: dict[str, list[str]] = {"SNS": [], "EMAIL": []}
            for subscriber in subscribers["Subscribers"]:
                addresses[subscriber["SubscriptionType"]].append(subscriber["Address"])
            entries.append(
                {
                    "notificationType": notification["NotificationType"],
                    "comparisonOperator": notification["ComparisonOperator"],
                    "threshold": notification["Threshold"],
                    "thresholdType": notification.get("ThresholdType", "PERCENTAGE"),
                    "subscriberSnsTopicArns": addresses["SNS"],
                    "subscriberEmailAddresses": addresses["EMAIL"],
                }
            )
        return {"notifications": entries} if entries else {}

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

    def _notifications(self, context: AwsContext, id: str) -> list[Any]:
        return context.call("budgets", "DescribeNotificationsForBudget", _budget(id))["Notifications"]

    def _notify(self, context: AwsContext, id: str, operation: str, entry: Props) -> None:
        params: Props = {**_budget(id), "Notification": _notification(entry)}
        if operation == "CreateNotification":
            params["Subscribers"] = _subscribers(entry)
        context.call("budgets", operation, params)
