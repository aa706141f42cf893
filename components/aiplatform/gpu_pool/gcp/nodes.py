"""What a node of a GPU pool is on GKE: its machine, its labels and what it offers. Pure."""

import hashlib
from ipaddress import IPv4Network
from typing import Final

from aiplatform import accelerators
from aiplatform._shared.kubernetes import node_labels as label
from aiplatform._shared.kubernetes.names import Taint
from aiplatform.accelerators import gcp as google
from aiplatform.gpu_pool.args import WAITS, Capacity, GpuPoolSettings

COMPUTE_CLASS: Final = label.COMPUTE_CLASS
QUEUED: Final = "cloud.google.com/gke-queued"
"""GKE's own taint on the nodes of a queue."""

GPUDIRECT_RANGES: Final = IPv4Network("192.168.0.0/16")
"""What pools take the ranges of their GPUDirect networks from."""
GPUDIRECT_PREFIX: Final = 20
"""Of such a range."""
GPUDIRECT_SPLIT: Final = 4
"""Bits by which a subnet is smaller than the range: sixteen subnets, where nine is the most."""
_RESERVED_ADDRESSES: Final = 4
"""Of a subnet ("Subnets: Unusable addresses")."""

_SHORT: Final = {"spot": "spot", "on_demand": "on-demand", "flex_start": "flex", "queued": "queued"}


def key(entry: Capacity) -> str:
    """What an entry's node pools are called: stable, whatever is put before or after it. Short: a node pool's
    name has 40 characters, of which the pool's own takes 20 and Pulumi's suffix 8."""
    if entry.type == "reserved":
        return "res-" + hashlib.sha256((entry.reservation_id or "").encode()).hexdigest()[:4]
    return _SHORT[entry.type]


def machine(pool: GpuPoolSettings) -> google.Machine:
    """The catalog's preferred machine for this accelerator and count."""
    return accelerators.gcp_machines(pool.accelerator, pool.count)[0]


def machine_of(pool: GpuPoolSettings, entry: Capacity) -> google.Machine:
    """The machine of an entry: the one that it names, where that fits, else the preferred."""
    named = entry.instance_types[0] if entry.instance_types else None
    fitting = accelerators.gcp_machines(pool.accelerator, pool.count)
    return next((each for each in fitting if each.type == named), fitting[0])


def slice_nodes(pool: GpuPoolSettings) -> int:
    """How many nodes a TPU slice takes; 1 for everything else."""
    if pool.topology is None or pool.card.vendor != "tpu":
        return 1
    return google.nodes_of(pool.topology, pool.count)


def topology(pool: GpuPoolSettings) -> str | None:
    """The topology of the pool's slices, with its default; None of GPUs."""
    if pool.card.vendor != "tpu":
        return None
    return pool.topology or google.OF_ONE_NODE[pool.count]


def with_gpudirect(pool: GpuPoolSettings) -> bool:
    """Whether nodes have the networks of GPUDirect, with its default."""
    return machine(pool).fabric is not None and pool.gpudirect is not False


def gpudirect_cidr(pool: GpuPoolSettings) -> str:
    """The range of the GPUDirect networks, with its default: by the pool's name alone, so that it stays when
    pools are added. Two names may get the same range."""
    if pool.gpudirect_cidr is not None:
        return pool.gpudirect_cidr
    ranges = list(GPUDIRECT_RANGES.subnets(new_prefix=GPUDIRECT_PREFIX))
    return str(ranges[hashlib.sha256(pool.name.encode()).digest()[0] % len(ranges)])


def gpudirect_nodes(pool: GpuPoolSettings) -> int:
    """How many nodes the subnets of the GPUDirect networks have addresses for."""
    return IPv4Network(gpudirect_cidr(pool)).num_addresses // 2**GPUDIRECT_SPLIT - _RESERVED_ADDRESSES


def with_placement(pool: GpuPoolSettings) -> bool:
    """Whether there is a compact placement policy, with its default: for what is bought by the node. A
    reservation and a queue place their nodes themselves."""
    wanted = with_gpudirect(pool) if pool.placement_group is None else pool.placement_group
    return wanted and any(entry.type in ("spot", "on_demand") for entry in pool.capacity)


def in_one_zone(pool: GpuPoolSettings) -> bool:
    """Networks for GPUDirect, compact placement and slices are in one zone."""
    return with_gpudirect(pool) or with_placement(pool) or slice_nodes(pool) > 1


def local_ssds(pool: GpuPoolSettings, entry: Capacity) -> tuple[int, bool]:
    """How many local SSDs a node has, and whether they are its ephemeral storage or raw block devices."""
    carries = machine_of(pool, entry)
    if pool.instance_store == "raid0" or (pool.instance_store is None and carries.ssds_built_in):
        return carries.local_ssds, True
    return (carries.local_ssds if carries.ssds_built_in else 0), False


def compute_class(pool: GpuPoolSettings) -> str | None:
    """The name of the pool's ComputeClass; None where only a ProvisioningRequest grows it."""
    return pool.name if any(entry.type != "queued" for entry in pool.capacity) else None


def labels(pool: GpuPoolSettings, capacity_type: str) -> dict[str, str]:
    """The labels that the pool sets itself; GKE adds its own (`cloud.google.com/gke-accelerator`...). All
    entries of `capacity` have the same but for the type, and the ComputeClass, which does not know queues."""
    made = {
        label.POOL: pool.name,
        label.CAPACITY: capacity_type,
        label.ACCELERATOR: pool.accelerator,
        label.ACCELERATOR_COUNT: str(pool.count),
    }
    if capacity_type != "queued" and compute_class(pool) is not None:
        made[COMPUTE_CLASS] = pool.name
    return made


def own_taints(pool: GpuPoolSettings, capacity_type: str) -> list[Taint]:
    """The taints that node pools are made with: the accelerator's, the ComputeClass's and the user's. GKE
    adds the queue's.

    GKE adds the accelerator's too, but a GPU's only where the cluster has a node pool without GPUs by then,
    and never later ("About GPUs in GKE: Taint a GPU node pool").
    """
    own = [] if capacity_type == "queued" else [Taint(COMPUTE_CLASS, "NoSchedule", pool.name)]
    return [Taint(pool.card.resource, "NoSchedule", "present"), *own, *pool.taints]


def taints(pool: GpuPoolSettings) -> list[Taint]:
    """All taints that a Pod finds on the nodes, but for the queue's."""
    return own_taints(pool, "queued" if compute_class(pool) is None else "on_demand")


def selector(pool: GpuPoolSettings) -> dict[str, str]:
    """Labels that lead a Pod to the pool: its class, or where a class would never grow it, itself. Of TPUs
    kind and topology of the slice, too, as GKE wants it ("Deploy TPU workloads in GKE Standard")."""
    if compute_class(pool) is not None:
        return {COMPUTE_CLASS: pool.name, **_slice(pool)}
    return {label.POOL: pool.name, label.CAPACITY: "queued", **_slice(pool)}


def _slice(pool: GpuPoolSettings) -> dict[str, str]:
    shape = topology(pool)
    if shape is None:
        return {}
    return {
        label.TPU_ACCELERATOR: google.ACCELERATOR_TYPES[pool.accelerator],
        label.TPU_TOPOLOGY: shape,
    }


def devices_of(pool: GpuPoolSettings) -> int:
    """How many of the card's resource a node advertises."""
    sharing = pool.sharing
    if sharing is None:
        return pool.count
    if sharing.replicas is not None:
        return pool.count * sharing.replicas
    return pool.count * google.PARTITIONS[pool.accelerator][sharing.profile or ""]


def flex_start_zones(pool: GpuPoolSettings, entry: Capacity) -> frozenset[str] | None:
    """The zones that sell the entry, where only some do of those that offer its machine."""
    return google.FLEX_START_ZONES.get(pool.accelerator) if waits(entry) else None


def waits(entry: Capacity) -> bool:
    """Whether a queue gives the entry's nodes."""
    return entry.type in WAITS
