"""Spec of cost.notify_budgets."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _aws(*notifications: Any) -> Resource:
    return resource("aws:budgets/budget:Budget", {"budgetType": "COST", "notifications": list(notifications)})


def _notification(**more: Any) -> dict[str, Any]:
    return {
        "notificationType": "ACTUAL",
        "comparisonOperator": "GREATER_THAN",
        "threshold": 80,
        "thresholdType": "PERCENTAGE",
        **more,
    }


def _google(rule: Any = None, thresholds: Any = ({"thresholdPercent": 0.8},)) -> Resource:
    rules = list(thresholds) if isinstance(thresholds, tuple) else thresholds
    props = {"thresholdRules": rules, **({} if rule is None else {"allUpdatesRule": rule})}
    return resource("gcp:billing/budget:Budget", props)


SPEC = Spec(
    passes={
        "an address": _aws(_notification(subscriberEmailAddresses=["ml@acme.example"])),
        "a threshold above the budget next to one below": _aws(
            _notification(subscriberEmailAddresses=["ml@acme.example"]),
            _notification(threshold=120, subscriberEmailAddresses=["ml@acme.example"]),
        ),
        "an amount": _aws(
            _notification(
                threshold=500, thresholdType="ABSOLUTE_VALUE", subscriberEmailAddresses=["ml@acme.example"]
            )
        ),
        "a topic": _aws(_notification(subscriberSnsTopicArns=["arn:aws:sns:eu-central-1:1:costs"])),
        "administrators of the billing account": _google(),
        "a topic in place of them": _google({"disableDefaultIamRecipients": True, "pubsubTopic": "costs"}),
    },
    fails={
        "no notification": Fails(_aws(), "notifications", "no one is notified"),
        "a notification without a recipient": Fails(
            _aws(_notification()), "notifications[0]", "neither an address"
        ),
        "thresholds above the budget": Fails(
            _aws(_notification(threshold=1000, subscriberEmailAddresses=["ml@acme.example"])),
            "notifications",
            "after the budget is spent",
        ),
        "rules above the budget": Fails(
            _google(thresholds=({"thresholdPercent": 80},)), "thresholdRules", "after the budget is spent"
        ),
        "no threshold": Fails(_google(thresholds=()), "thresholdRules"),
        "no recipient": Fails(_google({"disableDefaultIamRecipients": True}), "allUpdatesRule", "no others"),
    },
    unknown={
        "the notifications": resource("aws:budgets/budget:Budget", {"notifications": UNKNOWN}),
        "the topic": _aws(_notification(subscriberSnsTopicArns=UNKNOWN)),
        "the thresholds": _google(thresholds=UNKNOWN),
    },
)
