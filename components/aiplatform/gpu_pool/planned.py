"""What is known of a GPU pool before it exists, from its arguments, by the names of its outputs: so that the
arguments of components that use pools can be checked with those of the pools."""

from collections.abc import Iterable
from typing import TypedDict

from pulumi import Input

from aiplatform._shared.kubernetes.names import Taint, TaintArgs
from aiplatform._shared.kubernetes.node_labels import GPU_CLASS, POOL
from aiplatform.accelerators import fabric
from aiplatform.accelerators.fabric import PodRequirementsArgs
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes as aws
from aiplatform.gpu_pool.gcp import nodes as gcp
from aiplatform.gpu_pool.size import size


class PlannedGpuPool(TypedDict):
    """The outputs of a pool that its arguments decide."""

    name: str
    resource: str
    device_class: str | None
    resources_per_node: int
    capacity_types: list[str]
    min_nodes: Input[int]
    max_nodes: Input[int]
    vcpus_per_node: int
    memory_gib_per_node: float
    topology_labels: list[str]
    efa_interfaces: int
    pod_requirements: PodRequirementsArgs | None
    topology: str | None
    taints: list[TaintArgs]
    node_selector: dict[str, str]


def planned(pool: GpuPoolSettings) -> PlannedGpuPool:
    """Return the outputs of a pool that its arguments decide."""
    known, on_google = size(pool), pool.cloud == "gcp"
    requirements = gcp.pod_requirements(pool) if on_google else aws.pod_requirements(pool)
    return {
        "name": pool.name,
        "resource": pool.resource,
        "device_class": GPU_CLASS if pool.claimed else None,
        "resources_per_node": gcp.devices_of(pool) if on_google else aws.devices_of(pool),
        "capacity_types": [entry.type for entry in pool.capacity],
        "min_nodes": known.min_nodes,
        "max_nodes": known.max_nodes,
        "vcpus_per_node": known.vcpus,
        "memory_gib_per_node": known.memory_gib,
        "topology_labels": known.topology_labels,
        "efa_interfaces": pool.machine.efa_interfaces if not on_google and pool.with_efa else 0,
        "pod_requirements": fabric.as_output(requirements),
        "topology": gcp.topology(pool) if on_google else None,
        "taints": _taints(gcp.taints(pool) if on_google else aws.taints(pool)),
        "node_selector": gcp.selector(pool) if on_google else {POOL: pool.name},
    }


def _taints(taints: Iterable[Taint]) -> list[TaintArgs]:
    return [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints]
