"""A model store with two teams that serve, on either cloud."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi import Input

from aiplatform.model_store import ModelStore
from aiplatform.teams import Teams
from aiplatform.workload_identity import WorkloadIdentity

TEAMS: Final = ("search", "ads")
RELEASE: Final = "search/ranker/1/model/weights"
"""An object of a release of the first team."""


def register(
    cluster: Any, owner: Input[str], *, registry_secret: Input[str], token_secret: Input[str]
) -> None:
    """Register the store and the teams, and export the buckets. owner: of both teams. registry_secret,
    token_secret: what promotions and imports read."""
    common: Any = {"prefix": "acme-dev", "cluster": cluster}
    of_store: Any = {
        **common,
        "profile": "dev",
        "registry": {
            "tracking_uri": "http://mlflow.model-registry.svc.cluster.local",
            "namespace": "model-registry",
            "secret": registry_secret,
        },
        "hugging_face": {"secret": token_secret},
        "force_destroy": True,
    }
    store = ModelStore("store", of_store)
    teams: Any = {}
    for team in TEAMS:
        args: Any = {**common, "name": team, "namespace": team, "service_account": "workloads"}
        identity = WorkloadIdentity(team, args)
        teams[team] = {"owners": [owner], "identity": identity.outputs, "serves": True}
    of_teams: Any = {**common, "secret_stores": False, "model_store": store.outputs, "teams": teams}
    Teams("teams-of-store", of_teams)
    pulumi.export("checkpoints", store.checkpoints_bucket)
    pulumi.export("releases", store.releases_bucket)
