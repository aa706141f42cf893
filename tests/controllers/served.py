"""A service of a team: its HTTPRoute and its InferenceServices."""

from __future__ import annotations

from typing import Any, Final

from tests.controllers.cluster import Cluster

KSERVE: Final = "serving.kserve.io/v1beta1"
ROUTES: Final = "gateway.networking.k8s.io/v1"
STABLE: Final = "ai-platform/stable"
"""The annotation of a route with the color that requests go back to."""
RELEASE: Final = "ai-platform/release"
"""The label of an InferenceService with its version."""


class Service:
    """A service, which rollouts change."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self.cluster, self._namespace, self._name = cluster, namespace, name

    def route(self) -> dict[str, Any]:
        """Return the HTTPRoute."""
        metadata = {"name": self._name, "namespace": self._namespace}
        return self.cluster.get({"apiVersion": ROUTES, "kind": "HTTPRoute", "metadata": metadata})

    def stable(self) -> str:
        """Return the color that requests go back to."""
        return self.route()["metadata"]["annotations"][STABLE]

    def weights(self) -> dict[str, int]:
        """Return color -> percent of the requests."""
        references = self.route()["spec"]["rules"][0]["backendRefs"]
        return {
            entry["name"].removesuffix("-predictor").rpartition("-")[2]: entry["weight"]
            for entry in references
        }

    def services(self) -> dict[str, str]:
        """Return color -> version of the InferenceServices."""
        return {
            item["metadata"]["name"].rpartition("-")[2]: item["metadata"]["labels"][RELEASE]
            for item in self.cluster.list(KSERVE, "InferenceService", self._namespace)
        }
