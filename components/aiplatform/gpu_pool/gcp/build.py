"""A GPU pool on GKE: node pools, a ComputeClass, and the networks of GPUDirect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container

from aiplatform._shared.context import Context
from aiplatform._shared.dependencies import dependencies_of
from aiplatform._shared.gcp import node_pools
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.outputs import mapped, merged
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs
from aiplatform.accelerators.gcp import ACCELERATOR_TYPES
from aiplatform.compute_class import ComputeClass
from aiplatform.gpu_pool.args import Capacity, GpuPoolSettings
from aiplatform.gpu_pool.capacity import LONGEST_RUN
from aiplatform.gpu_pool.gcp import nodes
from aiplatform.gpu_pool.gcp.gpudirect_installers import gpudirect_installers
from aiplatform.gpu_pool.gcp.gpudirect_networks import Networks, gpudirect_networks
from aiplatform.gpu_pool.gcp.plan import PoolPlan, in_one_zone, plan, zones_for

RESERVATION_NAME: Final = "compute.googleapis.com/reservation-name"
"""The label key by which a node pool selects a reservation by its name."""


@dataclass(frozen=True)
class Built:
    """What the component's outputs need of its resources."""

    node_groups: list[NodeGroupReferenceArgs]
    placement_policy: Input[str] | None
    networks: Sequence[str]
    """The names of the Kubernetes Networks of GPUDirect."""


@dataclass(frozen=True)
class _Shared:
    """What all node pools have in common. zones: of each node pool, by its key. before: what exists before a
    node does."""

    zones: Output[Mapping[str, tuple[str, ...]]]
    placement_policy: compute.ResourcePolicy | None
    networks: Networks | None
    before: Sequence[pulumi.Resource]


PoolContext = Context[GpuPoolSettings]


def build(component: pulumi.ComponentResource, name: str, settings: GpuPoolSettings) -> Built:
    """Create the resources of the pool as children of `component`.

    Compute Engine states first which zones offer the machine types: where none does, an ArgumentError is
    raised before anything is created.
    """
    context = Context(component, name, settings)
    plans = plan(settings)
    node_pools.name_problem(name, (pool_plan.key for pool_plan in plans))
    zones = _zones(context, plans)
    placement = _placement_policy(context) if nodes.with_placement(settings) else None
    fabric = nodes.fabric_of(settings)
    networks = None
    # Before the nodes, so that no workload starts on a node without the software.
    before: list[pulumi.Resource] = []
    if fabric is not None:
        zone = zones.apply(lambda zones_by_key: zones_by_key[plans[0].key][0])
        networks = gpudirect_networks(context, fabric, zone)
        before += networks.ready
        if settings.gpudirect_installers is not False:
            before += gpudirect_installers(component, name, settings, fabric)
    shared = _Shared(zones, placement, networks, before)
    groups: list[NodeGroupReferenceArgs] = [
        {
            "name": _node_pool(context, pool_plan, shared).name,
            "capacity": pool_plan.entry.type,
            "priority": pool_plan.priority,
        }
        for pool_plan in plans
    ]
    _compute_class(context, groups)
    return Built(groups, placement.name if placement else None, networks.names if networks else ())


def _zones(context: PoolContext, plans: Sequence[PoolPlan]) -> Output[Mapping[str, tuple[str, ...]]]:
    pool = context.settings
    offerings = node_pools.zones_that_offer(
        sorted({pool_plan.machine.type for pool_plan in plans}),
        [zone.id for zone in pool.network.listed_zones],
        pool.cluster,
        context.invoke_options,
    )
    if not isinstance(offerings, Output):
        # Not in an apply: a zone without the machines is an error before anything is created.
        return Output.from_input(zones_for(pool, plans, offerings))  # type: ignore[arg-type]
    return node_pools.zones_once_known(offerings, lambda known: zones_for(pool, plans, known))


def _placement_policy(context: PoolContext) -> compute.ResourcePolicy:
    pool = context.settings
    return compute.ResourcePolicy(
        f"{context.name}-placement",
        project=pool.cluster.project,
        region=pool.cluster.region,
        description=f"Nodes of {pool.prefix}-{pool.name} stand close together",
        group_placement_policy=compute.ResourcePolicyGroupPlacementPolicyArgs(collocation="COLLOCATED"),
        # In a new project the network enables the Compute Engine API.
        opts=ResourceOptions(parent=context.parent, depends_on=dependencies_of(pool.network.vpc_id)),
    )


def _node_pool(context: PoolContext, pool_plan: PoolPlan, shared: _Shared) -> container.NodePool:
    pool, networks = context.settings, shared.networks
    network = container.NodePoolNetworkConfigArgs(
        enable_private_nodes=True,
        additional_node_network_configs=list(networks.attached) if networks else None,
    )
    more: dict[str, Any] = {"network_config": network}
    placement = _placement(pool, pool_plan, shared.placement_policy)
    if placement is not None:
        more["placement_policy"] = placement
    if pool_plan.entry.type == "queued":
        more["queued_provisioning"] = container.NodePoolQueuedProvisioningArgs(enabled=True)
    size = node_pools.Size.of(
        0 if pool_plan.stays else pool_plan.minimum,
        pool_plan.maximum,
        # Any zone with capacity: these machines are scarce, which matters more than an even spread.
        "ANY",
        per_zone=pool_plan.machine.is_tpu and in_one_zone(pool, pool_plan),
        fixed=pool_plan.stays,
    )
    return node_pools.node_pool(
        context.parent,
        f"{context.name}-{pool_plan.key}",
        pool.cluster,
        _node(pool, pool_plan),
        size,
        shared.zones.apply(lambda zones_by_key: list(zones_by_key[pool_plan.key])),
        image_version=pool.image_version,
        depends_on=shared.before,
        # There is seldom capacity for one more machine: the old node is removed first.
        surge=False,
        short_lived=nodes.waits(pool_plan.entry),
        **more,
    )


def _node(pool: GpuPoolSettings, pool_plan: PoolPlan) -> node_pools.Node:
    entry, machine = pool_plan.entry, pool_plan.machine
    more: dict[str, Any] = {}
    if not machine.is_tpu:
        more["guest_accelerators"] = [_accelerator(pool)]
    count, ephemeral = nodes.local_ssds(pool, entry)
    if count and ephemeral:
        more["ephemeral_storage_local_ssd_config"] = (
            container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(local_ssd_count=count)
        )
    elif count:
        more["local_nvme_ssd_block_config"] = container.NodePoolNodeConfigLocalNvmeSsdBlockConfigArgs(
            local_ssd_count=count
        )
    if entry.type == "spot":
        more["spot"] = True
    if nodes.waits(entry):
        more["flex_start"] = True
        # Always set: the provider replaces a node pool whose duration GKE filled in.
        more["max_run_duration"] = mapped(
            entry.max_run_hours or LONGEST_RUN, lambda hours: f"{int(hours) * 3600}s"
        )
    affinity = _reservation(entry)
    if affinity is not None:
        more["reservation_affinity"] = affinity
    return node_pools.Node(
        machine.type,
        pool.disk_gib,
        machine.boot_disk,
        merged(pool.labels, nodes.labels(pool, entry.type)),
        nodes.node_pool_taints(pool, entry.type),
        merged(pool.tags, {POOL.replace("/", "-"): pool.name}),
        more,
    )


def _compute_class(context: PoolContext, groups: Sequence[NodeGroupReferenceArgs]) -> None:
    ordered = [group for group in groups if group.get("capacity") != "queued"]
    if not ordered:
        return
    ComputeClass(
        f"{context.name}-compute-class",
        {
            "name": context.settings.name,
            # Only its cloud matters; the Kubernetes provider decides in which cluster the object is created.
            "cluster": context.settings.cluster,  # type: ignore[typeddict-item]
            "node_groups": ordered,
        },
        context.options(),
    )


def _accelerator(pool: GpuPoolSettings) -> container.NodePoolNodeConfigGuestAcceleratorArgs:
    """The GPUs of a node; GKE installs their drivers."""
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


def _reservation(entry: Capacity) -> container.NodePoolNodeConfigReservationAffinityArgs | None:
    affinity = container.NodePoolNodeConfigReservationAffinityArgs
    if entry.reservation_id is not None:
        return affinity(
            consume_reservation_type="SPECIFIC_RESERVATION",
            key=RESERVATION_NAME,
            values=[entry.reservation_id],
        )
    # The nodes of a queue must not use a reservation, and GKE requires that the node pool states this.
    return affinity(consume_reservation_type="NO_RESERVATION") if nodes.waits(entry) else None


def _placement(
    pool: GpuPoolSettings, pool_plan: PoolPlan, policy: compute.ResourcePolicy | None
) -> container.NodePoolPlacementPolicyArgs | None:
    if nodes.slice_nodes(pool) > 1:
        return container.NodePoolPlacementPolicyArgs(type="COMPACT", tpu_topology=pool.topology)
    if policy is not None and pool_plan.entry.type in ("spot", "on_demand"):
        return container.NodePoolPlacementPolicyArgs(type="COMPACT", policy_name=policy.name)
    return None
