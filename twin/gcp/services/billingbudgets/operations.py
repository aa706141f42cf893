"""Cloud Billing Budget API: budgets of any billing account, of which the twin's project knows nothing."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles

_BUDGETS: Final = "billingbudgets.billingAccounts.budgets"
_ACCOUNT: Final = re.compile(r"billingAccounts/[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")
_TOPIC: Final = re.compile(r"projects/([^/]+)/topics/[^/]+")
_CHANNEL: Final = re.compile(r"projects/[^/]+/notificationChannels/[^/]+")
_PROJECT: Final = re.compile(r"projects/([^/]+)")
_MOST_CHANNELS: Final = 5
_LONGEST: Final = 60
_MUTABLE: Final = frozenset(
    {"amount", "budgetFilter", "displayName", "notificationsRule", "ownershipScope", "thresholdRules"}
)


@handles(f"{_BUDGETS}.create")
def create(call: Call) -> dict[str, Any]:
    """A budget; Cloud Billing makes its name, and writes projects by their numbers."""
    parent = call.parameters["parent"]
    if not _ACCOUNT.fullmatch(parent):
        raise invalid(f"Invalid billing account '{parent}'.")
    name = f"{parent}/budgets/{uuid.uuid4()}"
    return call.state.put(f"billingbudgets/{name}", _checked(call, {**call.body, "name": name}))


@handles(f"{_BUDGETS}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a budget."""
    name = call.parameters["name"]
    before = call.need(f"billingbudgets/{name}", generic.missing(call))
    budget = _checked(call, generic.masked(call, before, _MUTABLE))
    return call.state.put(f"billingbudgets/{name}", budget)


@handles(f"{_BUDGETS}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A budget ends at once."""
    name = call.parameters["name"]
    call.need(f"billingbudgets/{name}", generic.missing(call))
    call.state.delete(f"billingbudgets/{name}")
    return {}


def _checked(call: Call, budget: Body) -> Body:
    """Return a budget as the API stores it; raise what it refuses."""
    if len(str(budget.get("displayName") or "")) > _LONGEST:
        raise invalid(f"Display name must have at most {_LONGEST} characters.")
    amount = budget.get("amount") or {}
    if ("specifiedAmount" in amount) == ("lastPeriodAmount" in amount):
        raise invalid("Budget amount must be a specified amount or that of the last period.")
    if "specifiedAmount" in amount:
        amount["specifiedAmount"].setdefault("currencyCode", "USD")
    filters = dict(budget.get("budgetFilter") or {})
    filters.setdefault("creditTypesTreatment", "INCLUDE_ALL_CREDITS")
    if "customPeriod" not in filters:
        filters.setdefault("calendarPeriod", "MONTH")
    labels = filters.get("labels") or {}
    if len(labels) > 1 or any(len(values) != 1 for values in labels.values()):
        raise invalid("A budget has at most one label with one value.")
    if filters.get("projects"):
        filters["projects"] = sorted(_by_number(call, name) for name in filters["projects"])
    _check_rules(budget)
    _check_notifications(call, budget.get("notificationsRule") or {})
    return {**budget, "amount": amount, "budgetFilter": filters}


def _check_rules(budget: Body) -> None:
    for rule in budget.get("thresholdRules") or []:
        rule.setdefault("spendBasis", "CURRENT_SPEND")
        if rule.get("thresholdPercent", 0) < 0:
            raise invalid("Threshold percent must not be negative.")


def _check_notifications(call: Call, rule: Body) -> None:
    channels = rule.get("monitoringNotificationChannels") or []
    if len(channels) > _MOST_CHANNELS:
        raise invalid(f"At most {_MOST_CHANNELS} notification channels are allowed.")
    for channel in channels:
        stored = call.state.get(f"monitoring/{channel}")
        if not _CHANNEL.fullmatch(channel) or stored is None or stored.get("type") != "email":
            raise invalid(f"'{channel}' is no notification channel of the type email.")
    topic = rule.get("pubsubTopic")
    if topic is not None:
        if not _TOPIC.fullmatch(topic) or call.state.get(f"pubsub/{topic}") is None:
            raise invalid(f"Pub/Sub topic '{topic}' does not exist.")
        if rule.get("schemaVersion") != "1.0":
            raise invalid("Schema version of notifications must be 1.0.")


def _by_number(call: Call, name: str) -> str:
    """Return a project by its number: the budget of another one is refused."""
    named = _PROJECT.fullmatch(name)
    number = str(call.front.project_number)
    if named is None or named[1] not in (number, call.front.instance.account):
        raise invalid(f"'{name}' is no project of the billing account.")
    return f"projects/{number}"
