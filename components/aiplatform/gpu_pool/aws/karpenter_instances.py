"""Instances of Karpenter that an update would take something from: the groups of their pool.

EC2 deletes no security group and no placement group that an instance has, and Karpenter replaces a node only
once it is empty. An update of a node group waits until its nodes are replaced; here nothing does. So the
program asks EC2, in previews too, and ends with an error before anything is deleted: the engine deletes
resources after the program has ended without one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import ec2

from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import ClusterReference

_EXISTING: Final = ("pending", "running", "stopping", "shutting-down")
"""States of instances that have their groups."""
_NODE_POOL: Final = "karpenter.sh/nodepool"


@dataclass(frozen=True)
class Group:
    """A group that a pool no longer has. argument: of the pool, which decides whether it has one. names: the
    filter of DescribeInstances by the group's name, and its pattern."""

    what: str
    argument: str
    names: tuple[str, str]


def security_group(pattern: str) -> Group:
    """Return the security group of EFA traffic."""
    return Group("security group of EFA", "efa", ("instance.group-name", pattern))


def placement_group(pattern: str) -> Group:
    """Return the placement group."""
    return Group("placement group", "placement_group", ("placement-group-name", pattern))


def refuse_removal(group: Group, pool: str, cluster: ClusterReference, options: pulumi.InvokeOptions) -> None:
    """Fail the update where instances of Karpenter still have a group that the pool no longer has."""

    def refuse(ids: Collection[str]) -> None:
        if ids:
            raise pulumi.RunError(
                f"pool {pool}: {len(ids)} instances of Karpenter still have its {group.what}, which EC2 does "
                f"not delete before they end; expected {group.argument}: true until the pool has no nodes"
            )

    filters = {group.names[0]: [group.names[1]], f"tag:{POOL}": [pool]}
    _instances(cluster, filters, options).apply(refuse)


def refuse_removed_pools(
    pools: Collection[str], cluster: ClusterReference, options: pulumi.InvokeOptions
) -> None:
    """Fail the update where Karpenter has instances of other GPU pools than these: where NodePools are in a
    stack that is updated later, the groups of a pool that was removed would be deleted before its nodes.
    Instances of NodePools that others created do not count."""

    def refuse(ids: list[list[str]]) -> None:
        removed = set(ids[0]) - set(ids[1])
        if removed:
            raise pulumi.RunError(
                f"{len(removed)} instances of Karpenter are of a pool that was removed: "
                f"{', '.join(sorted(removed))}; expected the pool with node_provisioning: cluster_autoscaler "
                "until the stack of the layer kubernetes has deleted them"
            )

    all_of_pools = _instances(cluster, {f"tag:{POOL}": ["*"]}, options)
    none: Output[list[str]] = Output.from_input([])
    known = _instances(cluster, {f"tag:{POOL}": sorted(pools)}, options) if pools else none
    Output.all(all_of_pools, known).apply(refuse)


def _instances(
    cluster: ClusterReference, filters: Mapping[str, list[str]], options: pulumi.InvokeOptions
) -> Output[list[str]]:
    """Return the ids of Karpenter's instances in the cluster that these filters select."""

    def ask(name: str) -> Output[list[str]]:
        selected = {f"tag:kubernetes.io/cluster/{name}": ["owned"], "tag-key": [_NODE_POOL], **filters}
        answer = ec2.get_instances_output(
            filters=[ec2.GetInstancesFilterArgs(name=key, values=values) for key, values in selected.items()],
            instance_state_names=list(_EXISTING),
            opts=pulumi.InvokeOutputOptions(parent=options.parent, provider=options.provider),
        )
        return answer.ids.apply(lambda ids: list(ids or []))

    # The security group is known only for a cluster that exists.
    return Output.all(cluster.name, cluster.security_group_id).apply(lambda known: ask(str(known[0])))
