"""Cloud Billing Budget API: budgets of any billing account, of which the twin's project knows nothing."""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import serve

_ACCOUNT: Final = re.compile(r"(billingAccounts/[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6})/.*")
_PROJECT: Final = re.compile(r"projects/([^/]+)")


def _prepare(_: Call, budget: Body) -> None:
    if not _ACCOUNT.fullmatch(budget["name"]):
        raise invalid(f"Invalid billing account '{budget['name'].rpartition('/budgets/')[0]}'.")


def _check(call: Call, budget: Body) -> None:
    """Complete a budget as the API stores it."""
    if "specifiedAmount" in budget["amount"]:
        budget["amount"]["specifiedAmount"].setdefault("currencyCode", "USD")
    filters = budget["budgetFilter"]
    if "customPeriod" not in filters:
        filters.setdefault("calendarPeriod", "MONTH")
    labels = filters.get("labels") or {}
    if len(labels) > 1 or any(len(values) != 1 for values in labels.values()):
        raise invalid("A budget has at most one label with one value.")
    if filters.get("projects"):
        filters["projects"] = sorted(_by_number(call, name) for name in filters["projects"])
    for rule in budget.get("thresholdRules") or []:
        rule.setdefault("spendBasis", "CURRENT_SPEND")
    notified = budget.get("notificationsRule") or {}
    for channel in notified.get("monitoringNotificationChannels") or []:
        stored = call.state.get(f"monitoring/{channel}")
        if stored is None or stored.get("type") != "email":
            raise invalid(f"'{channel}' is no notification channel of the type email.")
    topic = notified.get("pubsubTopic")
    if topic is not None and call.state.get(f"pubsub/{topic}") is None:
        raise invalid(f"Pub/Sub topic '{topic}' does not exist.")
    if topic is not None and notified.get("schemaVersion") != "1.0":
        raise invalid("Schema version of notifications must be 1.0.")


def _by_number(call: Call, name: str) -> str:
    """Return a project by its number: the budget of another one is refused."""
    named = _PROJECT.fullmatch(name)
    number = str(call.server.project_number)
    if named is None or named[1] not in (number, call.server.instance.account):
        raise invalid(f"'{name}' is no project of the billing account.")
    return f"projects/{number}"


serve("billingbudgets.billingAccounts.budgets", prepare=_prepare, check=_check)
