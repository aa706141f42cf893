"""Nodes of a GPU pool on GKE: machine, labels, taints and resources. Pure: no resource, no call."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from aiplatform import accelerators
from aiplatform._shared import images
from aiplatform._shared.args import is_unknown
from aiplatform._shared.kubernetes import node_labels
from aiplatform._shared.kubernetes.names import Taint
from aiplatform.accelerators import fabric
from aiplatform.accelerators.fabric import PodRequirements, network_annotations
from aiplatform.accelerators.gcp import (
    ACCELERATOR_TYPES,
    FLEX_START_ZONES,
    OF_ONE_NODE,
    PARTITIONS,
    Fabric,
    Machine,
    nodes_of,
)
from aiplatform.gpu_pool.capacity import WAITS, Capacity
from aiplatform.gpu_pool.gcp.interfaces import GPUDIRECT_SPLIT, interfaces

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings

COMPUTE_CLASS: Final = node_labels.COMPUTE_CLASS
QUEUED: Final = "cloud.google.com/gke-queued"
"""GKE's taint on the nodes of a queue."""

GPUDIRECT_RANGES: Final = IPv4Network("192.168.0.0/16")
"""Pools choose the default range of their GPUDirect networks from this range."""
GPUDIRECT_PREFIX: Final = 20
"""Of such a range."""
_RESERVED_ADDRESSES: Final = 4
"""Of a subnet ("Subnets: Unusable addresses")."""

_SHORT: Final = {"spot": "spot", "on_demand": "on-demand", "flex_start": "flex", "queued": "queued"}


def key(entry: Capacity, index: int) -> str:
    """Return the part of node pool names for an entry. It does not change when entries are added before or
    after it, except that of a reservation that is an output: it is named by its position.

    It is short: a node pool's name has at most 40 characters, of which the name of the pool uses 20 and
    Pulumi's suffix 8."""
    if entry.type == "reserved":
        if is_unknown(entry.reservation_id):
            return f"res-{index}"
        return "res-" + hashlib.sha256(str(entry.reservation_id or "").encode()).hexdigest()[:4]
    return _SHORT[entry.type]


def machine(pool: GpuPoolSettings) -> Machine:
    """Return the catalog's preferred machine for this accelerator and count."""
    return accelerators.gcp_machines(pool.accelerator, pool.count)[0]


def machine_of(pool: GpuPoolSettings, entry: Capacity) -> Machine:
    """Return the machine of an entry: the one that it names, where that fits, else the preferred one."""
    named = entry.instance_types[0] if entry.instance_types else None
    fitting = accelerators.gcp_machines(pool.accelerator, pool.count)
    return next((candidate for candidate in fitting if candidate.type == named), fitting[0])


def slice_nodes(pool: GpuPoolSettings) -> int:
    """Return the number of nodes of a TPU slice; 1 for everything else."""
    if pool.topology is None or pool.card.vendor != "tpu":
        return 1
    return nodes_of(pool.topology, pool.count)


def topology(pool: GpuPoolSettings) -> str | None:
    """Return the topology of the pool's slices, with its default; None for GPUs."""
    if pool.card.vendor != "tpu":
        return None
    return pool.topology or OF_ONE_NODE[pool.count]


def with_gpudirect(pool: GpuPoolSettings) -> bool:
    """Return whether nodes have the networks of GPUDirect, with the default of the argument."""
    return machine(pool).fabric is not None and pool.gpudirect is not False


def fabric_of(pool: GpuPoolSettings) -> Fabric | None:
    """Return the kind of GPUDirect of the nodes; None where they have none."""
    return machine(pool).fabric if with_gpudirect(pool) else None


def pod_requirements(pool: GpuPoolSettings) -> PodRequirements | None:
    """Return what a Pod needs to use GPUDirect; None without it."""
    kind = fabric_of(pool)
    if kind is None:
        return None
    names = [interface.name for interface in interfaces(pool.name, kind, gpudirect_cidr(pool))]
    daemons = {name: image(pool, f"gpudirect-{name}-daemon") for name in ("tcpx", "tcpxo")}
    installer = installed_version(kind) if pool.gpudirect_installers is not False else None
    return fabric.gpudirect(kind, daemons, network_annotations(names), installer)


def installed_version(kind: Fabric) -> str:
    """Return the version of NCCL's plugin that the platform installs on nodes."""
    return images.images()[f"gpudirect-{kind}-installer"].tag


def image(pool: GpuPoolSettings, name: str) -> str:
    """Return an image of images.toml, at its mirror if it has one."""
    return images.mirrored(images.images()[name].reference, pool.mirrors)


def gpudirect_cidr(pool: GpuPoolSettings) -> str:
    """Return the range of the GPUDirect networks. The default depends only on the pool's name, so that it
    does not change when pools are added. Two names may get the same range."""
    if pool.gpudirect_cidr is not None:
        return pool.gpudirect_cidr
    ranges = list(GPUDIRECT_RANGES.subnets(new_prefix=GPUDIRECT_PREFIX))
    return str(ranges[hashlib.sha256(pool.name.encode()).digest()[0] % len(ranges)])


def gpudirect_nodes(pool: GpuPoolSettings) -> int:
    """Return the number of nodes for which the subnets of the GPUDirect networks have addresses."""
    return IPv4Network(gpudirect_cidr(pool)).num_addresses // 2**GPUDIRECT_SPLIT - _RESERVED_ADDRESSES


def with_placement(pool: GpuPoolSettings) -> bool:
    """Return whether there is a compact placement policy, with the default of the argument. It applies to
    spot and on-demand nodes only: reservations and queues place their nodes themselves."""
    wanted = with_gpudirect(pool) if pool.placement_group is None else pool.placement_group
    return wanted and any(entry.type in ("spot", "on_demand") for entry in pool.capacity)


def in_one_zone(pool: GpuPoolSettings) -> bool:
    """Return whether all nodes are in one zone: with GPUDirect, compact placement or slices."""
    return with_gpudirect(pool) or with_placement(pool) or slice_nodes(pool) > 1


def local_ssds(pool: GpuPoolSettings, entry: Capacity) -> tuple[int, bool]:
    """Return the number of local SSDs of a node, and whether they are ephemeral storage (else raw block
    devices)."""
    machine_type = machine_of(pool, entry)
    if pool.instance_store == "raid0" or (pool.instance_store is None and machine_type.ssds_built_in):
        return machine_type.local_ssds, True
    return (machine_type.local_ssds if machine_type.ssds_built_in else 0), False


def compute_class(pool: GpuPoolSettings) -> str | None:
    """Return the name of the pool's ComputeClass; None where only a ProvisioningRequest adds nodes."""
    return pool.name if any(entry.type != "queued" for entry in pool.capacity) else None


def labels(pool: GpuPoolSettings, capacity_type: str) -> dict[str, str]:
    """Return the labels that the pool sets itself; GKE adds others (`cloud.google.com/gke-accelerator`...).
    All entries of `capacity` have the same, except the type and the ComputeClass, which does not support
    queues."""
    result = {
        node_labels.POOL: pool.name,
        node_labels.CAPACITY: capacity_type,
        node_labels.ACCELERATOR: pool.accelerator,
        node_labels.ACCELERATOR_COUNT: str(pool.count),
    }
    if capacity_type != "queued" and compute_class(pool) is not None:
        result[COMPUTE_CLASS] = pool.name
    return result


def node_pool_taints(pool: GpuPoolSettings, capacity_type: str) -> list[Taint]:
    """Return the taints that node pools are created with: of the accelerator, of the ComputeClass, and the
    user's. GKE adds that of the queue.

    GKE also adds the accelerator's, but that of GPUs only where the cluster already has a node pool without
    GPUs, and never later ("About GPUs in GKE: Taint a GPU node pool").
    """
    compute_class_taints = (
        [] if capacity_type == "queued" else [Taint(COMPUTE_CLASS, "NoSchedule", pool.name)]
    )
    return [Taint(pool.card.resource, "NoSchedule", "present"), *compute_class_taints, *pool.taints]


def taints(pool: GpuPoolSettings) -> list[Taint]:
    """Return all taints of the nodes, except that of the queue."""
    return node_pool_taints(pool, "queued" if compute_class(pool) is None else "on_demand")


def selector(pool: GpuPoolSettings) -> dict[str, str]:
    """Return the node selector of Pods for the pool: its ComputeClass, or the pool itself where it has none.
    For TPUs also accelerator and topology, as GKE requires ("Deploy TPU workloads in GKE Standard")."""
    if compute_class(pool) is not None:
        return {COMPUTE_CLASS: pool.name, **_slice(pool)}
    return {node_labels.POOL: pool.name, node_labels.CAPACITY: "queued", **_slice(pool)}


def _slice(pool: GpuPoolSettings) -> dict[str, str]:
    shape = topology(pool)
    if shape is None:
        return {}
    return {
        node_labels.TPU_ACCELERATOR: ACCELERATOR_TYPES[pool.accelerator],
        node_labels.TPU_TOPOLOGY: shape,
    }


def devices_of(pool: GpuPoolSettings) -> int:
    """Return the quantity of the accelerator's resource that a node advertises."""
    sharing = pool.sharing
    if sharing is None:
        return pool.count
    if sharing.replicas is not None:
        return pool.count * sharing.replicas
    return pool.count * PARTITIONS[pool.accelerator][sharing.profile or ""]


def flex_start_zones(pool: GpuPoolSettings, entry: Capacity) -> frozenset[str] | None:
    """Return the zones that sell the entry's capacity; None where all zones with the machine type do."""
    return FLEX_START_ZONES.get(pool.accelerator) if waits(entry) else None


def waits(entry: Capacity) -> bool:
    """Return whether the entry's nodes come from a queue (flex-start or queued)."""
    return entry.type in WAITS
