"""The system node group: where the cluster's own workloads run, and nothing else."""

from collections.abc import Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_aws import eks, iam, kms

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.node_groups import (
    NODE_POLICIES,
    NodeRole,
    Volume,
    eks_taints,
    launch_template,
    node_group,
)
from aiplatform._shared.aws.policy_documents import trust
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.cluster.args import NODE_ROLE, SYSTEM_NODES, SYSTEM_TEMPLATE, ClusterSettings
from aiplatform.cluster.aws.addons import SYSTEM_LABELS, SYSTEM_TAINT


def node_role(
    parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, account: Account
) -> tuple[iam.Role, list[iam.RolePolicyAttachment]]:
    """The role of every node, and its policies. EKS gives a managed node group's role its access entry."""
    role = iam.Role(
        f"{name}-node",
        name_prefix=NODE_ROLE.of(settings.prefix),
        description=f"Nodes of {settings.prefix}: register with the cluster and pull images",
        assume_role_policy=trust(f"ec2.{account.dns_suffix}"),
        tags=settings.tags,
        opts=ResourceOptions(parent=parent),
    )
    policies = [*NODE_POLICIES, *(["AmazonSSMManagedInstanceCore"] if settings.session_manager else [])]
    attachments = [
        iam.RolePolicyAttachment(
            f"{name}-node-{policy}",
            role=role.name,
            policy_arn=account.managed_policy(policy),
            opts=ResourceOptions(parent=parent),
        )
        for policy in policies
    ]
    return role, attachments


def system_nodes(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    cluster: eks.Cluster,
    role: iam.Role,
    volumes_key: kms.Key,
    ready: Sequence[pulumi.Resource],
) -> eks.NodeGroup:
    """The node group; `ready` must stand before a node can join: the role's policies, the first add-ons."""
    nodes = settings.system_nodes
    template = launch_template(
        parent,
        f"{name}-system",
        SYSTEM_TEMPLATE.of(settings.prefix),
        Volume("al2023", nodes.disk_gib, volumes_key.arn),
        {**settings.tags, "Name": f"{settings.prefix}-system"},
    )
    return node_group(
        parent,
        f"{name}-system",
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
        force_update_version=nodes.force_update or None,
        tags=settings.tags,
    )
