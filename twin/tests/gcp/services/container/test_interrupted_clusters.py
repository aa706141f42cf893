"""Creates of clusters and node pools that fail after their first call."""

from __future__ import annotations

from dataclasses import replace

from twin.gcp.api_server.inventory import of
from twin.gcp.provider import GcpCloud
from twin.provider_interface import Props
from twin.tests.gcp.resources.test_interrupted_creates import calls
from twin.tests.gcp.services.container.test_resources import (
    ASKED,
    CLUSTER,
    GPUS,
    POOL,
    Simulated,
    Stage,
    stage,
)
from twin.tests.interrupted import Calls, Trial

__all__ = ["calls", "stage"]  # fixtures


def trial(stage: Stage, calls: Calls, token: str, inputs: Props) -> Trial:
    """What is half made comes to rest while anything looks at it."""
    server = stage.gke.server
    gcp = replace(stage.gcp, transport=Simulated(stage.gke, ("/operations/", "/clusters/")))
    return Trial(GcpCloud(), gcp, calls, lambda: of(server), token, lambda: dict(inputs))


def test_a_cluster_whose_create_fails_midway_is_repaired_or_destroyed(stage: Stage, calls: Calls) -> None:
    trial(stage, calls, CLUSTER, ASKED).run()


def test_a_pool_whose_create_fails_midway_is_repaired_or_destroyed(stage: Stage, calls: Calls) -> None:
    cluster = stage.cluster()
    arguments = {"name": "gpus", "cluster": cluster.id, "nodeConfig": GPUS, "nodeCount": 1}
    trial(stage, calls, POOL, arguments).run()
