"""What a node of a GPU pool is to Kubernetes: labels, taints, resources, and the user data for it."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiplatform import accelerators
from aiplatform._shared.kubernetes import node_labels as label
from aiplatform._shared.kubernetes.names import Taint
from aiplatform.accelerators import NEURON_CORE, NVIDIA, Machine
from aiplatform.accelerators.aws import BOTTLEROCKET_MIG_MODELS, PODS_WITH_EFA
from aiplatform.gpu_pool.args import GpuPoolSettings

EFA: Final = "vpc.amazonaws.com/efa"

AMI_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("nvidia", "al2023"): "AL2023_x86_64_NVIDIA",
    ("nvidia", "bottlerocket"): "BOTTLEROCKET_x86_64_NVIDIA",
    ("neuron", "al2023"): "AL2023_x86_64_NEURON",
}
"""(vendor, image) -> EKS's AMI type."""


def device_plugin(pool: GpuPoolSettings) -> str:
    """Which device plugin the cluster must run for the nodes: `nvidia` or `neuron`; `image`: none."""
    return pool.machine.card.vendor if pool.os == "al2023" else "image"


def labels(pool: GpuPoolSettings, capacity_type: str) -> dict[str, str]:
    """The labels that the pool sets itself. All entries of `capacity` have the same, but for the type."""
    card = pool.machine.card
    made = {
        label.POOL: pool.name,
        label.CAPACITY: capacity_type,
        label.ACCELERATOR: pool.accelerator,
        label.ACCELERATOR_COUNT: str(pool.count),
        label.DEVICE_PLUGIN: device_plugin(pool),
    }
    if card.vendor == "nvidia":
        made[label.GPU_PRESENT] = "true"
        made[label.AUTOSCALER_GPU] = f"nvidia-{pool.accelerator}"
    if pool.with_efa:
        made[label.EFA] = "true"
    if pool.sharing is not None and pool.sharing.replicas is not None:
        made[label.NVIDIA_CONFIG] = label.time_slicing_config(pool.sharing.replicas)
    if pool.sharing is not None and pool.sharing.profile is not None:
        made[label.MIG_CONFIG] = f"all-{pool.sharing.profile}"
    return made


def taints(pool: GpuPoolSettings) -> list[Taint]:
    """The accelerator's taint and the user's. Its key is the resource's name, so that EKS's admission plugin
    ExtendedResourceToleration lets a Pod in that asks for the resource."""
    return [Taint(pool.machine.card.resource, "NoSchedule", "true"), *pool.taints]


def devices_of(pool: GpuPoolSettings) -> int:
    """How many of the card's resource a node advertises."""
    if pool.sharing is None:
        return pool.count
    if pool.sharing.replicas is not None:
        return pool.count * pool.sharing.replicas
    # One profile on all cards: the plugin's strategy is `single`, and a slice is an `nvidia.com/gpu`.
    return pool.count * accelerators.CARDS[pool.accelerator].mig[pool.sharing.profile or ""]


def hidden_resources(pool: GpuPoolSettings, machines: Sequence[Machine]) -> dict[str, str]:
    """What the Cluster Autoscaler cannot know of a group without nodes: it reads CPU, memory and
    `nvidia.com/gpu` from the instance type, labels and taints from eks:DescribeNodegroup, and takes every
    node for one of 110 Pods."""
    card = pool.machine.card
    found: dict[str, str] = {}
    if card.resource != NVIDIA:
        found[card.resource] = str(pool.count)
        found[NEURON_CORE] = str(pool.count * card.neuron_cores)
    elif pool.sharing is not None:
        found[NVIDIA] = str(devices_of(pool))
    if pool.with_efa:
        found[EFA] = str(machines[0].efa_interfaces)
    found["ephemeral-storage"] = ephemeral_storage(pool, machines)
    pods = max_pods(pool, machines)
    if pods is not None:
        found["pods"] = str(pods)
    return found


def ephemeral_storage(pool: GpuPoolSettings, machines: Sequence[Machine]) -> str:
    """What Pods may use of the disk of the smallest machine: 85 %, as file system, kube-reserved and the
    kubelet's eviction threshold (10 %) take the rest. Rather too little: too much, and the autoscaler adds a
    node on which the Pod does not fit."""
    whole = min(machine.disks.total_gib for machine in machines) if pool.raid0 else pool.disk_gib
    return f"{whole * 85 // 100}Gi"


def max_pods(pool: GpuPoolSettings, machines: Sequence[Machine]) -> int | None:
    """The most Pods of a node, or None where EKS's own number is right: what the user says, else what the
    network interfaces that EFA leaves have addresses for."""
    if pool.max_pods is not None or not pool.with_efa:
        return pool.max_pods
    fewer = [PODS_WITH_EFA[machine.type] for machine in machines if machine.type in PODS_WITH_EFA]
    return min(fewer, default=None)


def user_data(pool: GpuPoolSettings, machines: Sequence[Machine]) -> str | None:
    """Base64 of what the image's start-up reads beside what EKS adds, or None where its defaults serve."""
    pods = max_pods(pool, machines)
    text = _nodeadm(pool, pods) if pool.os == "al2023" else _bottlerocket(pool, pods)
    return base64.b64encode(text.encode()).decode() if text else None


def _nodeadm(pool: GpuPoolSettings, pods: int | None) -> str:
    """AL2023: a NodeConfig as a part of a MIME message; EKS appends its own, and nodeadm merges them.

    Pods by a flag: EKS's own NodeConfig has a maxPods that would win over one here; nodeadm keeps the flags
    of both (its internal/api/merge.go), and the kubelet takes a flag before its configuration.
    """
    spec: dict[str, Any] = {}
    if pool.raid0:
        spec["instance"] = {"localStorage": {"strategy": "RAID0"}}
    if pods is not None:
        spec["kubelet"] = {"flags": [f"--max-pods={pods}"]}
    if not spec:
        return ""
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}
    # A JSON document is a YAML document.
    return "\n".join(
        [
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="BOUNDARY"',
            "",
            "--BOUNDARY",
            "Content-Type: application/node.eks.aws",
            "",
            json.dumps(config, indent=2),
            "",
            "--BOUNDARY--",
            "",
        ]
    )


def _bottlerocket(pool: GpuPoolSettings, pods: int | None) -> str:
    """Bottlerocket: settings as TOML; EKS merges its own into them."""
    lines: list[str] = []
    if pods is not None:
        lines += ["[settings.kubernetes]", f"max-pods = {pods}", ""]
    if pool.raid0:
        directories = ["/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"]
        commands = [
            ["apiclient", "ephemeral-storage", "init"],
            ["apiclient", "ephemeral-storage", "bind", "--dirs", *directories],
        ]
        lines += [
            "[settings.bootstrap-commands.instance-storage]",
            f"commands = {json.dumps(commands)}",
            'mode = "always"',
            "essential = true",
            "",
        ]
    if pool.sharing is not None and pool.sharing.replicas is not None:
        lines += [
            "[settings.kubelet-device-plugins.nvidia]",
            'device-sharing-strategy = "time-slicing"',
            "",
            "[settings.kubelet-device-plugins.nvidia.time-slicing]",
            f"replicas = {pool.sharing.replicas}",
            "rename-by-default = false",
            "",
        ]
    if pool.sharing is not None and pool.sharing.profile is not None:
        lines += [
            "[settings.kubelet-device-plugins.nvidia]",
            'device-partitioning-strategy = "mig"',
            "",
            "[settings.kubelet-device-plugins.nvidia.mig.profile]",
            f'"{BOTTLEROCKET_MIG_MODELS[pool.accelerator]}" = "{pool.sharing.profile}"',
            "",
        ]
    return "\n".join(lines)
