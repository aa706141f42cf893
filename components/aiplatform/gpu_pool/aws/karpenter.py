"""A GPU pool on EKS whose nodes Karpenter creates: what its NodePools and EC2NodeClasses need, and the end of
its managed node groups."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import eks

from aiplatform._shared.outputs import Tags, mapped, merged
from aiplatform._shared.references.karpenter import KarpenterCapacity, KarpenterPoolReferenceArgs
from aiplatform.gpu_pool.aws import nodes
from aiplatform.gpu_pool.aws.plan import GroupPlan
from aiplatform.naming import GENERATED_SUFFIX

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings

_HIGHEST: Final = 100
"""The highest weight of a NodePool: the first entry of `capacity` has it."""
_NODE_GROUP: Final = rf"(spot|on-demand|reserved-[0-9a-f]{{1,6}})-[0-9a-f]{{{GENERATED_SUFFIX}}}"
"""The end of the name of a pool's node group, after the pool's name."""
_CAPACITY: Final[Mapping[str, KarpenterCapacity]] = {
    "reserved": "reserved",
    "spot": "spot",
    "on_demand": "on-demand",
}


@dataclass(frozen=True)
class Placement:
    """Where the nodes of an entry are. efa_group: the security group of EFA traffic."""

    subnet_ids: Sequence[Input[str]]
    efa_group: Input[str] | None
    placement_group: Input[str] | None


def pool_for(
    pool: GpuPoolSettings, index: int, group: GroupPlan, placement: Placement, tags: Tags
) -> KarpenterPoolReferenceArgs:
    """Return what Karpenter needs for an entry of `capacity`: what the node group of the entry would have.
    index: of the entry."""
    groups = [pool.cluster.security_group_id or "", *([placement.efa_group] if placement.efa_group else [])]
    reference: KarpenterPoolReferenceArgs = {
        "name": f"{pool.name}-{group.key}",
        "weight": _HIGHEST - index,
        "capacity": _CAPACITY[group.entry.type],
        "instance_types": [machine.type for machine in group.machines],
        "zones": list(group.zones),
        "subnet_ids": list(placement.subnet_ids),
        "security_group_ids": groups,
        "labels": merged(pool.labels, nodes.labels(pool, group.entry.type)),
        "taints": [
            {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in nodes.taints(pool)
        ],
        # Each entry may reach the pool's maximum, as each node group may.
        "limits": {pool.card.resource: mapped(group.maximum, lambda most: str(int(most) * pool.count))},
        "image": pool.os,
        "volume_gib": pool.disk_gib,
        "efa_interfaces": group.machines[0].efa_interfaces if pool.with_efa else 0,
        "raid0": pool.raid0,
        "tags": tags,
    }
    if pool.cluster.volume_key_arn is not None:
        reference["volume_key_arn"] = pool.cluster.volume_key_arn
    # A reservation has its own placement.
    if placement.placement_group is not None and group.entry.type != "reserved":
        reference["placement_group"] = placement.placement_group
    if group.entry.reservation_id is not None:
        reference["reservation_id"] = group.entry.reservation_id
    pods = nodes.max_pods(pool, group.machines)
    if pods is not None:
        reference["max_pods"] = pods
    return reference


def refuse_running_node_groups(pool: GpuPoolSettings, options: pulumi.InvokeOptions) -> None:
    """Fail the update where EKS still has node groups of the pool with nodes: the program no longer registers
    them, so the engine would delete them and end what runs there.

    The engine deletes resources after the program has ended without an error, so that nothing is deleted
    where this fails. The security group is known only for a cluster that exists.
    """
    names = re.compile(f"{re.escape(pool.name)}-{_NODE_GROUP}")

    def check(cluster: str) -> Output[None]:
        groups = eks.get_node_groups_output(cluster_name=cluster, opts=_output_options(options))
        return groups.names.apply(
            lambda known: Output.all(
                *(_refuse_running(cluster, name, options) for name in known or [] if names.fullmatch(name))
            ).apply(lambda _: None)
        )

    Output.all(pool.cluster.name, pool.cluster.security_group_id).apply(lambda known: check(str(known[0])))


def _refuse_running(cluster: str, name: str, options: pulumi.InvokeOptions) -> Output[None]:
    group = eks.get_node_group_output(
        cluster_name=cluster, node_group_name=name, opts=_output_options(options)
    )
    return group.scaling_configs.apply(lambda sizes: _refuse(name, sizes[0].desired_size if sizes else 0))


def _output_options(options: pulumi.InvokeOptions) -> pulumi.InvokeOutputOptions:
    return pulumi.InvokeOutputOptions(parent=options.parent, provider=options.provider)


def _refuse(name: str, running: int) -> None:
    if running:
        raise pulumi.RunError(
            f"node group {name} has {running} nodes, and what runs there would end with it; expected "
            "node_provisioning: moving_to_karpenter until the autoscaler has removed them"
        )
