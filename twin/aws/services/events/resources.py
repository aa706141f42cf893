"""EventBridge: rules and where their events go."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class EventTarget(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        target = params.get("Targets")
        return {**params, "Targets": [target]} if isinstance(target, dict) else params

    def property_of(self, path: str) -> str:
        return super().property_of(path.replace("Targets[0]", "Targets"))

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        targets = super().find(context, id, {"eventBusName": "default", **state}) or ()
        return next((target for target in targets if target["Id"] == state.get("targetId")), None)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        bus = state.get("eventBusName") or "default"
        params = {"Rule": state["rule"], "EventBusName": bus, "Ids": [state["targetId"]]}
        context.call("events", "RemoveTargets", params)
