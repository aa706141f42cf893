"""A node pool on GKE."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Output, ResourceOptions

from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs
from aiplatform.compute_class import ComputeClass
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for

FIRST_PRIORITY: Final = 100
STEP: Final = 10


class Builder:
    """Makes the pool's parts as children of one component."""

    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: NodePoolSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings

    def build(self) -> list[NodeGroupReferenceArgs]:
        """All of it. Compute Engine is asked first where it offers the machine type: a zone without it is
        refused before anything is made."""
        pool = self.settings
        gke.name_problem(self.name, (_key(capacity) for capacity in pool.capacity))
        zones = self._zones()
        made = [
            self._node_pool(capacity, FIRST_PRIORITY - STEP * index, pool.min if index == 0 else 0, zones)
            for index, capacity in enumerate(pool.capacity)
        ]
        if pool.compute_class is not None:
            ComputeClass(
                f"{self.name}-compute-class",
                {
                    "name": pool.compute_class,
                    "cluster": pool.cluster,  # type: ignore[typeddict-item]
                    "node_groups": made,
                },
                ResourceOptions(parent=self.parent),
            )
        return made

    def _zones(self) -> Output[Sequence[str]]:
        pool = self.settings
        asked = gke.zones_that_offer(
            pool.instance_types, pool.zone_ids, pool.cluster, pulumi.InvokeOptions(parent=self.parent)
        )
        if not isinstance(asked, Output):
            return Output.from_input(zones_for(pool, asked))  # type: ignore[arg-type]
        return asked.apply(lambda offerings: zones_for(pool, offerings))

    def _node_pool(
        self, capacity: str, priority: int, minimum: int, zones: Output[Sequence[str]]
    ) -> NodeGroupReferenceArgs:
        pool = self.settings
        machine_type = pool.instance_types[0]
        spot = capacity == "spot"
        node = gke.Node(
            machine_type,
            pool.disk_gib,
            boot_disk(machine_type),
            {**pool.labels, **pool.own_labels(capacity)},
            pool.own_taints,
            {**pool.tags, POOL.replace("/", "-"): pool.name},
            {"spot": True} if spot else {},
        )
        made = gke.node_pool(
            self.parent,
            f"{self.name}-{_key(capacity)}",
            pool.cluster,
            node,
            # Spot: where there are machines; on demand: evenly, so that a zone may fail.
            gke.Size(minimum, pool.max, "ANY" if spot else "BALANCED"),
            zones,
        )
        return {"name": made.name, "capacity": capacity, "priority": priority}


def _key(capacity: str) -> str:
    return capacity.replace("_", "-")
