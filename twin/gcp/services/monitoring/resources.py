"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class AlertPolicy(GcpResource):
    token = "gcp:monitoring/alertPolicy:AlertPolicy"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        conditions: Any = inputs.get("conditions")
        if isinstance(conditions, list) and not 1 <= len(conditions) <= 6:
            yield Failure("conditions", f"expected one to six conditions, got {len(conditions)}")
