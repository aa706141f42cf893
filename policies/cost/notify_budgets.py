"""Budgets notify."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, any_of, check_each

POLICY = Policy(
    title="Budgets notify a recipient",
    severity="low",
    description="A budget limits nothing. Without a threshold and a recipient its only effect is a line in "
    "the console, and a runaway is noticed on the bill.",
    remediation="Give the budget notifications with an address or a topic on AWS; `thresholdRules` on Google "
    "Cloud, and channels or a topic where its default recipients are off.",
    frameworks=("NIST 800-53 SC-6",),
)


@POLICY.on("aws:budgets/budget:Budget")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Budgets without a notification, or with one without a recipient."""
    if not resource.known("notifications"):
        yield Violation("notifications", "is not set: no one is notified of the costs")
    yield from check_each(resource.entries("notifications"), _check_notification)
    notifications = list(resource.entries("notifications"))
    if notifications and not any_of(notifications, _is_in_time):
        yield Violation("notifications", "are all above 100 percent, after the budget is spent")


def _is_in_time(notification: Entry) -> bool:
    # An amount of money is compared with nothing: the limit may be planned for each month.
    return notification.known("thresholdType") != "PERCENTAGE" or notification.known("threshold") <= 100


def _check_notification(notification: Entry) -> Iterator[Outcome]:
    recipients = ("subscriberEmailAddresses", "subscriberSnsTopicArns")
    if not any(notification.known(key) for key in recipients):
        yield Violation(notification.path, "has neither an address nor a topic")


@POLICY.on("gcp:billing/budget:Budget")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Budgets without a threshold, or without a recipient."""
    if not resource.known("thresholdRules"):
        yield Violation("thresholdRules", "is not set: no one is notified of the costs")
    elif not any_of(resource.entries("thresholdRules"), lambda rule: rule.known("thresholdPercent") <= 1):
        yield Violation("thresholdRules", "are all above 1.0, after the budget is spent")
    path = "allUpdatesRule"
    if resource.known(f"{path}.disableDefaultIamRecipients") is True:
        recipients = ("pubsubTopic", "monitoringNotificationChannels")
        if not any(resource.known(f"{path}.{key}") for key in recipients):
            yield Violation(path, "turns the default recipients off and names no others")
