"""Nodes of a GPU pool on EKS: labels, taints, resources and user data."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pulumi import Input

from aiplatform import accelerators
from aiplatform._shared.args import is_unknown
from aiplatform._shared.kubernetes import node_labels
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.kubernetes.pools import usable_storage
from aiplatform._shared.outputs import mapped
from aiplatform.accelerators import NEURON_CORE, NVIDIA, Machine, fabric
from aiplatform.accelerators.aws import BOTTLEROCKET_MIG_MODELS, PODS_WITH_EFA
from aiplatform.accelerators.fabric import EFA, HUGE_PAGES, NODE_HUGE_PAGES, PodRequirements

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings
    from aiplatform.gpu_pool.capacity import Capacity

AMI_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("nvidia", "al2023"): "AL2023_x86_64_NVIDIA",
    ("nvidia", "bottlerocket"): "BOTTLEROCKET_x86_64_NVIDIA",
    ("neuron", "al2023"): "AL2023_x86_64_NEURON",
}
"""(vendor, image) -> EKS's AMI type."""


def key(entry: Capacity, index: int) -> str:
    """Return the part of the names of an entry's resources. It does not change when entries are added before
    or after it, except that of a reservation whose id is an output: it is named by its position."""
    if entry.type != "reserved":
        return entry.type.replace("_", "-")
    if is_unknown(entry.reservation_id):
        return f"reserved-{index}"
    return f"reserved-{str(entry.reservation_id or '')[-6:]}"


def device_plugin(pool: GpuPoolSettings) -> str:
    """Return the device plugin that the cluster must run for the nodes: `nvidia` or `neuron`; `image` and
    `dra`: none."""
    if pool.claimed:
        return node_labels.DRA
    return pool.machine.card.vendor if pool.os == "al2023" else "image"


def labels(pool: GpuPoolSettings, capacity_type: str) -> dict[str, str]:
    """Return the labels that the pool sets itself. All entries of `capacity` have the same, except the
    type."""
    card = pool.machine.card
    result = {
        node_labels.POOL: pool.name,
        node_labels.CAPACITY: capacity_type,
        node_labels.ACCELERATOR: pool.accelerator,
        node_labels.ACCELERATOR_COUNT: str(pool.count),
        node_labels.DEVICE_PLUGIN: device_plugin(pool),
    }
    if card.vendor == "nvidia":
        result[node_labels.GPU_PRESENT] = "true"
        # Without nvidia.com/gpu the autoscaler would wait for the device plugin for ever.
        if not pool.claimed:
            result[node_labels.AUTOSCALER_GPU] = f"nvidia-{pool.accelerator}"
        if device_plugin(pool) != card.vendor:
            result[node_labels.OPERANDS] = "false"
    if pool.claimed:
        result[node_labels.DEVICE_ALLOCATION] = node_labels.DRA
    if pool.with_efa:
        result[node_labels.EFA] = "true"
    if pool.sharing is not None and pool.sharing.replicas is not None:
        result[node_labels.NVIDIA_CONFIG] = node_labels.time_slicing_config(pool.sharing.replicas)
    if pool.sharing is not None and pool.sharing.profile is not None:
        result[node_labels.MIG_CONFIG] = f"all-{pool.sharing.profile}"
    return result


def taints(pool: GpuPoolSettings) -> list[Taint]:
    """Return the taint of the accelerator and those of the user. Its key is the name of the resource, so that
    EKS's admission plugin ExtendedResourceToleration adds the toleration to Pods that request the
    resource. A pool whose accelerators are claimed has another one, for Pods that request the resource: the
    autoscaler reads from the instance type that the nodes have it."""
    return [*own_taints(pool), *pool.taints]


def own_taints(pool: GpuPoolSettings) -> list[Taint]:
    """Return the taints without those of the user."""
    claimed = [Taint(node_labels.DEVICE_ALLOCATION, "NoSchedule", node_labels.DRA)] if pool.claimed else []
    return [Taint(pool.machine.card.resource, "NoSchedule", "true"), *claimed]


def group_taints(pool: GpuPoolSettings) -> list[Taint]:
    """Return the taints of the pool's node groups. While the pool moves to Karpenter, one of them keeps new
    Pods away: EKS puts it on the nodes that exist, too, and evicts nothing."""
    moving = [Taint(node_labels.MOVING, "NoSchedule", "true")] if pool.with_karpenter else []
    return [*taints(pool), *moving]


def devices_of(pool: GpuPoolSettings) -> int:
    """Return the quantity of the accelerator's resource that a node advertises."""
    if pool.sharing is None:
        return pool.count
    if pool.sharing.replicas is not None:
        return pool.count * pool.sharing.replicas
    # One profile on all cards: the plugin's strategy is `single`, and a slice is an `nvidia.com/gpu`.
    return pool.count * accelerators.CARDS[pool.accelerator].mig[pool.sharing.profile or ""]


def hidden_resources(pool: GpuPoolSettings, machines: Sequence[Machine]) -> dict[str, Input[str]]:
    """Return the resources that the Cluster Autoscaler cannot see for a group without nodes: it reads CPU,
    memory and `nvidia.com/gpu` from the instance type, labels and taints from eks:DescribeNodegroup, and
    assumes 110 Pods for every node."""
    card = pool.machine.card
    resources: dict[str, Input[str]] = {}
    if card.resource != NVIDIA:
        resources[card.resource] = str(pool.count)
        resources[NEURON_CORE] = str(pool.count * card.neuron_cores)
    elif pool.sharing is not None:
        resources[NVIDIA] = str(devices_of(pool))
    if pool.with_efa:
        resources[EFA] = str(machines[0].efa_interfaces)
        if _reserves_huge_pages(pool):
            resources[HUGE_PAGES] = NODE_HUGE_PAGES
    resources["ephemeral-storage"] = ephemeral_storage(pool, machines)
    pods = max_pods(pool, machines)
    if pods is not None:
        resources["pods"] = mapped(pods, lambda most: str(int(most)))
    return resources


def pod_requirements(pool: GpuPoolSettings) -> PodRequirements | None:
    """Return what a Pod needs to use EFA; None without EFA."""
    if not pool.with_efa:
        return None
    # Karpenter does not know huge pages, and creates no node for a Pod that requests some.
    huge_pages = _reserves_huge_pages(pool) and not pool.with_karpenter
    return fabric.efa(pool.machine.efa_interfaces, huge_pages=huge_pages)


def _reserves_huge_pages(pool: GpuPoolSettings) -> bool:
    """Whether Pods request huge pages for EFA: EKS's AL2023 images for accelerators reserve them ("Run
    machine learning training on Amazon EKS with Elastic Fabric Adapter"). Bottlerocket reserves some, too
    (bottlerocket-core-kit, pull request 141), which Pods leave unused."""
    return pool.os == "al2023"


def ephemeral_storage(pool: GpuPoolSettings, machines: Sequence[Machine]) -> Input[str]:
    """Return the disk space for Pods on the smallest machine."""
    if pool.raid0:
        return usable_storage(min(machine.disks.total_gib for machine in machines))
    return mapped(pool.disk_gib, usable_storage)


def max_pods(pool: GpuPoolSettings, machines: Sequence[Machine]) -> Input[int] | None:
    """Return the maximum of Pods on a node, or None where EKS's default applies: the argument, else the
    number of addresses on the network interfaces that EFA does not use."""
    if pool.max_pods is not None or not pool.with_efa:
        return pool.max_pods
    fewer = [PODS_WITH_EFA[machine.type] for machine in machines if machine.type in PODS_WITH_EFA]
    return min(fewer, default=None)


def user_data(pool: GpuPoolSettings, machines: Sequence[Machine]) -> Input[str] | None:
    """Return the user data in base64, to which EKS adds its own, or None where the image's defaults apply."""
    pods = max_pods(pool, machines)
    if pods is None:
        return _encoded(pool, None)
    return mapped(pods, lambda most: _encoded(pool, int(most)) or "")


def _encoded(pool: GpuPoolSettings, pods: int | None) -> str | None:
    text = _nodeadm(pool, pods) if pool.os == "al2023" else _bottlerocket(pool, pods)
    return base64.b64encode(text.encode()).decode() if text else None


def _nodeadm(pool: GpuPoolSettings, pods: int | None) -> str:
    """AL2023: a NodeConfig as a part of a MIME message. EKS appends its own, and nodeadm merges them.

    The maximum of Pods is a flag: EKS's NodeConfig has a maxPods that would override one here; nodeadm keeps
    the flags of both (its internal/api/merge.go), and a flag overrides the kubelet's configuration.
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
