"""The container API's handlers, all of them imported, and the few that belong to no resource."""

from __future__ import annotations

from typing import Any

from twin.gcp.call import Call
from twin.gcp.gke import cluster_changes, clusters, operations, places, pool_changes, pools, versions
from twin.gcp.services import handles

__all__ = ["cluster_changes", "clusters", "operations", "pool_changes", "pools"]


@handles(
    "container.projects.locations.getServerConfig",
    "container.projects.zones.getServerconfig",
)
def server_config(call: Call) -> dict[str, Any]:
    """getServerConfig"""
    places.location(places.of_call(call))
    return versions.server_config()
