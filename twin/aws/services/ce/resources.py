"""Cost Explorer: monitors of anomalies and their subscriptions. Nothing is unusual on the twin."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import to_api
from twin.provider_interface import Props


class AnomalyMonitor(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "name" in self.changed(old, new):
            context.call("ce", "UpdateAnomalyMonitor", {"MonitorArn": id, "MonitorName": new["name"]})


class AnomalySubscription(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params: Any = to_api(self.fields, new)["AnomalySubscription"]
            params.pop("AccountId", None)
            context.call("ce", "UpdateAnomalySubscription", {"SubscriptionArn": id, **params})
