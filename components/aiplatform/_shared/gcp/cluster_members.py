"""What principals reach the cluster by on Google Cloud."""

from typing import Final

REACH: Final = "roles/container.clusterViewer"
"""Allows to read clusters and to reach their endpoints, in the whole project: GKE has no role for a single
cluster. The bindings of a namespace decide what is allowed in it."""
