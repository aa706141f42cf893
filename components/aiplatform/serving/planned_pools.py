"""References to pools before they exist, from their arguments: by them an environment's runtimes and services
are checked before anything is registered."""

from aiplatform._shared.kubernetes.node_labels import GPU_CLASS, POOL
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes as aws
from aiplatform.gpu_pool.gcp import nodes as gcp
from aiplatform.gpu_pool.size import size
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.size import size as node_pool_size
from aiplatform.queues import planned_pools
from aiplatform.serving.pools import ServingGpuPoolReference, ServingNodePoolReference


def node_pool(pool: NodePoolSettings) -> ServingNodePoolReference:
    """Return the reference to a CPU pool."""
    known = node_pool_size(pool)
    return ServingNodePoolReference(
        name=pool.name,
        node_selector=pool.selector,
        taints=pool.node_taints,
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
        architecture=pool.architecture,
    )


def gpu_pool(pool: GpuPoolSettings) -> ServingGpuPoolReference:
    """Return the reference to a pool with GPUs."""
    known, on_google = size(pool), pool.cloud == "gcp"
    return ServingGpuPoolReference(
        name=pool.name,
        resource=pool.resource,
        resources_per_node=gcp.devices_of(pool) if on_google else aws.devices_of(pool),
        max_nodes=planned_pools.gpu_pool(pool).max_nodes,
        node_selector=gcp.selector(pool) if on_google else {POOL: pool.name},
        taints=gcp.taints(pool) if on_google else aws.taints(pool),
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
        device_class=GPU_CLASS if pool.claimed else None,
    )
