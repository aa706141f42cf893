"""Compute: resource policies (placement, workloads, schedules) and reservations."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props


class ResourcePolicy(GcpResource):
    token = "gcp:compute/resourcePolicy:ResourcePolicy"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        policy = inputs.get("diskConsistencyGroupPolicy")
        if isinstance(policy, dict):
            # The API knows no `enabled`: an empty policy is one.
            made["diskConsistencyGroupPolicy"] = {}
        return made, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        if "diskConsistencyGroupPolicy" in item:
            found["diskConsistencyGroupPolicy"] = {"enabled": True}
        return found
