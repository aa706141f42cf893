"""What a Pod of a runtime requests of a node. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from aiplatform.queues import amounts

if TYPE_CHECKING:
    from aiplatform.training.args import TrainingRuntime
    from aiplatform.training.pools import TrainingPool

_PART: Final = 0.8
"""Of what Pods can use of a node: the sidecar of GPUDirect, huge pages and initializers need some, too."""
INITIALIZER_CPU: Final = 250
"""Millicores that an initializer requests. Kueue adds them to those of the nodes, which start later."""
INITIALIZER_MEMORY: Final = 1024
"""MiB that an initializer requests, which counts as its CPU does; it may use more."""
INITIALIZER_DISK: Final = 8
"""GiB of the node's disk that an initializer may use, for caches: what it downloads goes to the volume."""
_DISK: Final = 16
"""GiB of the disk of a node for Pods that use all of the node, by default: a fifth of the default disk of a
node pool. Images have the same disk."""
_LEAST_DISK: Final = 4
_SHARED_MEMORY: Final = 64
"""GiB of /dev/shm at most."""


def slice_nodes(pool: TrainingPool) -> int:
    """Return the nodes of a TPU slice: its chips, the product of its topology, over those of a node."""
    if pool.topology is None:
        return 1
    chips = math.prod(int(side) for side in pool.topology.split("x"))
    return max(1, chips // pool.resources_per_node)


def nodes_of(runtime: TrainingRuntime, pool: TrainingPool) -> int:
    """Return the nodes of a TrainJob that states none."""
    return slice_nodes(pool) if pool.topology is not None else runtime.nodes or 1


def devices_of(runtime: TrainingRuntime, pool: TrainingPool) -> int:
    """Return the accelerators that a Pod requests."""
    if pool.topology is not None or not pool.resources_per_node:
        return pool.resources_per_node
    return runtime.processes_per_node or pool.resources_per_node


def cpu_of(runtime: TrainingRuntime, pool: TrainingPool) -> int:
    """Return the vCPUs that a Pod requests."""
    if not pool.resources_per_node:
        # Trainer starts a process for each.
        return runtime.processes_per_node or 1
    return runtime.cpu or max(1, int(_share(runtime, pool)[amounts.CPU] * _PART) // amounts.MILLI)


def memory_of(runtime: TrainingRuntime, pool: TrainingPool) -> int:
    """Return the GiB of memory of a Pod."""
    if runtime.memory_gib is not None:
        return runtime.memory_gib
    return max(1, int(_share(runtime, pool)[amounts.MEMORY] * _PART) // amounts.MIB_PER_GIB)


def disk_of(runtime: TrainingRuntime, pool: TrainingPool) -> str:
    """Return the disk of the node that a Pod requests, and may use.

    Request and limit are equal: the kubelet evicts a Pod above its limit without the condition
    DisruptionTarget, so that this counts as a failure; and under pressure, with this condition, those first
    that use more than they request (Kubernetes, "Node-pressure Eviction"; kubelet/eviction/
    eviction_manager.go, localStorageEviction). With a lower request a program that fills the disk would be
    lost "with its node", and start again without end.
    """
    if runtime.disk_gib is not None:
        return f"{runtime.disk_gib}Gi"
    return f"{max(_LEAST_DISK, int(_DISK * _part(runtime, pool)))}Gi"


def shared_memory_of(memory_gib: int) -> str:
    """Return the limit of /dev/shm, which counts as memory of the Pod."""
    mib = min(_SHARED_MEMORY * amounts.MIB_PER_GIB, memory_gib * amounts.MIB_PER_GIB // 2)
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"


def _share(runtime: TrainingRuntime, pool: TrainingPool) -> dict[str, int]:
    """Return what Pods can use of the part of a node that belongs to a Pod's accelerators or vCPUs."""
    part = _part(runtime, pool)
    cpu = amounts.usable_cpu(pool.vcpus_per_node)
    memory = amounts.usable_memory(pool.memory_gib_per_node)
    return {amounts.CPU: int(cpu * part), amounts.MEMORY: int(memory * part)}


def _part(runtime: TrainingRuntime, pool: TrainingPool) -> float:
    """Return the part of a node that belongs to a Pod's accelerators or vCPUs."""
    if pool.resources_per_node:
        return devices_of(runtime, pool) / pool.resources_per_node
    cpu = amounts.usable_cpu(pool.vcpus_per_node)
    return min(1.0, cpu_of(runtime, pool) * amounts.MILLI / cpu) if cpu else 1.0
