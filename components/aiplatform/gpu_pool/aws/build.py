"""A GPU pool on EKS: managed node groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import ec2, eks, vpc

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
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes
from aiplatform.gpu_pool.aws.plan import GroupPlan, instance_types, plan

_EVERYTHING = "-1"


@dataclass(frozen=True)
class Built:
    """What the component shows of the pool."""

    role_arn: Input[str]
    security_group_id: Input[str] | None
    placement_group: Input[str] | None
    node_groups: list[NodeGroupReferenceArgs]


class Builder:
    """Makes the pool's parts as children of one component."""

    def __init__(self, parent: pulumi.ComponentResource, name: str, settings: GpuPoolSettings) -> None:
        self.parent = parent
        self.name = name
        self.settings = settings

    def build(self) -> Built:
        """All of it. EC2 is asked first where it offers the instance types: a zone without them is refused
        before anything is made."""
        offered = zones_that_offer(instance_types(self.settings), pulumi.InvokeOptions(parent=self.parent))
        groups = plan(self.settings, offered)
        role = node_role(
            self.parent,
            self.name,
            f"{self.settings.prefix}-{self.settings.name}-",
            self.settings.cluster,
            self._tags("node"),
        )
        security_group = self._security_group() if self.settings.with_efa else None
        placement = self._placement_group() if self.settings.with_placement_group else None
        made = [self._group(group, role, security_group, placement) for group in groups]
        return Built(
            role.arn,
            security_group.id if security_group else None,
            placement.name if placement else None,
            made,
        )

    def _options(self) -> ResourceOptions:
        return ResourceOptions(parent=self.parent)

    def _tags(self, purpose: str) -> dict[str, str]:
        pool = self.settings
        return {**pool.tags, "Name": f"{pool.prefix}-{pool.name}-{purpose}", POOL: pool.name}

    def _security_group(self) -> ec2.SecurityGroup:
        """EFA's traffic bypasses the operating system and passes only between members of a group that lets
        all through to and from itself, by rules that name the group (EC2 user guide, "Prepare an EFA-enabled
        security group"). The rest of the traffic goes by the cluster's group."""
        group = ec2.SecurityGroup(
            f"{self.name}-efa",
            name_prefix=f"{self.settings.prefix}-{self.settings.name}-efa-",
            description=f"EFA traffic between the nodes of {self.settings.name}",
            vpc_id=self.settings.network.vpc_id,
            tags=self._tags("efa"),
            opts=self._options(),
        )
        vpc.SecurityGroupIngressRule(
            f"{self.name}-efa-in",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol=_EVERYTHING,
            description="All from the nodes of this pool",
            tags=self._tags("efa-in"),
            opts=self._options(),
        )
        vpc.SecurityGroupEgressRule(
            f"{self.name}-efa-out",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol=_EVERYTHING,
            description="All to the nodes of this pool",
            tags=self._tags("efa-out"),
            opts=self._options(),
        )
        return group

    def _placement_group(self) -> ec2.PlacementGroup:
        # The name is left to autonaming: a change replaces the group, and a name_prefix does not exist.
        return ec2.PlacementGroup(
            f"{self.name}-placement",
            strategy="cluster",
            tags=self._tags("placement"),
            opts=self._options(),
        )

    def _group(
        self,
        group: GroupPlan,
        role: NodeRole,
        security_group: ec2.SecurityGroup | None,
        placement: ec2.PlacementGroup | None,
    ) -> NodeGroupReferenceArgs:
        pool = self.settings
        made = node_group(
            self.parent,
            f"{self.name}-{group.key}",
            pool.cluster,
            role,
            self._launch_template(group, security_group, placement),
            (group.minimum, group.maximum),
            # An upgrade needs a desired size of 0 (EKS user guide, "Create a managed node group with Capacity
            # Blocks for ML"), and would end what runs in the block; the next block is a group of its own.
            upgraded=not group.entry.capacity_block,
            node_group_name_prefix=f"{pool.name}-{group.key}-",
            subnet_ids=[_subnet(pool, zone) for zone in group.zones],
            ami_type=nodes.AMI_TYPES[pool.machine.card.vendor, pool.os],
            capacity_type=_capacity_type(group),
            # A Capacity Block asks for its type in the launch template, and EKS for either of the two.
            instance_types=None
            if group.entry.capacity_block
            else [machine.type for machine in group.machines],
            labels={**pool.labels, **nodes.labels(pool, group.entry.type)},
            taints=eks_taints(nodes.taints(pool)),
            # Of a reservation there is nothing to launch a second node from: the old one goes first.
            update_config=eks.NodeGroupUpdateConfigArgs(
                max_unavailable=1, update_strategy="MINIMAL" if group.entry.type == "reserved" else "DEFAULT"
            ),
            force_update_version=pool.force_update or None,
            tags=self._tags(group.key),
        )
        asg = autoscaling_group_name(made)
        tell_autoscaler(
            self.parent,
            f"{self.name}-{group.key}",
            asg,
            nodes.hidden_resources(pool, group.machines),
            nodes.taints(pool),
        )
        return NodeGroupReferenceArgs(
            name=made.node_group_name,
            capacity=group.entry.type,
            priority=group.priority,
            autoscaling_group=asg,
        )

    def _launch_template(
        self,
        group: GroupPlan,
        security_group: ec2.SecurityGroup | None,
        placement: ec2.PlacementGroup | None,
    ) -> ec2.LaunchTemplate:
        pool = self.settings
        more: dict[str, Any] = {}
        if security_group is not None:
            more["network_interfaces"] = efa_interfaces(
                group.machines[0].efa_interfaces,
                # Of a cluster on AWS there always is one: its reference demands it.
                [pool.cluster.security_group_id or ""],
                [security_group.id],
            )
        if placement is not None and group.entry.type != "reserved":
            more["placement"] = ec2.LaunchTemplatePlacementArgs(group_name=placement.name)
        if group.entry.reservation_id is not None:
            more["capacity_reservation_specification"] = _reservation(group.entry.reservation_id)
        if group.entry.capacity_block:
            more["instance_type"] = group.machines[0].type
            more["instance_market_options"] = ec2.LaunchTemplateInstanceMarketOptionsArgs(
                market_type="capacity-block"
            )
        return launch_template(
            self.parent,
            f"{self.name}-{group.key}",
            f"{pool.prefix}-{pool.name}-{group.key}-",
            Volume(pool.os, pool.disk_gib, pool.cluster.volume_key_arn),
            self._tags(group.key),
            user_data=nodes.user_data(pool, group.machines),
            **more,
        )


def efa_interfaces(
    count: int, ip_groups: Sequence[Input[str]], efa_groups: Sequence[Input[str]]
) -> list[ec2.LaunchTemplateNetworkInterfaceArgs]:
    """The node's own interface, which carries all IP traffic, and `count` that carry only EFA's and take no
    IP address, one on each network card.

    The node's own (`interface`) is device 0 of card 0; its EFA is device 1 of that card, and device 0 of each
    other card. So EC2 recommends for all instance types (EC2 user guide, "Maximize network bandwidth on
    Amazon EC2 instances with multiple network cards", its example of 32 `efa-only`). Every type of the
    catalog with EFA has room for two interfaces on card 0 (DescribeInstanceTypes). What that leaves for
    Pods: `nodes.max_pods`.
    """
    own = ec2.LaunchTemplateNetworkInterfaceArgs(
        network_card_index=0,
        device_index=0,
        interface_type="interface",
        associate_public_ip_address="false",
        delete_on_termination="true",
        security_groups=list(ip_groups),
    )
    return [
        own,
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


def _reservation(reservation_id: str) -> ec2.LaunchTemplateCapacityReservationSpecificationArgs:
    target = ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs
    return ec2.LaunchTemplateCapacityReservationSpecificationArgs(
        capacity_reservation_target=target(capacity_reservation_id=reservation_id)
    )


def _subnet(pool: GpuPoolSettings, zone_id: str) -> Input[str]:
    return next(zone.private_subnet_id for zone in pool.network.listed_zones if zone.id == zone_id)


def _capacity_type(group: GroupPlan) -> str:
    if group.entry.capacity_block:
        return "CAPACITY_BLOCK"
    # To EKS an on-demand capacity reservation is on-demand: the launch template targets it.
    return "SPOT" if group.entry.type == "spot" else "ON_DEMAND"
