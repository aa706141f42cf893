"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class AlertPolicy(GcpResource):
    token = "gcp:monitoring/alertPolicy:AlertPolicy"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        conditions: Any = inputs.get("conditions")
        if isinstance(conditions, list) and not 1 <= len(conditions) <= 6:
            yield Failure("conditions", f"expected one to six conditions, got {len(conditions)}")

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])


class NotificationChannel(GcpResource):
    token = "gcp:monitoring/notificationChannel:NotificationChannel"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("sensitiveLabels") is not None:
            yield Failure("sensitiveLabels", "of channels the twin has those without secrets")

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])
