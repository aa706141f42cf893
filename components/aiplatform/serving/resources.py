"""What a Pod of a runtime requests of a node. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiplatform.queues import amounts

if TYPE_CHECKING:
    from aiplatform.serving.args import ServingRuntime
    from aiplatform.serving.pools import ServingPool

_PART: Final = 0.8
"""Of what Pods can use of a node: agents of logs and metrics need some, too."""
_CPU_OF_SMALL: Final = 1
_MEMORY_OF_SMALL: Final = 2
"""vCPUs and GiB of a Pod without GPUs that states none."""
_SHARED_MEMORY: Final = 64
"""GiB of /dev/shm at most: NCCL's buffers and the messages of vLLM's processes."""


def devices_of(runtime: ServingRuntime, pool: ServingPool) -> int:
    """Return the GPUs that a Pod requests."""
    if not pool.resources_per_node:
        return 0
    return runtime.tensor_parallel or pool.resources_per_node


def cpu_of(runtime: ServingRuntime, pool: ServingPool) -> int:
    """Return the vCPUs that a Pod requests."""
    if runtime.cpu is not None:
        return runtime.cpu
    devices = devices_of(runtime, pool)
    if not devices:
        return _CPU_OF_SMALL
    usable = amounts.usable_cpu(pool.vcpus_per_node) * devices // pool.resources_per_node
    return max(1, int(usable * _PART) // amounts.MILLI)


def memory_of(runtime: ServingRuntime, pool: ServingPool) -> int:
    """Return the GiB of memory of a Pod."""
    if runtime.memory_gib is not None:
        return runtime.memory_gib
    devices = devices_of(runtime, pool)
    if not devices:
        return _MEMORY_OF_SMALL
    usable = amounts.usable_memory(pool.memory_gib_per_node) * devices // pool.resources_per_node
    return max(1, int(usable * _PART) // amounts.MIB_PER_GIB)


def shared_memory_of(memory_gib: int) -> str:
    """Return the limit of /dev/shm, which counts as memory of the Pod."""
    mib = min(_SHARED_MEMORY * amounts.MIB_PER_GIB, memory_gib * amounts.MIB_PER_GIB // 2)
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"
