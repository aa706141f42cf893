"""Cost Explorer: monitors of anomalies and their subscriptions. Nothing is unusual on the twin."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, pascal, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_TAGGING: Final = Tagging(
    create="ResourceTags",
    listing=Call("ListTagsForResource", {"ResourceArn": "{id}"}),
    listed="ResourceTags",
    add=Call("TagResource", {"ResourceArn": "{id}", "ResourceTags": "{tags}"}),
    remove=Call("UntagResource", {"ResourceArn": "{id}", "ResourceTagKeys": "{keys}"}),
)
_VALUES: Final = {
    "key": Field("Key"),
    "matchOptions": Field("MatchOptions"),
    "values": Field("Values"),
}
_LEAVES: Final = {
    "dimension": Field("Dimensions", of=_VALUES),
    "tags": Field("Tags", of=_VALUES),
    "costCategory": Field("CostCategories", of=_VALUES),
}
_EXPRESSION: Final = {
    **_LEAVES,
    "ands": Field("And", of=_LEAVES),
    "ors": Field("Or", of=_LEAVES),
    "not": Field("Not", of=_LEAVES),
}


class AnomalyMonitor(AwsResource):
    token = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
    service = "ce"
    title = "Cost Explorer Anomaly Monitor"
    fields = {
        "name": Field("AnomalyMonitor.MonitorName", read="MonitorName"),
        "monitorType": Field("AnomalyMonitor.MonitorType", read="MonitorType"),
        "monitorDimension": Field("AnomalyMonitor.MonitorDimension", read="MonitorDimension"),
        "monitorSpecification": Field(read=""),
        "arn": Field(read="MonitorArn"),
    }
    create_call = Call("CreateAnomalyMonitor")
    id_path = "MonitorArn"
    read_call = Call("GetAnomalyMonitors", {"MonitorArnList": ["{id}"]})
    item = "AnomalyMonitors[0]"
    not_found = frozenset({"UnknownMonitorException"})
    delete_call = Call("DeleteAnomalyMonitor", {"MonitorArn": "{id}"})
    regional = False
    tagging = _TAGGING
    autoname = AutoName(max_length=1024)
    paths = {"LimitExceededException": "monitorDimension", "ValidationException": "monitorType"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("monitorSpecification") is not None:
            yield Failure("monitorSpecification", "of monitors the twin has those of a dimension")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "name" in self.changed(old, new):
            context.call("ce", "UpdateAnomalyMonitor", {"MonitorArn": id, "MonitorName": new["name"]})


class AnomalySubscription(AwsResource):
    token = "aws:costexplorer/anomalySubscription:AnomalySubscription"
    service = "ce"
    title = "Cost Explorer Anomaly Subscription"
    fields = {
        "name": Field("AnomalySubscription.SubscriptionName", read="SubscriptionName"),
        "accountId": Field("AnomalySubscription.AccountId", read="AccountId"),
        "frequency": Field("AnomalySubscription.Frequency", read="Frequency"),
        "monitorArnLists": Field("AnomalySubscription.MonitorArnList", read="MonitorArnList"),
        "subscribers": Field(
            "AnomalySubscription.Subscribers", read="Subscribers", of=pascal("address", "type")
        ),
        "thresholdExpression": Field(
            "AnomalySubscription.ThresholdExpression", read="ThresholdExpression", of=_EXPRESSION
        ),
        "arn": Field(read="SubscriptionArn"),
    }
    create_call = Call("CreateAnomalySubscription")
    id_path = "SubscriptionArn"
    read_call = Call("GetAnomalySubscriptions", {"SubscriptionArnList": ["{id}"]})
    item = "AnomalySubscriptions[0]"
    not_found = frozenset({"UnknownSubscriptionException"})
    delete_call = Call("DeleteAnomalySubscription", {"SubscriptionArn": "{id}"})
    regional = False
    tagging = _TAGGING
    autoname = AutoName(max_length=1024)
    paths = {"ValidationException": "frequency", "UnknownMonitorException": "monitorArnLists"}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params: Any = to_api(self.fields, new)["AnomalySubscription"]
            params.pop("AccountId", None)
            context.call("ce", "UpdateAnomalySubscription", {"SubscriptionArn": id, **params})
