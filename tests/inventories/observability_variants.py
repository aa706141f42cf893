"""The variants of observability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.addons.catalog import catalog
from aiplatform.observability import Observability
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, Recording, record

_ADDONS: Final = {
    name: catalog()[name].version
    for name in ("cert-manager", "dcgm-exporter", "external-secrets", "kueue", "lws")
}
_OIDC: Final = {
    "root_url": "https://grafana.acme.example",
    "client_id": "grafana",
    "secret": "acme-dev/grafana/oidc",
    "auth_url": "https://id.acme.example/auth",
    "token_url": "https://id.acme.example/token",
    "api_url": "https://id.acme.example/userinfo",
}
_NOTIFICATIONS: Final = {
    "receivers": [
        {"name": "ml", "slack": {"channel": "#ml", "secret": "acme-dev/alerts/slack"}},
        {
            "name": "mail",
            "email": {
                "to": ["ml@acme.example"],
                "sender": "alerts@acme.example",
                "host": "smtp.acme.example",
                "username": "alerts",
                "secret": "acme-dev/alerts/mail",
            },
        },
    ],
    "default": "ml",
    "routes": [{"receiver": "mail", "severities": ["warning"], "mute": ["night"]}],
    "mute_intervals": [{"name": "night", "start": "20:00"}],
}


def _observability(cluster: Any, **arguments: Any) -> Callable[[], Recording]:
    every: Any = {"prefix": "acme-dev", "cluster": cluster, "addons": _ADDONS, **arguments}
    return lambda: record(lambda: Observability("observability", every))


OBSERVABILITY: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _observability(CLUSTER),
    "aws-full": _observability(
        CLUSTER,
        secrets_role_arn=f"arn:aws:iam::{ACCOUNT}:role/acme-dev-ext-secrets-1",
        cluster_autoscaler=True,
        teams={"search": {"namespace": "search-ml", "queue": "search"}},
        grafana={"oidc": _OIDC},
        long_term_storage={
            "retention_days": 400,
            "data_source": True,
            "alarm": {"notify": [f"arn:aws:sns:{REGION}:{ACCOUNT}:platform"]},
        },
        notifications=_NOTIFICATIONS,
        prometheus={"replicas": 2},
        alertmanager={"replicas": 2},
        tags={"team": "ml"},
    ),
    "gcp-full": _observability(
        {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-123.svc.id.goog"},
        long_term_storage={},
        opencost={"prices": {"g2-standard-8": 0.8536, "e2-standard-4": 0.134}, "spot_ratio": 0.5},
        notifications={
            "receivers": [{"name": "pager", "pagerduty": {"secret": "acme-dev-pagerduty"}}],
            "default": "pager",
        },
        prometheus={"replicas": 2},
    ),
}
