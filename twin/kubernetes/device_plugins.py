"""What the device plugins of a cluster make of its machines' devices.

A node advertises `nvidia.com/gpu` and its like only while something registers them with the kubelet: the
machine's image (`Machine.builtin_devices`), or the Pod of a DaemonSet that runs the device plugin and has the
kubelet's plugin folder mounted. Here that Pod does nothing but run; the numbers come from `Machine.devices`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from twin.kubernetes.api import ApiError, Kube, path
from twin.kubernetes.cloud_interface import Machine
from twin.kubernetes.events import Recorder
from twin.kubernetes.gpu_sharing import GPU, SharingError, advertised, chosen, source
from twin.kubernetes.pods import leaving, owner_kind, ready, repository
from twin.kubernetes.quantity import milli

log = logging.getLogger(__name__)

SOCKETS: Final = PurePosixPath("/var/lib/kubelet/device-plugins")
SMALL_CARDS: Final = ("p4d.", "a2-highgpu-", "a2-megagpu-")
"""Machine types with A100 cards of 40 GB, whose MIG profiles differ from those of all larger cards."""
READ_AGAIN: Final = 2.0
"""Seconds between readings of a plugin's ConfigMap."""
# The NVIDIA plugin's image also holds its helpers, which register nothing.
HELPERS: Final = ("gpu-feature-discovery", "config-manager", "mps-control-daemon")


@dataclass(frozen=True)
class Plugin:
    """A device plugin: the end of its image's repository, and the resources that it registers."""

    name: str
    image: str
    prefixes: tuple[str, ...]

    def registers(self, resource: str) -> bool:
        """Whether the resource is one of its."""
        return resource.startswith(self.prefixes)


# The first match counts: the EFA plugin's image name ends as NVIDIA's does.
PLUGINS: Final = (
    Plugin("EFA", "aws-efa-k8s-device-plugin", ("vpc.amazonaws.com/efa",)),
    Plugin("Neuron", "neuron-device-plugin", ("aws.amazon.com/neuron",)),
    Plugin("TPU", "tpu-device-plugin", ("google.com/tpu",)),
    # GKE's own, which partitions and shares as the node pool says: the machine's devices count that in.
    Plugin("GKE NVIDIA", "nvidia-gpu-device-plugin", ("nvidia.com/",)),
    Plugin("NVIDIA", "k8s-device-plugin", ("nvidia.com/",)),
)


def is_device(resource: str) -> bool:
    """Whether a resource is one that device plugins register."""
    return any(plugin.registers(resource) for plugin in PLUGINS)


def plugin_of(container: Mapping[str, Any]) -> Plugin | None:
    """The device plugin that a container is, or None."""
    name = repository(container.get("image") or "").rpartition("/")[2]
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if any(helper in word for helper in HELPERS for word in (*words, container.get("name", ""))):
        return None
    return next((plugin for plugin in PLUGINS if plugin.image in name), None)


def reaches_kubelet(pod: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    """Whether the container has the kubelet's plugin folder, without which no plugin can register."""
    folders = {
        volume["name"]: PurePosixPath(volume["hostPath"]["path"])
        for volume in pod["spec"].get("volumes") or ()
        if "hostPath" in volume
    }
    mounted = [folders[m["name"]] for m in container.get("volumeMounts") or () if m["name"] in folders]
    return any(folder == SOCKETS or folder in SOCKETS.parents for folder in mounted)


class DevicePlugins:
    """Keeps every node's advertised devices as its plugins would."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._recorder = Recorder(kube, "kubelet")
        self._read: dict[str, tuple[float, dict[str, str]]] = {}

    def step(
        self,
        machines: Iterable[Machine],
        nodes: Mapping[str, dict[str, Any]],
        pods: Mapping[str, Sequence[dict[str, Any]]],
    ) -> None:
        """Once over all machines. nodes: by name; pods: by node name."""
        for machine in machines:
            node = nodes.get(machine.name)
            if node is None or not (machine.devices or machine.builtin_devices or _present(node)):
                continue
            wanted = self.wanted(machine, node, pods.get(machine.name, ()))
            change = difference(_present(node), wanted)
            if change:
                log.info("%s advertises %s", machine.name, wanted or "no devices")
                self._kube.merge(
                    path("v1", "nodes", name=machine.name) + "/status",
                    {"status": {"capacity": change, "allocatable": change}},
                )

    def wanted(
        self, machine: Machine, node: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]
    ) -> dict[str, int]:
        """What the node should advertise with these Pods on it."""
        devices = dict(machine.builtin_devices)
        partitioned = any(_is_mig_manager(pod) for pod in pods)
        for pod in pods:
            if owner_kind(pod) != "DaemonSet" or leaving(pod) or not ready(pod):
                continue
            for container in pod["spec"]["containers"]:
                plugin = plugin_of(container)
                if plugin is None:
                    continue
                if not reaches_kubelet(pod, container):
                    self._complain(
                        pod, f"the {plugin.name} device plugin cannot register: {SOCKETS} is not mounted"
                    )
                    continue
                registered = {name: n for name, n in machine.devices.items() if plugin.registers(name)}
                if plugin.name == "NVIDIA" and GPU in registered:
                    shared = self._nvidia(machine, node, pod, container, partitioned)
                    registered.pop(GPU)
                    registered.update(shared)
                devices.update(registered)
        return devices

    def _nvidia(
        self,
        machine: Machine,
        node: Mapping[str, Any],
        pod: Mapping[str, Any],
        container: Mapping[str, Any],
        partitioned: bool,
    ) -> dict[str, int]:
        labels = node["metadata"].get("labels") or {}
        configured = source(pod, container)
        try:
            config = chosen(configured, self._config_map(pod, configured.config_map), labels)
            return advertised(
                machine.devices[GPU],
                config,
                labels,
                mig_strategy=configured.mig_strategy,
                mig_manager=partitioned,
                small_card=machine.instance_type.startswith(SMALL_CARDS),
            )
        except SharingError as error:
            self._complain(pod, f"the NVIDIA device plugin refuses its configuration: {error}")
            return {}

    def _config_map(self, pod: Mapping[str, Any], name: str) -> dict[str, str]:
        if not name:
            return {}
        where = path("v1", "configmaps", pod["metadata"]["namespace"], name)
        when, data = self._read.get(where, (-READ_AGAIN, {}))
        if time.monotonic() - when >= READ_AGAIN:
            data = (self._kube.find(where) or {}).get("data") or {}
            self._read[where] = (time.monotonic(), data)
        return data

    def _complain(self, pod: Mapping[str, Any], message: str) -> None:
        try:
            self._recorder.event(pod, "Pod", "BackOff", message, warning=True)
        except ApiError as error:
            log.warning("%s (%s)", message, error)


def _is_mig_manager(pod: Mapping[str, Any]) -> bool:
    images = (repository(container.get("image") or "") for container in pod["spec"]["containers"])
    return ready(pod) and any(image.endswith("mig-manager") for image in images)


def _present(node: Mapping[str, Any]) -> dict[str, int]:
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    return {name: milli(str(value)) // 1000 for name, value in allocatable.items() if is_device(name)}


def difference(present: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, str | None]:
    """The merge patch from what a node advertises to what it should; None removes a resource."""
    changed: dict[str, str | None] = {
        name: str(count) for name, count in wanted.items() if present.get(name) != count
    }
    changed.update({name: None for name in present if name not in wanted})
    return changed
