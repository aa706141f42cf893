"""The container API's handlers, all of them imported, and the few that belong to no resource."""

from __future__ import annotations

from typing import Any

from twin.gcp.api_server.request import Call
from twin.gcp.methods import handles
from twin.gcp.services.container.operations import (
    cluster_changes,
    clusters,
    operations,
    pool_changes,
    pools,
    resource_names,
    versions,
)

__all__ = ["cluster_changes", "clusters", "operations", "pool_changes", "pools"]


@handles("container.projects.locations.getServerConfig", "container.projects.zones.getServerconfig")
def server_config(call: Call) -> dict[str, Any]:
    """getServerConfig"""
    resource_names.location(resource_names.of_call(call))
    return versions.server_config()
