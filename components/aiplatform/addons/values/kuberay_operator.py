"""KubeRay: one operator, without webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"app.kubernetes.io/name": "kuberay-operator"}
"""The label of its Pods."""
GATES: Final[Mapping[str, bool]] = {
    "RayClusterStatusConditions": True,
    "RayJobDeletionPolicy": True,
    "RayMultiHostIndexing": True,
    "RayServiceIncrementalUpgrade": True,
    "RayCronJob": False,
    "RayClusterMTLS": False,
    "RayClusterNetworkPolicy": False,
    "RayClusterHistoryServer": False,
}
"""Its feature gates: the chart's defaults, stated, so that another version of the chart does not change them.
The platform's network policies are those of namespaces."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It has no disruption budget."""
    return {
        "image": setup.image("kuberay-operator"),
        "replicas": setup.replicas,
        "priorityClassName": PRIORITY_CLASS,
        "featureGates": [{"name": name, "enabled": enabled} for name, enabled in GATES.items()],
        # Its cache grows with the Pods of all RayClusters: about 1 MiB for each. The chart's limit of 100
        # millicores stays: no Pod waits for it as for a webhook.
        "resources": requests("50m", "512Mi"),
        "affinity": setup.apart(PODS),
        **scheduling(),
    }
