"""Every machine of the cloud that should be a Node is one, as its kubelet would have registered it.

A Node is Ready once a network plugin's Pod runs on it (on EKS: the DaemonSet aws-node). Until then it says,
in the kubelet's own words, that it is not; kwok runs its Pods all the same, so that the plugin can start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from twin.kubernetes import kwok
from twin.kubernetes.api import Kube, Object, passing_over, path
from twin.kubernetes.cloud_interface import Machine, Taint
from twin.kubernetes.pods import condition, leaving, phase, ready, repository
from twin.kubernetes.time_scale import timestamp

log = logging.getLogger(__name__)

APPLIED: Final = "twin.ai-platform/machine"
"""Annotation: the labels and taints that the cloud set last, to distinguish its changes from others'."""
NETWORK: Final = "twin.ai-platform/network"
"""Annotation: `absent` while no network plugin runs there; stages.yaml leaves such a node unready."""
ABSENT: Final = "absent"
NETWORK_PLUGINS: Final = ("amazon-k8s-cni", "cilium/cilium", "calico/node", "antrea-agent")
"""Ends of the image repositories of the plugins that write a CNI configuration; the first is EKS's own, which
does so once it may attach network interfaces."""
NO_NETWORK: Final = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
PRESSURES: Final = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
LEASES: Final = path("coordination.k8s.io/v1", "leases", "kube-node-lease")


class Nodes:
    """Keeps the Node objects equal to the machines.

    network_built_in: the machine images bring the network plugin themselves (Google Cloud).
    """

    def __init__(self, kube: Kube, *, network_built_in: bool = False) -> None:
        self._kube = kube
        self._network_built_in = network_built_in
        self._version = ""

    def step(
        self,
        machines: Iterable[Machine],
        nodes: Mapping[str, Object],
        pods: Mapping[str, Sequence[Object]],
    ) -> None:
        """Once over all. nodes: by name; pods: by node name. Nodes of no machine of ours are left alone."""
        wanted = {machine.name: machine for machine in machines}
        for name, machine in wanted.items():
            node = nodes.get(name)
            here = pods.get(name, ())
            if node is None:
                self._register(machine)
            elif node["spec"].get("providerID") not in (None, machine.provider_id):
                # The address, and with it the name, went to a new machine.
                self._remove(name, here)
            else:
                self._refresh(machine, node)
                self._network(machine, node, here)
        for name, node in nodes.items():
            if name not in wanted and APPLIED in (node["metadata"].get("annotations") or {}):
                self._remove(name, pods.get(name, ()))

    def _register(self, machine: Machine) -> None:
        if not self._version:
            self._version = self._kube.get("/version")["gitVersion"]
        with passing_over(409):  # the watch has not reported it yet
            self._kube.create(path("v1", "nodes"), self._body(machine))
            log.info("node %s joins (%s, group %s)", machine.name, machine.instance_type, machine.group)

    def _body(self, machine: Machine) -> Object:
        annotations = {kwok.MANAGED[0]: kwok.MANAGED[1], APPLIED: applied(machine)}
        if not self._network_built_in:
            annotations[NETWORK] = ABSENT
        builtin = {name: str(count) for name, count in machine.builtin_devices.items()}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": machine.name, "labels": labels(machine), "annotations": annotations},
            "spec": {
                "providerID": machine.provider_id,
                "taints": [_taint(taint) for taint in machine.taints],
            },
            "status": {
                "capacity": {**machine.capacity, **builtin},
                "allocatable": {**machine.allocatable, **builtin},
                "addresses": [
                    {"type": "InternalIP", "address": machine.internal_ip},
                    {"type": "InternalDNS", "address": machine.name},
                    {"type": "Hostname", "address": machine.name},
                ],
                "conditions": [*_pressures(), _condition("Ready", "False", "KubeletNotReady", NO_NETWORK)],
                "nodeInfo": self._info(machine),
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            },
        }

    def _info(self, machine: Machine) -> Object:
        # Equal for every machine on each start, as on a machine that keeps its disk.
        digest = machine.provider_id.rpartition("/")[2]
        return {
            "architecture": labels(machine)["kubernetes.io/arch"],
            "operatingSystem": "linux",
            "kubeletVersion": machine.kubelet_version or self._version,
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "containerd://2.1.5",
            "osImage": machine.os_image,
            "kernelVersion": "",
            "machineID": digest,
            "systemUUID": digest,
            "bootID": digest,
        }

    def _refresh(self, machine: Machine, node: Object) -> None:
        """Carry a change of the cloud's own labels and taints over, and leave those of others."""
        metadata, now = node["metadata"], applied(machine)
        before_text = (metadata.get("annotations") or {}).get(APPLIED)
        if before_text == now:
            return
        before = json.loads(before_text or "{}")
        fresh = labels(machine)
        change: dict[str, str | None] = dict(fresh)
        change.update({key: None for key in before.get("labels", {}) if key not in fresh})
        owned = [Taint(**taint) for taint in before.get("taints", [])]
        present = [
            Taint(taint["key"], taint["effect"], taint.get("value") or "")
            for taint in node["spec"].get("taints") or ()
        ]
        others = [taint for taint in present if taint not in owned and taint not in machine.taints]
        log.info("node %s: labels and taints changed with its group", machine.name)
        self._kube.merge(
            path("v1", "nodes", name=machine.name),
            {
                "metadata": {
                    "labels": change,
                    "annotations": {APPLIED: now},
                    "resourceVersion": metadata["resourceVersion"],
                },
                "spec": {"taints": [_taint(taint) for taint in [*machine.taints, *others]]},
            },
        )

    def _network(self, machine: Machine, node: Object, pods: Sequence[Object]) -> None:
        if self._network_built_in:
            return
        plugins = NETWORK_PLUGINS if machine.network_rights else NETWORK_PLUGINS[1:]
        there = any(_runs_network(pod, plugins) for pod in pods)
        marked = (node["metadata"].get("annotations") or {}).get(NETWORK) == ABSENT
        where = path("v1", "nodes", name=machine.name)
        if there and marked:
            log.info("node %s: its network plugin runs", machine.name)
            self._kube.merge(where, {"metadata": {"annotations": {NETWORK: None}}})
        elif not there and not marked:
            log.info("node %s: its network plugin is gone", machine.name)
            self._kube.merge(where, {"metadata": {"annotations": {NETWORK: ABSENT}}})
        elif not there and ready(node):
            others = [
                condition
                for condition in (node.get("status") or {}).get("conditions") or ()
                if condition.get("type") != "Ready"
            ]
            down = _condition("Ready", "False", "KubeletNotReady", NO_NETWORK)
            self._kube.merge(where + "/status", {"status": {"conditions": [*others, down]}})

    def _remove(self, name: str, pods: Sequence[Object]) -> None:
        log.info("node %s leaves, with %d Pods", name, len(pods))
        self._kube.delete(path("v1", "nodes", name=name))
        self._kube.delete(f"{LEASES}/{name}")
        for pod in pods:
            metadata = pod["metadata"]
            self._kube.delete(path("v1", "pods", metadata["namespace"], metadata["name"]), grace=0)


def applied(machine: Machine) -> str:
    """The value of the annotation APPLIED."""
    taints = [{"key": t.key, "effect": t.effect, "value": t.value} for t in machine.taints]
    return json.dumps({"labels": dict(machine.labels), "taints": taints}, sort_keys=True)


def labels(machine: Machine) -> dict[str, str]:
    """The machine's labels, and those that every kubelet and cloud controller adds."""
    of_machine = dict(machine.labels)
    arch = of_machine.get("kubernetes.io/arch", "amd64")
    common = {
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/arch": arch,
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
    }
    if kind := machine.instance_type or of_machine.get("node.kubernetes.io/instance-type"):
        common |= {"node.kubernetes.io/instance-type": kind, "beta.kubernetes.io/instance-type": kind}
    for key in ("zone", "region"):
        if value := of_machine.get(f"topology.kubernetes.io/{key}"):
            common[f"failure-domain.beta.kubernetes.io/{key}"] = value
    return {**common, **of_machine}


def _taint(taint: Taint) -> Object:
    return {"key": taint.key, "effect": taint.effect, **({"value": taint.value} if taint.value else {})}


def _runs_network(pod: Mapping[str, Any], plugins: tuple[str, ...]) -> bool:
    if phase(pod) != "Running" or leaving(pod):
        return False
    images = (repository(container.get("image") or "") for container in pod["spec"]["containers"])
    return any(image.endswith(plugins) for image in images)


def _pressures() -> list[Object]:
    return [_condition(kind, "False", *words) for kind, words in PRESSURES.items()]


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    now = timestamp()
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }


def not_ready_for(node: Mapping[str, Any], now: datetime) -> float:
    """Seconds that a Node has not been Ready; 0 when it is."""
    if ready(node):
        return 0.0
    since = condition(node, "Ready").get("lastTransitionTime") or node["metadata"].get("creationTimestamp")
    if not since:
        return 0.0
    return max(0.0, (now - datetime.fromisoformat(since)).total_seconds())
