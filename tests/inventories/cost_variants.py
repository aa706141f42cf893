"""The variants of cost control."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.cost.example import HELD, REAPED, SCHEDULED, controlled
from tests.components.recording import ACCOUNT, REGION, Recording


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: controlled(cloud, **more)


COST: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded("aws"),
    "aws-full": _recorded(
        "aws",
        anomalies={
            "min_impact": 50,
            "min_percent": 20,
            "monitor_arn": f"arn:aws:ce::{ACCOUNT}:anomalymonitor/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        },
        kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        tags={"team": "ml"},
    ),
    "aws-hold": _recorded("aws", **{**HELD, "hold": {"percent": 95, "schedule": "*/5 * * * *"}}),
    "aws-reaper": _recorded("aws", **{**REAPED, "reaper": {"dry_run": True}}),
    "aws-anomalies": _recorded("aws", budget=None, team_budgets={}, anomalies={}),
    "gcp": _recorded("gcp", currency="EUR"),
    "gcp-schedule": _recorded("gcp", **SCHEDULED),
    "gcp-hold": _recorded("gcp", **HELD),
    "gcp-full": _recorded(
        "gcp",
        kms_key="projects/acme/locations/us-central1/keyRings/ring/cryptoKeys/key",
        budget={
            "amount": 900,
            "emails": ["ml-platform@acme.example"],
            "actual_percent": [50],
            "forecast_percent": [],
        },
        tags={"team": "ml"},
    ),
}
