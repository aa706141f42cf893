"""The variants of pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.pipelines.example import IDENTITIES, ROLE, pipelines
from tests.components.recording import ACCOUNT, REGION, Recording


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: pipelines(cloud, **more)


_SECOND: Final[dict[str, Any]] = {
    "namespace": "adverts",
    "identity": {**IDENTITIES["aws"], "role_name": "acme-dev-wi-ads", "namespace": "adverts"},
    "submitters": [f"{ROLE}ci", f"{ROLE}ci-of-ads"],
    "schedules": {
        "nightly": {"template": "train", "schedules": ["0 3 * * *"], "timezone": "Europe/Berlin"},
        "hourly": {
            "template": "score",
            "schedules": ["15 * * * *"],
            "parameters": {"rows": "1000"},
            "concurrency": "allow",
            "suspended": True,
        },
    },
}
PIPELINES: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded("aws"),
    "aws-full": _recorded(
        "aws",
        teams={
            "search": {"namespace": "search", "identity": IDENTITIES["aws"], "submitters": [f"{ROLE}ci"]},
            "ads": _SECOND,
        },
        expire_days=90,
        kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        access_log_days=365,
        replicas=2,
        mirrors={"quay.io": "registry.acme.com/quay"},
        protect=True,
        retain_data=True,
        tags={"team": "ml"},
    ),
    "gcp": _recorded("gcp"),
    "gcp-without-submitters": _recorded("gcp", team={"submitters": []}, force_destroy=True),
}
