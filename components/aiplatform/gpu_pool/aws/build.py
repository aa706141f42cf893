"""A GPU pool on EKS: managed node groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input
from pulumi_aws import ec2, eks, vpc

from aiplatform._shared.aws.node_groups import (
    NodeRole,
    Volume,
    autoscaling_group_name,
    eks_taints,
    launch_template,
    node_group,
    node_role,
    tag_for_autoscaler,
    zones_that_offer,
)
from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.outputs import Tags, merged
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs
from aiplatform._shared.references.karpenter import KarpenterPoolReferenceArgs
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import karpenter, karpenter_instances, nodes
from aiplatform.gpu_pool.aws.plan import GroupPlan, instance_types, plan

_ALL_PROTOCOLS = "-1"


@dataclass(frozen=True)
class Built:
    """What the component's outputs need of its resources."""

    role_arn: Input[str] | None
    """None where Karpenter creates all nodes."""
    security_group_id: Input[str] | None
    placement_group: Input[str] | None
    node_groups: list[NodeGroupReferenceArgs]
    karpenter_pools: list[KarpenterPoolReferenceArgs]


@dataclass(frozen=True)
class _Shared:
    """What all nodes of the pool have in common."""

    security_group: ec2.SecurityGroup | None
    placement_group: ec2.PlacementGroup | None


PoolContext = Context[GpuPoolSettings]


def build(component: pulumi.ComponentResource, name: str, settings: GpuPoolSettings) -> Built:
    """Create the resources of the pool as children of `component`.

    EC2 states first which zones offer the instance types: where none does, an ArgumentError is raised before
    anything is created.
    """
    context = Context(component, name, settings)
    offerings = zones_that_offer(instance_types(settings), context.invoke_options)
    plans = plan(settings, offerings)
    role = None
    if settings.with_node_groups:
        role = node_role(
            component, name, f"{settings.prefix}-{settings.name}-", settings.cluster, _tags(settings, "node")
        )
    shared = _Shared(
        _efa_security_group(context) if settings.with_efa else None,
        _placement_group(context) if settings.with_placement_group else None,
    )
    security_group_id = shared.security_group.id if shared.security_group else None
    placement_group = shared.placement_group.name if shared.placement_group else None
    if role is None:
        karpenter.refuse_running_node_groups(settings, context.invoke_options)
    if settings.with_karpenter:
        _refuse_removed_groups(context)
    return Built(
        role.arn if role is not None else None,
        security_group_id,
        placement_group,
        [_node_group(context, group, role, shared) for group in plans] if role is not None else [],
        [
            karpenter.pool_for(
                settings,
                index,
                group,
                karpenter.Placement(
                    [_subnet(settings, zone) for zone in group.zones], security_group_id, placement_group
                ),
                _tags(settings, group.key),
            )
            for index, group in enumerate(plans)
            if settings.with_karpenter
        ],
    )


def _refuse_removed_groups(context: PoolContext) -> None:
    pool = context.settings
    removed = [
        *([] if pool.with_efa else [karpenter_instances.security_group(f"{_efa_prefix(pool)}*")]),
        *(
            []
            if pool.with_placement_group
            else [karpenter_instances.placement_group(f"{context.name}-placement-*")]
        ),
    ]
    for group in removed:
        karpenter_instances.refuse_removal(group, pool.name, pool.cluster, context.invoke_options)


def _efa_prefix(pool: GpuPoolSettings) -> str:
    return f"{pool.prefix}-{pool.name}-efa-"


def _tags(pool: GpuPoolSettings, purpose: str) -> Tags:
    return merged(pool.tags, {"Name": f"{pool.prefix}-{pool.name}-{purpose}", POOL: pool.name})


def _efa_security_group(context: PoolContext) -> ec2.SecurityGroup:
    """EFA traffic bypasses the operating system and passes only between members of a security group whose
    rules allow all traffic to and from the group itself (EC2 user guide, "Prepare an EFA-enabled security
    group"). The cluster's security group covers all other traffic."""
    name, pool = context.name, context.settings
    group = ec2.SecurityGroup(
        f"{name}-efa",
        name_prefix=_efa_prefix(pool),
        description=f"EFA traffic between the nodes of {pool.name}",
        vpc_id=pool.network.vpc_id,
        tags=_tags(pool, "efa"),
        opts=context.options(),
    )
    vpc.SecurityGroupIngressRule(
        f"{name}-efa-in",
        security_group_id=group.id,
        referenced_security_group_id=group.id,
        ip_protocol=_ALL_PROTOCOLS,
        description="All from the nodes of this pool",
        tags=_tags(pool, "efa-in"),
        opts=context.options(),
    )
    vpc.SecurityGroupEgressRule(
        f"{name}-efa-out",
        security_group_id=group.id,
        referenced_security_group_id=group.id,
        ip_protocol=_ALL_PROTOCOLS,
        description="All to the nodes of this pool",
        tags=_tags(pool, "efa-out"),
        opts=context.options(),
    )
    return group


def _placement_group(context: PoolContext) -> ec2.PlacementGroup:
    # Autonaming: a change replaces the group, and there is no name_prefix.
    return ec2.PlacementGroup(
        f"{context.name}-placement",
        strategy="cluster",
        tags=_tags(context.settings, "placement"),
        opts=context.options(),
    )


def _node_group(
    context: PoolContext, group: GroupPlan, role: NodeRole, shared: _Shared
) -> NodeGroupReferenceArgs:
    pool, name = context.settings, f"{context.name}-{group.key}"
    resource = node_group(
        context.parent,
        name,
        pool.cluster,
        role,
        _launch_template(context, group, shared),
        (group.minimum, group.maximum),
        image_version=pool.image_version,
        # An upgrade needs a desired size of 0 (EKS user guide, "Create a managed node group with Capacity
        # Blocks for ML"), and would end the workloads in the block; the next block has its own node group.
        upgraded=not group.entry.capacity_block,
        node_group_name_prefix=f"{pool.name}-{group.key}-",
        subnet_ids=[_subnet(pool, zone) for zone in group.zones],
        ami_type=nodes.AMI_TYPES[pool.machine.card.vendor, pool.os],
        capacity_type=_capacity_type(group),
        # For a Capacity Block the launch template states the type, and EKS accepts only one of the two.
        instance_types=None if group.entry.capacity_block else [machine.type for machine in group.machines],
        labels=merged(pool.labels, nodes.labels(pool, group.entry.type)),
        taints=eks_taints(nodes.group_taints(pool)),
        # A reservation has no capacity for a second node during an update: the old node is removed first.
        update_config=eks.NodeGroupUpdateConfigArgs(
            max_unavailable=1, update_strategy="MINIMAL" if group.entry.type == "reserved" else "DEFAULT"
        ),
        force_update_version=pool.force_update or None,
        tags=_tags(pool, group.key),
    )
    autoscaling_group = autoscaling_group_name(resource)
    tag_for_autoscaler(
        context.parent,
        name,
        autoscaling_group,
        nodes.hidden_resources(pool, group.machines),
        nodes.group_taints(pool),
    )
    return NodeGroupReferenceArgs(
        name=resource.node_group_name,
        capacity=group.entry.type,
        priority=group.priority,
        autoscaling_group=autoscaling_group,
    )


def _launch_template(context: PoolContext, group: GroupPlan, shared: _Shared) -> ec2.LaunchTemplate:
    pool = context.settings
    more: dict[str, Any] = {}
    if shared.security_group is not None:
        more["network_interfaces"] = efa_interfaces(
            group.machines[0].efa_interfaces,
            # Never empty for a cluster on AWS: the cluster reference requires it.
            [pool.cluster.security_group_id or ""],
            [shared.security_group.id],
        )
    if shared.placement_group is not None and group.entry.type != "reserved":
        more["placement"] = ec2.LaunchTemplatePlacementArgs(group_name=shared.placement_group.name)
    if group.entry.reservation_id is not None:
        more["capacity_reservation_specification"] = _reservation(group.entry.reservation_id)
    if group.entry.capacity_block:
        more["instance_type"] = group.machines[0].type
        more["instance_market_options"] = ec2.LaunchTemplateInstanceMarketOptionsArgs(
            market_type="capacity-block"
        )
    return launch_template(
        context.parent,
        f"{context.name}-{group.key}",
        f"{pool.prefix}-{pool.name}-{group.key}-",
        Volume(pool.os, pool.disk_gib, pool.cluster.volume_key_arn),
        _tags(pool, group.key),
        user_data=nodes.user_data(pool, group.machines),
        **more,
    )


def efa_interfaces(
    count: int, ip_groups: Sequence[Input[str]], efa_groups: Sequence[Input[str]]
) -> list[ec2.LaunchTemplateNetworkInterfaceArgs]:
    """Return the primary interface of a node, which carries all IP traffic, and `count` interfaces for EFA
    only, without an IP address, one on each network card.

    The primary interface (`interface`) is device 0 of card 0; the EFA interface of that card is device 1,
    that of each other card device 0. EC2 recommends this for all instance types (EC2 user guide, "Maximize
    network bandwidth on Amazon EC2 instances with multiple network cards", its example of 32 `efa-only`).
    Every type of the catalog with EFA supports two interfaces on card 0 (DescribeInstanceTypes). For the
    addresses that remain for Pods see `nodes.max_pods`.
    """
    primary = ec2.LaunchTemplateNetworkInterfaceArgs(
        network_card_index=0,
        device_index=0,
        interface_type="interface",
        associate_public_ip_address="false",
        delete_on_termination="true",
        security_groups=list(ip_groups),
    )
    return [
        primary,
        *(
            ec2.LaunchTemplateNetworkInterfaceArgs(
                network_card_index=card,
                device_index=1 if card == 0 else 0,
                interface_type="efa-only",
                delete_on_termination="true",
                security_groups=list(efa_groups),
            )
            for card in range(count)
        ),
    ]


def _reservation(reservation_id: Input[str]) -> ec2.LaunchTemplateCapacityReservationSpecificationArgs:
    target = ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs
    return ec2.LaunchTemplateCapacityReservationSpecificationArgs(
        capacity_reservation_target=target(capacity_reservation_id=reservation_id)
    )


def _subnet(pool: GpuPoolSettings, zone_id: str) -> Input[str]:
    return next(zone.private_subnet_id for zone in pool.network.listed_zones if zone.id == zone_id)


def _capacity_type(group: GroupPlan) -> str:
    if group.entry.capacity_block:
        return "CAPACITY_BLOCK"
    # EKS treats an on-demand capacity reservation as on-demand: the launch template targets it.
    return "SPOT" if group.entry.type == "spot" else "ON_DEMAND"
