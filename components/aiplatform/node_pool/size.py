"""The size of a CPU pool and of its nodes, which quotas are calculated from."""

from dataclasses import dataclass

from pulumi import Input

from aiplatform._shared.machine_sizes import smallest_size
from aiplatform._shared.outputs import mapped
from aiplatform.node_pool.args import NodePoolSettings


@dataclass(frozen=True)
class Size:
    """min_nodes, max_nodes: of all entries of `capacity` together. vcpus, memory_gib: of the smallest type; 0
    where they do not follow from its name."""

    min_nodes: Input[int]
    max_nodes: Input[int]
    vcpus: int
    memory_gib: float


def size(pool: NodePoolSettings) -> Size:
    """Return the size of a pool."""
    entries = len(pool.capacity)
    vcpus, memory_gib = smallest_size(pool.instance_types)
    return Size(pool.min, mapped(pool.max, lambda most: int(most) * entries), vcpus, memory_gib)
