"""Arguments that the tests of cost control share."""

from __future__ import annotations

from typing import Any

from aiplatform.cost import Cost
from tests.components.aiplatform.training.example import CLUSTERS
from tests.components.recording import Recording, record

OWNER = "ml-platform@acme.example"
BILLING_ACCOUNT = "01AB23-45CD67-89EF01"


IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/cost-control@sha256:{'5' * 64}"
HELD: dict[str, Any] = {"hold": {}, "image": IMAGE, "cluster_queues": ["shared", "search"]}
"""Arguments with which queues are held."""
NIGHTS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "stop": "20:00",
    "start": "07:00",
    "overnight": True,
}
SCHEDULED: dict[str, Any] = {
    "schedule": NIGHTS,
    "profile": "dev",
    "image": IMAGE,
    "cluster_queues": ["shared", "search"],
}
"""Arguments of an environment that is off at night."""

REAPED: dict[str, Any] = {
    "reaper": {},
    "profile": "dev",
    "image": IMAGE,
    "cluster_queues": ["shared", "search"],
    "prometheus_url": "http://kube-prometheus-stack-prometheus.monitoring:9090",
}
"""Arguments with which idle work ends."""


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of an environment's budget and of one team's. more: further ones."""
    cluster = CLUSTERS[cloud]
    if cloud == "gcp":
        cluster = {**cluster, "workload_pool": "acme.svc.id.goog"}
    account = {"billing_account": BILLING_ACCOUNT} if cloud == "gcp" else {}
    return {
        "prefix": "acme-dev",
        "cluster": cluster,
        "budget": {"amount": 500, "emails": [OWNER]},
        "team_budgets": {"search": {"amount": 120.5, "emails": [OWNER, "search@acme.example"]}},
        **account,
        **more,
    }


def controlled(cloud: str, **more: Any) -> Recording:
    """Return what cost control registers."""
    args: Any = arguments(cloud, **more)
    return record(lambda: Cost("cost", args))
