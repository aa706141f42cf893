"""The variants of model monitoring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.model_monitor.example import LABELS, monitoring
from tests.components.recording import ACCOUNT, REGION, Recording


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: monitoring(cloud, **more)


_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
MODEL_MONITOR: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded("aws"),
    "aws-existing-bucket": _recorded(
        "aws",
        bucket="acme-dev-payloads",
        kms_key=_KEY,
        pushgateway=None,
        team={"queue": None},
        monitor={"retrain": False, "suspended": True},
    ),
    "aws-full": _recorded(
        "aws",
        profile="prod",
        kms_key=_KEY,
        pushgateway={"url": "http://pushes.metrics.svc:9091"},
        monitor={"labels": LABELS, "schedule": "0 * * * *", "window_hours": 6, "timezone": "Europe/Berlin"},
        team={"queue_key": _KEY, "labels": {"cost-center": "1234"}},
        tags={"team": "ml"},
    ),
    "gcp": _recorded("gcp"),
    "gcp-existing-bucket": _recorded("gcp", bucket="acme-dev-payloads", tags={"team": "ml"}),
}
