"""A GPU pool on GKE: node pools, a ComputeClass, and the networks of GPUDirect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container

from aiplatform._shared.dependencies import waiting_for
from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs
from aiplatform.accelerators.gcp import ACCELERATOR_TYPES
from aiplatform.compute_class import ComputeClass
from aiplatform.gpu_pool.args import LONGEST_RUN, GpuPoolSettings
from aiplatform.gpu_pool.gcp import gpudirect_networks as gcp_fabric
from aiplatform.gpu_pool.gcp import nodes
from aiplatform.gpu_pool.gcp import plan as gcp_plan
from aiplatform.gpu_pool.gcp.plan import PoolPlan

RESERVATION_NAME: Final = "compute.googleapis.com/reservation-name"
"""The label key by which a node pool asks for a reservation by its name."""


@dataclass(frozen=True)
class Built:
    """What the component shows of the pool."""

    node_groups: list[NodeGroupReferenceArgs]
    placement_policy: Input[str] | None
    networks: Sequence[str]


class Builder:
    """Makes the pool's parts as children of one component."""

    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: GpuPoolSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings

    def build(self) -> Built:
        """All of it. Compute Engine is asked first where it offers the machine types: a zone without them is
        refused before anything is made."""
        pool = self.settings
        plans = gcp_plan.plan(pool)
        gke.name_problem(self.name, (each.key for each in plans))
        zones = self._zones(plans)
        placement = self._placement_policy() if nodes.with_placement(pool) else None
        fabric = nodes.machine(pool).fabric if nodes.with_gpudirect(pool) else None
        networks = None
        if fabric is not None:
            zone = zones.apply(lambda found: found[plans[0].key][0])
            networks = gcp_fabric.Builder(self.parent, self.name, pool, zone).build(fabric)
        groups: list[NodeGroupReferenceArgs] = []
        for each in plans:
            made = self._node_pool(each, zones, placement, networks)
            groups.append({"name": made.name, "capacity": each.entry.type, "priority": each.priority})
        self._compute_class(groups)
        return Built(groups, placement.name if placement else None, networks.names if networks else ())

    def _zones(self, plans: Sequence[PoolPlan]) -> Output[Mapping[str, tuple[str, ...]]]:
        pool = self.settings
        asked = gke.zones_that_offer(
            sorted({each.machine.type for each in plans}),
            [zone.id for zone in pool.network.listed_zones],
            pool.cluster,
            pulumi.InvokeOptions(parent=self.parent),
        )
        if not isinstance(asked, Output):
            found = gcp_plan.zones_for(pool, plans, asked)  # type: ignore[arg-type]
            return Output.from_input(found)
        return asked.apply(lambda offerings: gcp_plan.zones_for(pool, plans, offerings))

    def _options(self) -> ResourceOptions:
        return ResourceOptions(parent=self.parent)

    def _tags(self) -> dict[str, str]:
        return {**self.settings.tags, POOL.replace("/", "-"): self.settings.name}

    def _placement_policy(self) -> compute.ResourcePolicy:
        pool = self.settings
        return compute.ResourcePolicy(
            f"{self.name}-placement",
            project=pool.cluster.project,
            region=pool.cluster.region,
            description=f"Nodes of {pool.prefix}-{pool.name} stand close together",
            group_placement_policy=compute.ResourcePolicyGroupPlacementPolicyArgs(collocation="COLLOCATED"),
            # In a new project the network switches Compute Engine's API on.
            opts=ResourceOptions(parent=self.parent, depends_on=waiting_for(pool.network.vpc_id)),
        )

    def _node_pool(
        self,
        each: PoolPlan,
        zones: Output[Mapping[str, tuple[str, ...]]],
        placement: compute.ResourcePolicy | None,
        networks: gcp_fabric.Networks | None,
    ) -> container.NodePool:
        pool = self.settings
        network = container.NodePoolNetworkConfigArgs(
            enable_private_nodes=True,
            additional_node_network_configs=list(networks.attached) if networks else None,
        )
        more: dict[str, Any] = {"network_config": network}
        policy = _placement(pool, each, placement)
        if policy is not None:
            more["placement_policy"] = policy
        if each.entry.type == "queued":
            more["queued_provisioning"] = container.NodePoolQueuedProvisioningArgs(enabled=True)
        size = gke.Size(
            minimum=0 if each.stays else each.minimum,
            maximum=each.maximum,
            # Whatever zone has the machines: they are rarer than evenly spread nodes are useful.
            policy="ANY",
            per_zone=each.machine.is_tpu and gcp_plan.in_one_zone(pool, each),
            fixed=each.stays,
        )
        return gke.node_pool(
            self.parent,
            f"{self.name}-{each.key}",
            pool.cluster,
            self._node(each),
            size,
            zones.apply(lambda found: list(found[each.key])),
            depends_on=networks.ready if networks else (),
            # There is seldom one more machine: the old node goes first.
            surge=False,
            short_lived=nodes.waits(each.entry),
            **more,
        )

    def _node(self, each: PoolPlan) -> gke.Node:
        pool, machine = self.settings, each.machine
        more: dict[str, Any] = {}
        if not machine.is_tpu:
            more["guest_accelerators"] = [_accelerator(pool)]
        count, ephemeral = nodes.local_ssds(pool, each.entry)
        if count and ephemeral:
            more["ephemeral_storage_local_ssd_config"] = (
                container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(local_ssd_count=count)
            )
        elif count:
            more["local_nvme_ssd_block_config"] = container.NodePoolNodeConfigLocalNvmeSsdBlockConfigArgs(
                local_ssd_count=count
            )
        if each.entry.type == "spot":
            more["spot"] = True
        if nodes.waits(each.entry):
            more["flex_start"] = True
            # Always set: the provider replaces a pool whose duration GKE filled in.
            more["max_run_duration"] = f"{(each.entry.max_run_hours or LONGEST_RUN) * 3600}s"
        affinity = _reservation(each)
        if affinity is not None:
            more["reservation_affinity"] = affinity
        return gke.Node(
            machine.type,
            pool.disk_gib,
            machine.boot_disk,
            {**pool.labels, **nodes.labels(pool, each.entry.type)},
            nodes.own_taints(pool, each.entry.type),
            self._tags(),
            more,
        )

    def _compute_class(self, groups: Sequence[NodeGroupReferenceArgs]) -> None:
        ordered = [group for group in groups if group.get("capacity") != "queued"]
        if not ordered:
            return
        ComputeClass(
            f"{self.name}-compute-class",
            {
                "name": self.settings.name,
                # Only which cloud it is; the object goes where the Kubernetes provider leads.
                "cluster": self.settings.cluster,  # type: ignore[typeddict-item]
                "node_groups": ordered,
            },
            self._options(),
        )


def _accelerator(pool: GpuPoolSettings) -> container.NodePoolNodeConfigGuestAcceleratorArgs:
    """The cards, with the drivers that GKE installs."""
    sharing = pool.sharing
    more: dict[str, Any] = {}
    if sharing is not None and sharing.profile is not None:
        more["gpu_partition_size"] = sharing.profile
    if sharing is not None and sharing.replicas is not None:
        more["gpu_sharing_config"] = container.NodePoolNodeConfigGuestAcceleratorGpuSharingConfigArgs(
            gpu_sharing_strategy="TIME_SHARING", max_shared_clients_per_gpu=sharing.replicas
        )
    driver = container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs
    return container.NodePoolNodeConfigGuestAcceleratorArgs(
        type=ACCELERATOR_TYPES[pool.accelerator],
        count=pool.count,
        gpu_driver_installation_config=driver(gpu_driver_version="DEFAULT"),
        **more,
    )


def _reservation(each: PoolPlan) -> container.NodePoolNodeConfigReservationAffinityArgs | None:
    affinity = container.NodePoolNodeConfigReservationAffinityArgs
    if each.entry.reservation_id is not None:
        return affinity(
            consume_reservation_type="SPECIFIC_RESERVATION",
            key=RESERVATION_NAME,
            values=[each.entry.reservation_id],
        )
    # A queue's nodes may come from no reservation, and Google wants that said.
    return affinity(consume_reservation_type="NO_RESERVATION") if nodes.waits(each.entry) else None


def _placement(
    pool: GpuPoolSettings, each: PoolPlan, policy: compute.ResourcePolicy | None
) -> container.NodePoolPlacementPolicyArgs | None:
    if nodes.slice_nodes(pool) > 1:
        return container.NodePoolPlacementPolicyArgs(type="COMPACT", tpu_topology=pool.topology)
    if policy is not None and each.entry.type in ("spot", "on_demand"):
        return container.NodePoolPlacementPolicyArgs(type="COMPACT", policy_name=policy.name)
    return None
