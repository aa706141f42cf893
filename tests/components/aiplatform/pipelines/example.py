"""Arguments that the tests of pipelines share."""

from __future__ import annotations

from typing import Any

from aiplatform.pipelines import Pipelines
from tests.components.aiplatform.training.example import CLUSTERS
from tests.components.recording import ACCOUNT, Recording, record

ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
IDENTITIES: dict[str, dict[str, Any]] = {
    "aws": {
        "principal": f"{ROLE}acme-dev-wi-search",
        "role_name": "acme-dev-wi-search",
        "namespace": "search",
        "service_account": "workloads",
    },
    "gcp": {
        "principal": "serviceAccount:acme-dev-wi-search@acme.iam.gserviceaccount.com",
        "namespace": "search",
        "service_account": "workloads",
    },
}
SUBMITTERS: dict[str, list[str]] = {
    "aws": [f"{ROLE}ci"],
    "gcp": ["serviceAccount:ci@acme.iam.gserviceaccount.com", "group:search@acme.example"],
}


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of pipelines of one team. more: further ones; `team` is merged over the team's."""
    team = {"namespace": "search", "identity": IDENTITIES[cloud], "submitters": SUBMITTERS[cloud]}
    team |= more.pop("team", {})
    return {"prefix": "acme-dev", "cluster": CLUSTERS[cloud], "teams": {"search": team}, **more}


def pipelines(cloud: str, **more: Any) -> Recording:
    """Record the component."""
    stated: Any = arguments(cloud, **more)
    return record(lambda: Pipelines("pipelines", stated))
