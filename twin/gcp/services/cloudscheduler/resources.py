"""Cloud Scheduler: jobs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import UNKNOWN, Failure, Props


class Job(GcpResource):
    token = "gcp:cloudscheduler/job:Job"
    fields = {
        "paused": Field(
            "state", sent=False, decode=lambda state: None if state is None else state == "PAUSED"
        ),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for target, field in (
            ("httpTarget", "body"),
            ("appEngineHttpTarget", "body"),
            ("pubsubTarget", "data"),
        ):
            target_value = inputs.get(target)
            text = target_value.get(field) if isinstance(target_value, dict) else None
            if isinstance(text, str) and text is not UNKNOWN and not _base64(text):
                yield Failure(f"{target}.{field}", "expected a base64-encoded string")

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        name = inputs.get("name")
        if isinstance(name, str):
            values = self.values(context, "", inputs)
            request_body["name"] = (
                f"projects/{values['project']}/locations/{values.get('region')}/jobs/{name}"
            )
        return request_body, places

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        self._switch(context, id, inputs.get("paused"))

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        self._switch(context, id, new.get("paused"))

    def _switch(self, context: GcpContext, id: str, paused: Any) -> None:
        if paused is None:
            return
        now = self.find(context, id, self.values(context, id, {})) or {}
        if paused and now.get("state") != "PAUSED":
            context.call(f"{self.collection}.pause", {"name": id}, {})
        elif not paused and now.get("state") == "PAUSED":
            context.call(f"{self.collection}.resume", {"name": id}, {})


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
