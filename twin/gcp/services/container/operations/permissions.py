"""Which IAM permission a method of the container API needs: node pools have no separate ones.

Source: "IAM permissions reference" (container.clusters.*, container.operations.*).
"""

from __future__ import annotations

from typing import Final

_CLUSTERS: Final = {"create", "delete", "get", "list", "update"}


def needed(method_id: str) -> str:
    """`container.clusters.update` of `container.projects.locations.clusters.nodePools.create`."""
    *_, group, word = method_id.split(".")
    if group == "operations":
        return f"container.operations.{'list' if word == 'list' else 'get'}"
    if group in ("locations", "zones"):
        return "container.clusters.list"  # getServerConfig
    if group == "nodePools":
        return f"container.clusters.{'get' if word in ('get', 'list') else 'update'}"
    if word == "fetchClusterUpgradeInfo":
        return "container.clusters.get"
    return f"container.clusters.{word if word in _CLUSTERS else 'update'}"
