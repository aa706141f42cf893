"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.resources.validators import one_of
from twin.provider_interface import Failure, Props


class AlertPolicy(GcpResource):
    token = "gcp:monitoring/alertPolicy:AlertPolicy"
    title = "AlertPolicy"
    collection = "monitoring.projects.alertPolicies"
    schema = "AlertPolicy"
    create_method = "create"
    params = {"name": "{name}"}
    create_params = {"name": "projects/{project}"}
    id_form = "{name}"
    fields = {
        **only_read("name"),
        **local("deletionPolicy"),
        "creationRecords": Field("creationRecord", sent=False),
        "alertStrategy.notificationChannelStrategies": Field("notificationChannelStrategy"),
    }
    changes = (
        Change(
            (
                *("alertStrategy", "combiner", "conditions", "displayName", "documentation", "enabled"),
                *("notificationChannels", "severity", "userLabels"),
            ),
            mask=True,
        ),
    )
    validators = {
        "combiner": one_of("AND", "OR", "AND_WITH_MATCHING_RESOURCE"),
        "severity": one_of("CRITICAL", "ERROR", "WARNING"),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        conditions: Any = inputs.get("conditions")
        if isinstance(conditions, list) and not 1 <= len(conditions) <= 6:
            yield Failure("conditions", f"expected one to six conditions, got {len(conditions)}")

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])


class NotificationChannel(GcpResource):
    token = "gcp:monitoring/notificationChannel:NotificationChannel"
    title = "NotificationChannel"
    collection = "monitoring.projects.notificationChannels"
    schema = "NotificationChannel"
    create_method = "create"
    params = {"name": "{name}"}
    create_params = {"name": "projects/{project}"}
    id_form = "{name}"
    fields = {
        **only_read("name", "verificationStatus"),
        **local("deletionPolicy", "forceDelete", "sensitiveLabels"),
    }
    changes = (Change(("description", "displayName", "enabled", "labels", "type", "userLabels"), mask=True),)

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("sensitiveLabels") is not None:
            yield Failure("sensitiveLabels", "of channels the twin has those without secrets")

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        return str(answer["name"])
