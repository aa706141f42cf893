"""Cost Explorer: monitors of Cost Anomaly Detection and their subscriptions, which moto lacks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.budgets.operations import may_publish
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
MONITORS: Final = "twin_anomaly_monitors"
SUBSCRIPTIONS: Final = "twin_anomaly_subscriptions"
SERVICE: Final = "costalerts.amazonaws.com"


def check_monitor(params: Params, state: MotoState) -> None:
    """CreateAnomalyMonitor: an account has one monitor of its services."""
    monitor: Params = params["AnomalyMonitor"]
    if monitor.get("MonitorType") != "DIMENSIONAL":
        return
    if monitor.get("MonitorSpecification") is not None:
        raise Refusal("ValidationException", "MonitorSpecification is of monitors of the type CUSTOM alone.")
    others = extension_store.resources(state.moto.backend("ce"), MONITORS).values()
    dimension = monitor.get("MonitorDimension")
    if any(other.description.get("MonitorDimension") == dimension for other in others):
        raise Refusal(
            "LimitExceededException", f"Limit exceeded on dimensional spend monitor creation: {dimension}"
        )


def check_subscription(params: Params, state: MotoState) -> None:
    """CreateAnomalySubscription: at once to topics alone, and by day or week to addresses alone."""
    subscription: Params = params["AnomalySubscription"]
    known = extension_store.resources(state.moto.backend("ce"), MONITORS)
    for arn in subscription["MonitorArnList"]:
        if arn not in known:
            raise Refusal("UnknownMonitorException", f"Anomaly monitor {arn} does not exist.")
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


def _create(kind: str, request: str, arn: str, resource: str) -> Callable[[Params, Any], Params]:
    def create(params: Params, backend: Any) -> Params:
        name = f"arn:aws:ce::{backend.account_id}:{resource}/{uuid.uuid4()}"
        extension_store.resources(backend, kind)[name] = extension_store.Thing({**params[request], arn: name})
        extension_store.tags(backend, name).update(extension_store.pairs(params.get("ResourceTags")))
        return {arn: name}

    return create


def _list(kind: str, arns: str, result: str) -> Callable[[Params, Any], Params]:
    def listing(params: Params, backend: Any) -> Params:
        wanted, things = params.get(arns), extension_store.resources(backend, kind)
        return {result: [thing.description for arn, thing in things.items() if not wanted or arn in wanted]}

    return listing


def _update(kind: str, arn: str, code: str) -> Callable[[Params, Any], Params]:
    def update(params: Params, backend: Any) -> Params:
        thing = extension_store.resources(backend, kind).get(params[arn])
        if thing is None:
            raise Refusal(code, f"{params[arn]} does not exist.")
        thing.description.update({key: value for key, value in params.items() if value is not None})
        return {arn: params[arn]}

    return update


def _delete(kind: str, arn: str, code: str) -> Callable[[Params, Any], Params]:
    def delete(params: Params, backend: Any) -> Params:
        if extension_store.resources(backend, kind).pop(params[arn], None) is None:
            raise Refusal(code, f"{params[arn]} does not exist.")
        extension_store.tags(backend, params[arn]).clear()
        return {}

    return delete


def _of_anomalies(act: Callable[[Params, Any], Params]) -> Callable[[Call, Any], Answer | None]:
    """Return an operation on tags, for what moto lacks; it answers for the others."""
    whole = extension_store.operation(act)

    def handle(call: Call, backend: Any) -> Answer | None:
        return whole(call, backend) if ":anomaly" in str(call.params.get("ResourceArn")) else None

    return handle


_MONITOR: Final = (MONITORS, "MonitorArn", "UnknownMonitorException")
_SUBSCRIPTION: Final = (SUBSCRIPTIONS, "SubscriptionArn", "UnknownSubscriptionException")
_TAGS: Final = extension_store.TagCalls("ResourceArn", "ResourceTags", "ResourceTagKeys", "ResourceTags")
RULES: Final[dict[str, Callable[[Params, MotoState], None]]] = {
    "CreateAnomalyMonitor": check_monitor,
    "CreateAnomalySubscription": check_subscription,
}
OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    **{name: _of_anomalies(act) for name, act in _TAGS.acts().items()},
    **extension_store.operations(
        {
            "CreateAnomalyMonitor": _create(MONITORS, "AnomalyMonitor", "MonitorArn", "anomalymonitor"),
            "CreateAnomalySubscription": _create(
                SUBSCRIPTIONS, "AnomalySubscription", "SubscriptionArn", "anomalysubscription"
            ),
            "DeleteAnomalyMonitor": _delete(*_MONITOR),
            "DeleteAnomalySubscription": _delete(*_SUBSCRIPTION),
            "GetAnomalyMonitors": _list(MONITORS, "MonitorArnList", "AnomalyMonitors"),
            "GetAnomalySubscriptions": _list(SUBSCRIPTIONS, "SubscriptionArnList", "AnomalySubscriptions"),
            "UpdateAnomalyMonitor": _update(*_MONITOR),
            "UpdateAnomalySubscription": _update(*_SUBSCRIPTION),
        }
    ),
}
