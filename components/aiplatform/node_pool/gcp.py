"""A node pool on GKE."""

from collections.abc import Sequence

import pulumi
from pulumi import Output

from aiplatform._shared.context import Context
from aiplatform._shared.gcp import node_pools
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.outputs import merged
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs, priority
from aiplatform.compute_class import ComputeClass
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for


def build(
    component: pulumi.ComponentResource, name: str, settings: NodePoolSettings
) -> list[NodeGroupReferenceArgs]:
    """Create the resources of the pool as children of `component`, and return its node pools.

    Compute Engine states first which zones offer the machine type: where none does, an ArgumentError is
    raised before anything is created.
    """
    context = Context(component, name, settings)
    node_pools.name_problem(name, (_key(capacity) for capacity in settings.capacity))
    zones = _zones(context)
    groups = [_node_pool(context, index, capacity, zones) for index, capacity in enumerate(settings.capacity)]
    if settings.compute_class is not None:
        ComputeClass(
            f"{name}-compute-class",
            {
                "name": settings.compute_class,
                "cluster": settings.cluster,  # type: ignore[typeddict-item]
                "node_groups": groups,
            },
            context.options(),
        )
    return groups


def _zones(context: Context[NodePoolSettings]) -> Output[Sequence[str]]:
    pool = context.settings
    offerings = node_pools.zones_that_offer(
        pool.instance_types, pool.zone_ids, pool.cluster, context.invoke_options
    )
    if not isinstance(offerings, Output):
        # Not in an apply: a zone without the machine type is an error before anything is created.
        return Output.from_input(zones_for(pool, offerings))  # type: ignore[arg-type]
    return node_pools.zones_once_known(offerings, lambda known: zones_for(pool, known))


def _node_pool(
    context: Context[NodePoolSettings], index: int, capacity: str, zones: Output[Sequence[str]]
) -> NodeGroupReferenceArgs:
    pool = context.settings
    machine_type = pool.instance_types[0]
    spot = capacity == "spot"
    node = node_pools.Node(
        machine_type,
        pool.disk_gib,
        boot_disk(machine_type),
        merged(pool.labels, pool.pool_labels(capacity)),
        pool.node_pool_taints,
        merged(pool.tags, {POOL.replace("/", "-"): pool.name}),
        {"spot": True} if spot else {},
    )
    # Spot: any zone with capacity; on demand: evenly, so that the pool survives the failure of a zone.
    size = node_pools.Size.of(pool.min if index == 0 else 0, pool.max, "ANY" if spot else "BALANCED")
    resource = node_pools.node_pool(
        context.parent,
        f"{context.name}-{_key(capacity)}",
        pool.cluster,
        node,
        size,
        zones,
        image_version=pool.image_version,
    )
    return {"name": resource.name, "capacity": capacity, "priority": priority(index)}


def _key(capacity: str) -> str:
    return capacity.replace("_", "-")
