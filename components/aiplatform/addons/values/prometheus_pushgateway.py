"""Pushgateway: one Pod that keeps the numbers of jobs that have ended, on a volume."""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform.addons.values.setup import Setup, requests, scheduling

PODS: Final[Mapping[str, str]] = {"app.kubernetes.io/name": "prometheus-pushgateway"}
"""The label of its Pod."""
PORT: Final = 9091
"""To which jobs send their numbers, and which Prometheus reads."""
SERVICE: Final = "prometheus-pushgateway"
"""The Service in front of it, in the namespace of the catalog."""
_VOLUME: Final = "/data"


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart. It is one Pod, whatever the replicas: each would have other numbers."""
    return {
        "image": setup.image("prometheus-pushgateway"),
        # Numbers of a job that runs daily would be lost for a day by a drain of the node.
        "runAsStatefulSet": True,
        "persistentVolume": {"enabled": True, "size": "1Gi", "mountPath": _VOLUME},
        "extraArgs": [f"--persistence.file={_VOLUME}/metrics", "--persistence.interval=1m"],
        # It calls no API of Kubernetes.
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "runAsGroup": 65534,
            "fsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": requests("10m", "64Mi"),
        **scheduling(),
    }
