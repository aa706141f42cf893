"""A node pool on EKS: managed node groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input
from pulumi_aws import eks

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
from aiplatform._shared.kubernetes.pools import usable_storage
from aiplatform._shared.outputs import Tags, mapped, merged
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs, priority
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for

AMI_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("x86_64", "al2023"): "AL2023_x86_64_STANDARD",
    ("arm64", "al2023"): "AL2023_ARM_64_STANDARD",
    ("x86_64", "bottlerocket"): "BOTTLEROCKET_x86_64",
    ("arm64", "bottlerocket"): "BOTTLEROCKET_ARM_64",
}
"""(architecture, image) -> EKS's AMI type."""


@dataclass(frozen=True)
class Built:
    """What the component's outputs need of its resources."""

    role_arn: Input[str]
    node_groups: list[NodeGroupReferenceArgs]


def build(component: pulumi.ComponentResource, name: str, settings: NodePoolSettings) -> Built:
    """Create the resources of the pool as children of `component`.

    EC2 states first which zones offer the instance types: where none does, an ArgumentError is raised before
    anything is created.
    """
    context = Context(component, name, settings)
    zones = zones_for(settings, zones_that_offer(settings.instance_types, context.invoke_options))
    role_prefix = f"{settings.prefix}-{settings.name}-"
    role = node_role(component, name, role_prefix, settings.cluster, _tags(settings, "node"))
    return Built(
        role.arn,
        [
            _node_group(context, index, capacity, zones, role)
            for index, capacity in enumerate(settings.capacity)
        ],
    )


def _tags(pool: NodePoolSettings, purpose: str) -> Tags:
    return merged(pool.tags, {"Name": f"{pool.prefix}-{pool.name}-{purpose}", POOL: pool.name})


def _node_group(
    context: Context[NodePoolSettings], index: int, capacity: str, zones: list[str], role: NodeRole
) -> NodeGroupReferenceArgs:
    pool = context.settings
    key = capacity.replace("_", "-")
    name = f"{context.name}-{key}"
    template = launch_template(
        context.parent,
        name,
        f"{pool.prefix}-{pool.name}-{key}-",
        Volume(pool.image, pool.disk_gib, pool.cluster.volume_key_arn),
        _tags(pool, key),
    )
    subnets = {zone.id: zone.private_subnet_id for zone in pool.network.listed_zones}
    resource = node_group(
        context.parent,
        name,
        pool.cluster,
        role,
        template,
        (pool.min if index == 0 else 0, pool.max),
        node_group_name_prefix=f"{pool.name}-{key}-",
        subnet_ids=[subnets[zone] for zone in zones],
        ami_type=AMI_TYPES[pool.architecture, pool.image],
        capacity_type=capacity.upper(),
        instance_types=pool.instance_types,
        labels=merged(pool.labels, pool.pool_labels(capacity)),
        taints=eks_taints(pool.taints),
        update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
        image_version=pool.image_version,
        force_update_version=pool.force_update or None,
        tags=_tags(pool, key),
    )
    autoscaling_group = autoscaling_group_name(resource)
    storage = {"ephemeral-storage": mapped(pool.disk_gib, usable_storage)}
    tag_for_autoscaler(context.parent, name, autoscaling_group, storage, pool.taints)
    return NodeGroupReferenceArgs(
        name=resource.node_group_name,
        capacity=capacity,
        priority=priority(index),
        autoscaling_group=autoscaling_group,
    )
