"""AWS Budgets: budgets with notifications and subscribers, of which moto neither changes nor lists all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import policy_statements
from twin.aws.validation import extension_store
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
BUDGETS: Final = Kind(
    "budgets",
    "twin_budgets",
    ("BudgetName",),
    ("NotFoundException", "Unable to get budget: {} - the budget doesn't exist.", 400),
)
SERVICE: Final = "budgets.amazonaws.com"
MOST_NOTIFICATIONS: Final = 5
MOST_EMAILS: Final = 10
_IDENTITY: Final = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
_FOREVER: Final = 3706473600
"""2087-06-15, the end of a budget without one."""
_COST_TYPES: Final = {
    **dict.fromkeys(
        (
            *("IncludeCredit", "IncludeDiscount", "IncludeOtherSubscription", "IncludeRecurring"),
            *("IncludeRefund", "IncludeSubscription", "IncludeSupport", "IncludeTax", "IncludeUpfront"),
        ),
        True,
    ),
    "UseAmortized": False,
    "UseBlended": False,
}


def check(params: Params, state: MotoState) -> None:
    """CreateBudget: a name, at most five notifications, and topics that AWS Budgets may publish to."""
    name = str(params["Budget"].get("BudgetName"))
    if ":" in name or "\\" in name or not name.strip():
        raise Refusal(
            "InvalidParameterException", f"Budget name {name!r} has a character that is not allowed"
        )
    notifications = params.get("NotificationsWithSubscribers") or []
    if len(notifications) > MOST_NOTIFICATIONS:
        raise Refusal(
            "CreationLimitExceededException", f"A budget has at most {MOST_NOTIFICATIONS} notifications."
        )
    for entry in notifications:
        check_subscribers(entry.get("Subscribers") or [], state)


def check_notification(params: Params, state: MotoState) -> None:
    """CreateNotification."""
    check_subscribers(params.get("Subscribers") or [], state)


def check_subscribers(subscribers: list[Params], state: MotoState) -> None:
    """At most ten addresses and one topic, which exists and which the service may publish to."""
    topics = [entry["Address"] for entry in subscribers if entry["SubscriptionType"] == "SNS"]
    if len(subscribers) - len(topics) > MOST_EMAILS or len(topics) > 1:
        raise Refusal(
            "CreationLimitExceededException", "A notification has at most ten addresses and one topic."
        )
    for arn in topics:
        if not may_publish(SERVICE, arn, state, f"arn:aws:budgets::{state.account}:budget/any"):
            raise Refusal(
                "InvalidParameterException",
                f"Cannot validate SNS topic: {arn}: it does not let {SERVICE} publish",
            )


def may_publish(service: str, arn: str, state: MotoState, source: str) -> bool:
    """Whether a topic exists and its policy lets a service publish for this account. source: for what."""
    parts = arn.split(":")
    topic: Any = state.moto.backend("sns", parts[3]).topics.get(arn) if len(parts) == 6 else None
    if topic is None or parts[4] != state.account:
        return False
    context = {"aws:SourceAccount": state.account, "aws:SourceArn": source, "aws:SecureTransport": "true"}
    return any(
        statement.get("Effect") == "Allow"
        and service in policy_statements.services(statement)
        and policy_statements.applies(statement, "sns:Publish", arn, context)
        for statement in policy_statements.statements(topic.policy)
    )


def create(params: Params, backend: Any) -> Params:
    """CreateBudget."""
    budget = dict(params["Budget"])
    name = budget["BudgetName"]
    if name in BUDGETS.all(backend):
        raise Refusal(
            "DuplicateRecordException",
            f"Error creating budget: {name} - the budget already exists.",
        )
    now = extension_store.now()
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    budget.setdefault("TimePeriod", {})
    budget["TimePeriod"] = {"Start": start, "End": _FOREVER, **budget["TimePeriod"]}
    budget["CostTypes"] = {**_COST_TYPES, **(budget.get("CostTypes") or {})}
    budget["LastUpdatedTime"] = now.timestamp()
    budget["CalculatedSpend"] = {"ActualSpend": {"Amount": "0.0", "Unit": "USD"}}
    if "BudgetLimit" in budget:
        budget["BudgetLimit"] = _limit(budget["BudgetLimit"])
    BUDGETS.add(backend, name, budget, notifications=list[Params]())
    for entry in params.get("NotificationsWithSubscribers") or []:
        _add(BUDGETS.all(backend)[name], entry["Notification"], entry.get("Subscribers") or [])
    arn = _arn(backend, name)
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("ResourceTags")))
    return {}


def _limit(spend: Params) -> Params:
    """An amount as the service states it, with a decimal."""
    amount = f"{float(spend['Amount']):.2f}".rstrip("0")
    return {**spend, "Amount": f"{amount}0" if amount.endswith(".") else amount}


def _arn(backend: Any, name: str) -> str:
    return f"arn:aws:budgets::{backend.account_id}:budget/{name}"


def _same(one: Params, other: Params) -> bool:
    return all(one.get(key) == other.get(key) for key in _IDENTITY)


def _add(thing: extension_store.Thing, notification: Params, subscribers: list[Params]) -> None:
    entries = thing.internal["notifications"]
    if any(_same(entry["Notification"], notification) for entry in entries):
        raise Refusal("DuplicateRecordException", "The notification already exists.")
    stored = {"ThresholdType": "PERCENTAGE", "NotificationState": "OK", **notification}
    entries.append({"Notification": stored, "Subscribers": list(subscribers)})


def _notification(thing: extension_store.Thing, wanted: Params) -> Params:
    for entry in thing.internal["notifications"]:
        if _same(entry["Notification"], wanted):
            return entry
    raise Refusal("NotFoundException", "Unable to get notification - the notification doesn't exist.")


def update(params: Params, backend: Any) -> Params:
    """UpdateBudget: what is left out has its default again."""
    new: Params = params["NewBudget"]
    description = BUDGETS.get(new, backend).description
    fixed = {key: description[key] for key in ("CalculatedSpend", "TimePeriod")}
    description.clear()
    description.update({**fixed, **new, "CostTypes": {**_COST_TYPES, **(new.get("CostTypes") or {})}})
    description["TimePeriod"] = {**fixed["TimePeriod"], **(new.get("TimePeriod") or {})}
    if "BudgetLimit" in description:
        description["BudgetLimit"] = _limit(description["BudgetLimit"])
    description["LastUpdatedTime"] = extension_store.now().timestamp()
    return {}


def notifications(params: Params, backend: Any) -> Params:
    """DescribeNotificationsForBudget."""
    entries = BUDGETS.get(params, backend).internal["notifications"]
    return {"Notifications": [entry["Notification"] for entry in entries]}


def subscribers(params: Params, backend: Any) -> Params:
    """DescribeSubscribersForNotification."""
    thing = BUDGETS.get(params, backend)
    return {"Subscribers": _notification(thing, params["Notification"])["Subscribers"]}


def create_notification(params: Params, backend: Any) -> Params:
    """CreateNotification."""
    thing = BUDGETS.get(params, backend)
    if len(thing.internal["notifications"]) >= MOST_NOTIFICATIONS:
        raise Refusal(
            "CreationLimitExceededException", f"A budget has at most {MOST_NOTIFICATIONS} notifications."
        )
    _add(thing, params["Notification"], params.get("Subscribers") or [])
    return {}


def delete_notification(params: Params, backend: Any) -> Params:
    """DeleteNotification."""
    thing = BUDGETS.get(params, backend)
    thing.internal["notifications"].remove(_notification(thing, params["Notification"]))
    return {}


RULES: Final[dict[str, Callable[[Params, MotoState], None]]] = {
    "CreateBudget": check,
    "CreateNotification": check_notification,
}
_TAGS: Final = extension_store.TagCalls("ResourceARN", "ResourceTags", "ResourceTagKeys", "ResourceTags")
OPERATIONS: Final = extension_store.operations(
    {
        **_TAGS.acts(),
        "CreateBudget": create,
        "CreateNotification": create_notification,
        "DeleteBudget": BUDGETS.drop(),
        "DeleteNotification": delete_notification,
        "DescribeBudget": BUDGETS.describe("Budget"),
        "DescribeBudgets": BUDGETS.list_all("Budgets"),
        "DescribeNotificationsForBudget": notifications,
        "DescribeSubscribersForNotification": subscribers,
        "UpdateBudget": update,
    }
)
