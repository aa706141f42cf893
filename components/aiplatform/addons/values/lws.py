"""LeaderWorkerSet: one controller with its webhook, whose certificate it writes itself."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"app.kubernetes.io/name": "lws"}
"""The label of its Pods."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It has no disruption budget."""
    return {
        "image": {"manager": {**setup.image("lws"), "pullPolicy": "IfNotPresent"}},
        "replicaCount": setup.replicas,
        "priorityClassName": PRIORITY_CLASS,
        # The chart's default lacks it, and a namespace with the level `restricted` refuses such Pods.
        "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "resources": requests("50m", "256Mi"),
        "affinity": setup.apart(PODS),
        **scheduling(),
    }
