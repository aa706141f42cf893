"""NVIDIA's driver for dynamic resource allocation: a Pod on each node whose GPUs are claimed. It publishes
the GPUs as ResourceSlices and prepares them for containers. ComputeDomains are off: they need nodes with
multi-node NVLink."""

from typing import Any, Final

from aiplatform._shared.kubernetes.node_labels import DEVICE_ALLOCATION, DRA
from aiplatform.addons.values.setup import Setup, requests

_DRIVER_ROOT: Final = "/"
"""Where EKS's images have the driver. With another folder the Pod does not start."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values of the chart."""
    return {
        "image": {**setup.image("dra-driver-nvidia-gpu"), "pullPolicy": "IfNotPresent"},
        # The chart asks for it because no node may have the device plugin, too: pools have one or the other.
        "gpuResourcesEnabledOverride": True,
        "nvidiaDriverRoot": _DRIVER_ROOT,
        # A rendering that does not ask the cluster takes an older version.
        "resourceApiVersion": "resource.k8s.io/v1",
        "resources": {"gpus": {"enabled": True}, "computeDomains": {"enabled": False}},
        "kubeletPlugin": {
            "nodeSelector": {DEVICE_ALLOCATION: DRA},
            "tolerations": [{"operator": "Exists"}],
            "containers": {"gpus": {"resources": requests("50m", "128Mi")}},
        },
    }
