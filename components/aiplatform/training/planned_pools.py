"""References to pools before they exist, from their arguments: so that the arguments of training can be
checked with those of the pools. The outputs of the pools have the same values."""

from aiplatform._shared.kubernetes.node_labels import GPU_CLASS, POOL
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes as aws
from aiplatform.gpu_pool.gcp import nodes as gcp
from aiplatform.gpu_pool.size import size
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.size import size as node_pool_size
from aiplatform.training.pools import TrainingGpuPoolReference, TrainingNodePoolReference


def node_pool(pool: NodePoolSettings) -> TrainingNodePoolReference:
    """Return the reference to a CPU pool."""
    known = node_pool_size(pool)
    return TrainingNodePoolReference(
        name=pool.name,
        node_selector=pool.selector,
        taints=pool.node_taints,
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
        architecture=pool.architecture,
    )


def gpu_pool(pool: GpuPoolSettings) -> TrainingGpuPoolReference:
    """Return the reference to a pool with accelerators; the networks of GPUDirect are not known yet."""
    known, on_google = size(pool), pool.cloud == "gcp"
    return TrainingGpuPoolReference(
        name=pool.name,
        resource=pool.resource,
        resources_per_node=gcp.devices_of(pool) if on_google else aws.devices_of(pool),
        node_selector=gcp.selector(pool) if on_google else {POOL: pool.name},
        taints=gcp.taints(pool) if on_google else aws.taints(pool),
        topology_labels=known.topology_labels,
        vcpus_per_node=known.vcpus,
        memory_gib_per_node=known.memory_gib,
        device_class=GPU_CLASS if pool.claimed else None,
        topology=gcp.topology(pool) if on_google else None,
        efa_interfaces=pool.machine.efa_interfaces if not on_google and pool.with_efa else 0,
        pod_requirements=gcp.pod_requirements(pool) if on_google else aws.pod_requirements(pool),
    )
