"""Variants of the teams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.teams import Teams
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, Recording, record

_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/"
_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_TEAM: Final[Mapping[str, Any]] = {
    "queue": "search",
    "priority_classes": ["serving"],
    "limits": {"cpu": "64", "memory": "256Gi", "storage": "2Ti"},
    "identity": {
        "principal": f"{_ROLE}acme-dev-wi-search",
        "role_name": "acme-dev-wi-search",
        "namespace": "search",
        "service_account": "workloads",
    },
    "serves": True,
    "services": {"model-registry": [80, 5000]},
    "clients": {"gateway": [8080]},
    "configuration": {"MLFLOW_TRACKING_URI": "https://mlflow.model-registry.svc.cluster.local"},
    "files": {"feature_store.yaml": "project: acme"},
    "secrets": {"mlflow": {"secret": "search-mlflow", "keys": {"MLFLOW_TRACKING_PASSWORD": "password"}}},
}
_ADS: Final = {"owners": [f"{_ROLE}ads"], "readers": [f"{_ROLE}audit"], "namespace": "adverts"}


def _recorded(cluster: Mapping[str, Any], **arguments: Any) -> Callable[[], Recording]:
    stated: Any = {"prefix": "acme-dev", "cluster": cluster, **arguments}
    return lambda: record(lambda: Teams("teams", stated))


TEAMS: Final = {
    "aws": _recorded(
        CLUSTER,
        secrets_role_arn=f"{_ROLE}acme-dev-ext-secrets-1",
        secret_keys=[_KEY],
        teams={
            "search": {**_TEAM, "owners": [f"{_ROLE}search-owners"], "readers": [f"{_ROLE}audit"]},
            "ads": _ADS,
        },
        model_store={
            "checkpoints_bucket": "acme-dev-checkpoints",
            "releases_bucket": "acme-dev-releases",
            "kms_key": _KEY,
            "checkpoints_key": _KEY,
        },
        tags={"team": "ml"},
    ),
    "aws-without-secrets": _recorded(
        CLUSTER, secret_stores=False, teams={"search": {"owners": [f"{_ROLE}search-owners"]}}
    ),
    "gcp": _recorded(
        {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
        teams={
            "search": {
                **_TEAM,
                "owners": ["group:search@acme.example"],
                "identity": {
                    "principal": "serviceAccount:acme-dev-wi-search@acme-dev-1234.iam.gserviceaccount.com",
                    "namespace": "search",
                    "service_account": "workloads",
                },
            }
        },
        model_store={
            "cloud": "gcp",
            "checkpoints_bucket": "acme-dev-checkpoints",
            "releases_bucket": "acme-dev-releases",
        },
    ),
}
