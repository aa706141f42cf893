"""Cost Explorer: monitors of Cost Anomaly Detection and their subscriptions, which moto lacks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.budgets.operations import may_publish
from twin.aws.validation import extension_store
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
MONITORS: Final = Kind(
    "ce", "twin_anomaly_monitors", ("MonitorArn",), ("UnknownMonitorException", "{} does not exist.", 400)
)
SUBSCRIPTIONS: Final = Kind(
    "ce",
    "twin_anomaly_subscriptions",
    ("SubscriptionArn",),
    ("UnknownSubscriptionException", "{} does not exist.", 400),
)
SERVICE: Final = "costalerts.amazonaws.com"


def check_monitor(params: Params, state: MotoState) -> None:
    """CreateAnomalyMonitor: an account has one monitor of its services."""
    monitor: Params = params["AnomalyMonitor"]
    if monitor.get("MonitorType") != "DIMENSIONAL":
        return
    if monitor.get("MonitorSpecification") is not None:
        raise Refusal("ValidationException", "MonitorSpecification is of monitors of the type CUSTOM alone.")
    others = MONITORS.here(state).values()
    dimension = monitor.get("MonitorDimension")
    if any(other.description.get("MonitorDimension") == dimension for other in others):
        raise Refusal(
            "LimitExceededException", f"Limit exceeded on dimensional spend monitor creation: {dimension}"
        )


def check_subscription(params: Params, state: MotoState) -> None:
    """CreateAnomalySubscription: at once to topics alone, and by day or week to addresses alone."""
    subscription: Params = params["AnomalySubscription"]
    for arn in subscription["MonitorArnList"]:
        MONITORS.require(state, arn)
    at_once = subscription["Frequency"] == "IMMEDIATE"
    for subscriber in subscription["Subscribers"]:
        if (subscriber["Type"] == "SNS") != at_once:
            raise Refusal(
                "ValidationException",
                f"Frequency {subscription['Frequency']} is not supported for subscribers of the type "
                f"{subscriber['Type']}.",
            )
        source = f"arn:aws:ce::{state.account}:anomalysubscription/any"
        if at_once and not may_publish(SERVICE, subscriber["Address"], state, source):
            raise Refusal(
                "ValidationException", f"{SERVICE} may not publish to the topic {subscriber['Address']}."
            )


def _create(kind: Kind, request: str, resource: str) -> Callable[[Params, Any], Params]:
    [arn] = kind.key

    def create(params: Params, backend: Any) -> Params:
        name = f"arn:aws:ce::{backend.account_id}:{resource}/{uuid.uuid4()}"
        kind.add(backend, name, {**params[request], arn: name})
        extension_store.tags(backend, name).update(extension_store.pairs(params.get("ResourceTags")))
        return {arn: name}

    return create


def _of_anomalies(act: Callable[[Params, Any], Params]) -> Callable[[Call, Any], Answer | None]:
    """Return an operation on tags, for what moto lacks; it answers for the others."""
    whole = extension_store.operation(act)

    def handle(call: Call, backend: Any) -> Answer | None:
        return whole(call, backend) if ":anomaly" in str(call.params.get("ResourceArn")) else None

    return handle


_TAGS: Final = extension_store.TagCalls("ResourceArn", "ResourceTags", "ResourceTagKeys", "ResourceTags")
RULES: Final[dict[str, Callable[[Params, MotoState], None]]] = {
    "CreateAnomalyMonitor": check_monitor,
    "CreateAnomalySubscription": check_subscription,
}
OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    **{name: _of_anomalies(act) for name, act in _TAGS.acts().items()},
    **extension_store.operations(
        {
            "CreateAnomalyMonitor": _create(MONITORS, "AnomalyMonitor", "anomalymonitor"),
            "CreateAnomalySubscription": _create(SUBSCRIPTIONS, "AnomalySubscription", "anomalysubscription"),
            "DeleteAnomalyMonitor": MONITORS.drop(),
            "DeleteAnomalySubscription": SUBSCRIPTIONS.drop(),
            "GetAnomalyMonitors": MONITORS.list_all("AnomalyMonitors", named="MonitorArnList"),
            "GetAnomalySubscriptions": SUBSCRIPTIONS.list_all(
                "AnomalySubscriptions", named="SubscriptionArnList"
            ),
            "UpdateAnomalyMonitor": MONITORS.update("MonitorArn"),
            "UpdateAnomalySubscription": SUBSCRIPTIONS.update("SubscriptionArn"),
        }
    ),
}
