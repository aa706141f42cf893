"""The variants of workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.workflow.example import recorded
from tests.components.recording import ACCOUNT, REGION, Recording

_SCHEDULE: Final = {"cron": "15 3 * * 1-5", "timezone": "Europe/Berlin", "input": {"table": "trips"}}


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: recorded(cloud, **more)


WORKFLOW: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded("aws"),
    "aws-full": _recorded(
        "aws",
        schedule=_SCHEDULE,
        alarm_targets=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"],
        log_level="all",
        log_days=30,
        tracing=False,
        kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        tags={"team": "ml"},
    ),
    "gcp": _recorded("gcp"),
    "gcp-shared-logs": _recorded(
        "gcp", log_bucket="projects/acme-logs/locations/europe-west4/buckets/functions"
    ),
    "gcp-full": _recorded(
        "gcp",
        schedule={"cron": "0 3 * * *"},
        alarm_targets=["projects/acme-dev-0123/notificationChannels/12345"],
        log_level="all",
        tracing=False,
        kms_key="projects/acme-dev-0123/locations/europe-west4/keyRings/ring/cryptoKeys/key",
        tags={"team": "ml"},
    ),
}
