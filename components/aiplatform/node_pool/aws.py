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
    tell_autoscaler,
    zones_that_offer,
)
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import NodeGroupReferenceArgs
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.plan import zones_for

AMI_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("x86_64", "al2023"): "AL2023_x86_64_STANDARD",
    ("arm64", "al2023"): "AL2023_ARM_64_STANDARD",
    ("x86_64", "bottlerocket"): "BOTTLEROCKET_x86_64",
    ("arm64", "bottlerocket"): "BOTTLEROCKET_ARM_64",
}
"""(architecture, image) -> EKS's AMI type."""

FIRST_PRIORITY: Final = 100
STEP: Final = 10


@dataclass(frozen=True)
class Built:
    """What the component shows of the pool."""

    role_arn: Input[str]
    node_groups: list[NodeGroupReferenceArgs]


class Builder:
    """Makes the pool's parts as children of one component."""

    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: NodePoolSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings

    def build(self) -> Built:
        """All of it. EC2 is asked first where it offers the instance types: a zone without them is
        refused before anything is made."""
        pool = self.settings
        options = pulumi.InvokeOptions(parent=self.parent)
        zones = zones_for(pool, zones_that_offer(pool.instance_types, options))
        role = node_role(
            self.parent, self.name, f"{pool.prefix}-{pool.name}-", pool.cluster, self._tags("node")
        )
        made = [
            self._group(capacity, FIRST_PRIORITY - STEP * index, pool.min if index == 0 else 0, zones, role)
            for index, capacity in enumerate(pool.capacity)
        ]
        return Built(role.arn, made)

    def _tags(self, purpose: str) -> dict[str, str]:
        pool = self.settings
        return {**pool.tags, "Name": f"{pool.prefix}-{pool.name}-{purpose}", POOL: pool.name}

    def _group(
        self, capacity: str, priority: int, minimum: int, zones: list[str], role: NodeRole
    ) -> NodeGroupReferenceArgs:
        pool = self.settings
        key = capacity.replace("_", "-")
        name = f"{self.name}-{key}"
        template = launch_template(
            self.parent,
            name,
            f"{pool.prefix}-{pool.name}-{key}-",
            Volume(pool.image, pool.disk_gib, pool.cluster.volume_key_arn),
            self._tags(key),
        )
        subnets = {zone.id: zone.private_subnet_id for zone in pool.network.listed_zones}
        made = node_group(
            self.parent,
            name,
            pool.cluster,
            role,
            template,
            (minimum, pool.max),
            node_group_name_prefix=f"{pool.name}-{key}-",
            subnet_ids=[subnets[zone] for zone in zones],
            ami_type=AMI_TYPES[pool.architecture, pool.image],
            capacity_type=capacity.upper(),
            instance_types=pool.instance_types,
            labels={**pool.labels, **pool.own_labels(capacity)},
            taints=eks_taints(pool.taints),
            update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
            force_update_version=pool.force_update or None,
            tags=self._tags(key),
        )
        asg = autoscaling_group_name(made)
        # 85 %: the rest goes to the file system, kube-reserved and the kubelet's eviction threshold.
        storage = {"ephemeral-storage": f"{pool.disk_gib * 85 // 100}Gi"}
        tell_autoscaler(self.parent, name, asg, storage, pool.taints)
        return NodeGroupReferenceArgs(
            name=made.node_group_name, capacity=capacity, priority=priority, autoscaling_group=asg
        )
