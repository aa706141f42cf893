"""What is known of a node pool before it exists, from its arguments, by the names of its outputs: so that the
arguments of components that use pools can be checked with those of the pools."""

from typing import TypedDict

from pulumi import Input

from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.size import size


class PlannedNodePool(TypedDict):
    """The outputs of a pool that its arguments decide."""

    name: str
    architecture: str
    min_nodes: Input[int]
    max_nodes: Input[int]
    vcpus_per_node: int
    memory_gib_per_node: float
    taints: list[TaintArgs]
    node_selector: dict[str, str]
    compute_class: str | None


def planned(pool: NodePoolSettings) -> PlannedNodePool:
    """Return the outputs of a pool that its arguments decide."""
    known = size(pool)
    return {
        "name": pool.name,
        "architecture": pool.architecture,
        "min_nodes": known.min_nodes,
        "max_nodes": known.max_nodes,
        "vcpus_per_node": known.vcpus,
        "memory_gib_per_node": known.memory_gib,
        "taints": [
            {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.node_taints
        ],
        "node_selector": pool.selector,
        "compute_class": pool.compute_class,
    }
