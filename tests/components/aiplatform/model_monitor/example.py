"""Arguments that the tests of model monitoring share."""

from __future__ import annotations

from typing import Any

from aiplatform.model_monitor import ModelMonitor
from tests.components.aiplatform.pipelines.example import IDENTITIES
from tests.components.aiplatform.training.example import CLUSTERS
from tests.components.recording import Recording, record

IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/model-monitor@sha256:{'3' * 64}"
QUEUES = {
    "aws": "https://sqs.eu-central-1.amazonaws.com/111122223333/acme-dev-search-training",
    "gcp": "projects/acme/topics/acme-dev-search-training",
}


def monitor(**more: Any) -> dict[str, Any]:
    """Return a monitor with inputs of both types, one of them pii, and an answer."""
    return {
        "owner": "search@acme.example",
        "service": "fares",
        "requests_table": "acme_dev_curated.fares_requests",
        "results_table": "acme_dev_curated.monitor_results",
        "baseline_table": "acme_dev_curated.trips",
        "columns": [
            {"name": "distance", "type": "number", "thresholds": {"psi": 0.3}},
            {"name": "zone", "type": "category", "baseline_column": "pickup_zone"},
            {"name": "rider", "type": "category", "classification": "pii"},
        ],
        "predictions": [{"name": "fare", "type": "number"}],
        "keys": ["trip_id"],
        **more,
    }


LABELS: dict[str, Any] = {
    "table": "acme_dev_curated.fares_paid",
    "key": "trip_id",
    "label": "paid",
    "prediction": "fare",
    "metric": "mae",
    "max_loss": 0.5,
}


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of one team with one monitor. more: further ones; `monitor` is merged over the
    monitor's, and `team` over the team's."""
    team = {
        "namespace": "search",
        "identity": IDENTITIES[cloud],
        "queue": QUEUES[cloud],
        "monitors": {"fares": monitor(**more.pop("monitor", {}))},
        **more.pop("team", {}),
    }
    cluster = CLUSTERS[cloud]
    if cloud == "gcp":
        cluster = {**cluster, "workload_pool": "acme.svc.id.goog"}
    return {
        "prefix": "acme-dev",
        "cluster": cluster,
        "profile": "dev",
        "image": IMAGE,
        "teams": {"search": team},
        "pushgateway": {"namespace": "pushgateway"},
        **more,
    }


def monitoring(cloud: str, **more: Any) -> Recording:
    """Return what model monitoring registers."""
    args: Any = arguments(cloud, **more)
    return record(lambda: ModelMonitor("monitor", args))
