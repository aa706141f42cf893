"""ClusterQueues in memory, and the messages of budgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cost_control import queues
from cost_control.queues import Held, Object

BUDGET = "acme-dev-environment"
BUDGET_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
# The form of AWS Budgets' own texts.
TEXT = f"""AWS Budget Notification November 29, 2026
AWS Account 111122223333

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your {BUDGET} budget is greater than
$500.00 for the current month. The ACTUAL Cost associated with this budget is $512.37.

Budget Name: {BUDGET}
Budget Type: Cost
Budgeted Amount: $500.00
Alert Type: ACTUAL
Alert Threshold: > $500.00
ACTUAL Amount: $512.37
"""


def of_sns(text: str = TEXT, moment: str = "2026-11-29T08:00:00.000Z") -> str:
    """Return the envelope of SNS around a text."""
    topic = "arn:aws:sns:us-west-2:111122223333:acme-dev-cost-hold"
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "m",
            "TopicArn": topic,
            "Subject": "AWS Budgets",
            "Message": text,
            "Timestamp": moment,
        }
    )


def of_pubsub(**more: Any) -> str:
    """Return the state of a budget as Cloud Billing publishes it."""
    return json.dumps(
        {
            "budgetDisplayName": BUDGET,
            "costAmount": 512.37,
            "costIntervalStart": "2026-11-01T07:00:00Z",
            "budgetAmount": 500.0,
            "budgetAmountType": "SPECIFIED_AMOUNT",
            "currencyCode": "EUR",
            **more,
        }
    )


def queue(name: str = "shared", policy: str = "None", **annotations: str) -> Object:
    """Return a ClusterQueue as the API server does."""
    keys = {
        "budget": queues.BUDGET_HOLD,
        "released": queues.BUDGET_RELEASED,
        "schedule": queues.SCHEDULE_HOLD,
    }
    metadata: Object = {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "annotations": {keys[key]: value for key, value in annotations.items()},
    }
    return {"metadata": metadata, "spec": {"stopPolicy": policy}}


def owned(item: Object, manager: str) -> Object:
    """Return a queue whose stopPolicy belongs to a manager, too."""
    entry = {"manager": manager, "fieldsV1": {"f:spec": {"f:stopPolicy": {}}}}
    known = item["metadata"].get("managedFields", [])
    return {**item, "metadata": {**item["metadata"], "managedFields": [*known, entry]}}


class Memory:
    """A cluster in memory."""

    def __init__(self, *items: Object) -> None:
        self.queues = {item["metadata"]["name"]: item for item in items}
        self.events: list[tuple[str, str, str, bool]] = []

    def change(self, name: str, decide: Callable[[Held, Object], Held]) -> tuple[Held, Held] | None:
        """Change why a queue is held."""
        item = self.queues.get(name)
        if item is None:
            return None
        before = queues.held(item)
        now = decide(before, item)
        if now != before:
            body = queues.applied(item, now)
            changed = {**item, "spec": {"stopPolicy": body["spec"].get("stopPolicy", now.foreign)}}
            changed["metadata"] = {**item["metadata"], "annotations": body["metadata"]["annotations"]}
            self.queues[name] = changed
        return before, now

    def label(self, name: str, value: str) -> None:
        """Set the label that leaves a queue out."""
        self.queues[name]["metadata"]["labels"] = {"ai-platform/keep-running": value}

    def report(self, queue: str, reason: str, message: str, *, warning: bool = False) -> None:
        """Create an event about a queue."""
        self.events.append((queue, reason, message, warning))

    def policy(self, name: str = "shared") -> str:
        """Return the stopPolicy of a queue."""
        return self.queues[name]["spec"]["stopPolicy"]

    def state(self, name: str = "shared") -> Held:
        """Return why a queue is held."""
        return queues.held(self.queues[name])
