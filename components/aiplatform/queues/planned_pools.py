"""References to pools before they exist, from their arguments: so that the arguments of queues can be checked
with those of the pools. The outputs of the pools have the same values."""

from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes as aws
from aiplatform.gpu_pool.gcp import nodes as gcp
from aiplatform.gpu_pool.size import size
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.size import size as node_pool_size
from aiplatform.queues.pools import GpuPoolReference, NodePoolReference


def node_pool(pool: NodePoolSettings) -> NodePoolReference:
    """Return the reference to a CPU pool."""
    known = node_pool_size(pool)
    return NodePoolReference(
        name=pool.name,
        node_selector=pool.selector,
        taints=pool.node_taints,
        min_nodes=known.min_nodes,
        max_nodes=known.max_nodes,
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
    )


def gpu_pool(pool: GpuPoolSettings) -> GpuPoolReference:
    """Return the reference to a pool with accelerators."""
    known, on_google = size(pool), pool.cloud == "gcp"
    return GpuPoolReference(
        name=pool.name,
        resource=pool.resource,
        resources_per_node=gcp.devices_of(pool) if on_google else aws.devices_of(pool),
        capacity_types=[entry.type for entry in pool.capacity],
        node_selector=gcp.selector(pool) if on_google else {POOL: pool.name},
        taints=gcp.taints(pool) if on_google else aws.taints(pool),
        topology_labels=known.topology_labels,
        min_nodes=known.min_nodes,
        max_nodes=known.max_nodes,
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
    )
