"""The system node group, which runs only the cluster's system workloads."""

from collections.abc import Collection, Sequence

import pulumi
from pulumi_aws import eks, iam

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.node_groups import (
    NODE_POLICIES,
    NodeRole,
    Volume,
    eks_taints,
    launch_template,
    node_group,
)
from aiplatform._shared.aws.policy_documents import trust
from aiplatform._shared.aws.roles import ServiceRole, service_role
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.cluster.args import NODE_ROLE, SYSTEM_NODES, SYSTEM_TEMPLATE
from aiplatform.cluster.aws.addons import SYSTEM_LABELS, SYSTEM_TAINT
from aiplatform.cluster.aws.context import EksContext


def check_offered(types: Sequence[str], offered: Collection[str]) -> None:
    """Raise ArgumentError for instance types of the system nodes that no zone of the region offers.

    offered: those of them that a zone offers.
    """
    problems = [
        Problem(
            f"ClusterArgs.system_nodes.instance_types[{index}]",
            f"{got(name)}, which no zone of this region offers; is the name correct?",
        )
        for index, name in enumerate(types)
        if name not in offered
    ]
    if problems:
        raise ArgumentError(problems)


def node_role(context: EksContext) -> ServiceRole:
    """Create the role of every node, and its policies. EKS creates the access entry of a managed node group's
    role."""
    session_manager = ["AmazonSSMManagedInstanceCore"] if context.settings.session_manager else []
    return service_role(
        f"{context.name}-node",
        parent=context.parent,
        trust=trust(f"ec2.{context.account.dns_suffix}"),
        managed=[*NODE_POLICIES, *session_manager],
        name_prefix=NODE_ROLE.of(context.settings.prefix),
        description=f"Nodes of {context.settings.prefix}: register with the cluster and pull images",
        tags=context.settings.tags,
    )


def system_nodes(
    context: EksContext,
    cluster: eks.Cluster,
    role: iam.Role,
    volumes_key: Key,
    ready: Sequence[pulumi.Resource],
) -> eks.NodeGroup:
    """Create the node group. ready: what must exist before a node can join: the role's policies, the first
    add-ons."""
    settings = context.settings
    nodes = settings.system_nodes
    template = launch_template(
        context.parent,
        f"{context.name}-system",
        SYSTEM_TEMPLATE.of(settings.prefix),
        Volume("al2023", nodes.disk_gib, volumes_key.arn),
        context.tags("system"),
    )
    return node_group(
        context.parent,
        f"{context.name}-system",
        ClusterReference(name=cluster.name, security_group_id="", version=settings.version),
        NodeRole(role.arn, ready),
        template,
        (nodes.min, nodes.max),
        node_group_name_prefix=SYSTEM_NODES.of(settings.prefix),
        subnet_ids=settings.network.private_subnet_ids,
        ami_type="AL2023_ARM_64_STANDARD" if nodes.arm else "AL2023_x86_64_STANDARD",
        capacity_type="ON_DEMAND",
        instance_types=nodes.types("aws"),
        labels=SYSTEM_LABELS,
        taints=eks_taints([Taint(key=SYSTEM_TAINT, value="true", effect="NoSchedule")]),
        update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
        image_version=nodes.image_version,
        force_update_version=nodes.force_update or None,
        tags=settings.tags,
    )
