"""The ResourceSlices of nodes whose GPUs Pods claim (dynamic resource allocation).

NVIDIA's driver publishes the GPUs of a node while its Pod runs there, and Kubernetes' scheduler allocates
them. Here that Pod does nothing but run; the number of GPUs comes from `Machine.devices`.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from twin.kubernetes.api import Kube, path
from twin.kubernetes.cloud_interface import Machine
from twin.kubernetes.gpu_sharing import GPU
from twin.kubernetes.pods import leaving, owner_kind, ready, repository

log = logging.getLogger(__name__)

DRIVER: Final = "gpu.nvidia.com"
API_VERSION: Final = "resource.k8s.io/v1"
PLUGINS: Final = PurePosixPath("/var/lib/kubelet/plugins")
"""The folder of the kubelet in which a driver has its socket."""
_IMAGE: Final = "dra-driver-nvidia-gpu"


def publishes(pod: Mapping[str, Any]) -> bool:
    """Return whether a Pod is NVIDIA's driver, runs, and reaches the kubelet."""
    if owner_kind(pod) != "DaemonSet" or leaving(pod) or not ready(pod):
        return False
    images = (repository(container.get("image") or "") for container in pod["spec"]["containers"])
    volumes = pod["spec"].get("volumes") or ()
    folders = (PurePosixPath(volume["hostPath"]["path"]) for volume in volumes if "hostPath" in volume)
    return any(image.endswith(f"/{_IMAGE}") for image in images) and PLUGINS in folders


def resource_slice(node: Mapping[str, Any], gpus: int) -> dict[str, Any]:
    """Return the slice of a node with so many whole GPUs."""
    name = node["metadata"]["name"]
    return {
        "apiVersion": API_VERSION,
        "kind": "ResourceSlice",
        "metadata": {
            "name": f"{name}-{DRIVER}",
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "name": name,
                    "uid": node["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": {
            "driver": DRIVER,
            "nodeName": name,
            "pool": {"name": name, "generation": 1, "resourceSliceCount": 1},
            "devices": [
                {
                    "name": f"gpu-{number}",
                    "attributes": {
                        "type": {"string": "gpu"},
                        "uuid": {"string": f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{name}-{number}')}"},
                    },
                }
                for number in range(gpus)
            ],
        },
    }


class ResourceSlices:
    """Keeps the ResourceSlice of each node as its driver would."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._published: dict[str, str] = {}
        """Node -> the uid with which its slice was written; empty without a slice."""

    def forget(self) -> None:
        """Assume nothing of what is published: it is another cluster."""
        self._published.clear()

    def step(
        self,
        machines: Iterable[Machine],
        nodes: Mapping[str, dict[str, Any]],
        pods: Mapping[str, Sequence[dict[str, Any]]],
    ) -> None:
        """Publish and withdraw once for all machines. nodes: by name; pods: by node name."""
        where = path(API_VERSION, "resourceslices")
        for machine in machines:
            node, gpus = nodes.get(machine.name), machine.devices.get(GPU, 0)
            if node is None or not gpus:
                continue
            uid = node["metadata"].get("uid", "")
            driven = any(publishes(pod) for pod in pods.get(machine.name, ()))
            if driven and self._published.get(machine.name) != uid:
                self._kube.apply(f"{where}/{machine.name}-{DRIVER}", resource_slice(node, gpus), "twin")
                self._published[machine.name] = uid
                log.info("%s has %d GPUs to claim", machine.name, gpus)
            elif not driven and self._published.get(machine.name) != "":
                # Also that of a former process, once.
                self._kube.delete(f"{where}/{machine.name}-{DRIVER}")
                self._published[machine.name] = ""
        # The slice of a node that is gone is garbage collected.
        self._published = {name: uid for name, uid in self._published.items() if name in nodes}
