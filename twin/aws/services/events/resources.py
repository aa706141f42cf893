"""EventBridge: rules and where their events go."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
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
        params = {"Rule": state["rule"], "EventBusName": state.get("eventBusName") or "default"}
        try:
            answer = context.call("events", "ListTargetsByRule", params)
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        for target in answer.get("Targets") or []:
            if target["Id"] == state.get("targetId"):
                return target
        return None

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        bus = state.get("eventBusName") or "default"
        params = {"Rule": state["rule"], "EventBusName": bus, "Ids": [state["targetId"]]}
        context.call("events", "RemoveTargets", params)
