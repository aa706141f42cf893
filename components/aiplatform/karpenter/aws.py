"""Karpenter's nodes on AWS: their role, and the objects from which Karpenter creates them."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import pulumi
from pulumi import CustomTimeouts, Input, Output, Resource, ResourceOptions
from pulumi_aws import eks, iam

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.node_groups import CNI_POLICY, NODE_POLICIES
from aiplatform._shared.aws.policy_documents import trust
from aiplatform._shared.aws.roles import service_role
from aiplatform._shared.context import Context
from aiplatform.addons.permissions.settings import KARPENTER_NODES
from aiplatform.karpenter import plan
from aiplatform.karpenter.args import PROFILE, KarpenterSettings

_LONGEST_DRAIN: Final = "60m"
"""A NodePool is deleted once its nodes are: the Pods on them end first."""

KarpenterContext = Context[KarpenterSettings]


def build(
    component: pulumi.ComponentResource,
    name: str,
    settings: KarpenterSettings,
    opts: ResourceOptions | None,
) -> Output[str]:
    """Create the role of the nodes and the objects as children of `component`. Returns the role's arn.

    The objects depend on what the component depends on, which the engine does not pass on to children:
    Karpenter, which removes their finalizers once no node is left, must run until they are deleted.
    """
    context = Context(component, name, settings)
    role_arn, profile, joined = _node_role(context)
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    for pool in settings.pools:
        node_class = _object(
            f"{name}-{pool.name}-class",
            plan.NODE_CLASS,
            "EC2NodeClass",
            pool.name,
            plan.node_class(settings, pool, profile),
            ResourceOptions.merge(before, _options(component, joined)),
        )
        _object(
            f"{name}-{pool.name}-nodes",
            plan.NODE_POOL,
            "NodePool",
            pool.name,
            plan.node_pool(settings, pool),
            ResourceOptions.merge(before, _options(component, [node_class])),
        )
    return role_arn


def _options(component: pulumi.ComponentResource, needed: Sequence[Resource]) -> ResourceOptions:
    return ResourceOptions(
        parent=component,
        depends_on=list(needed),
        version=version("pulumi-kubernetes"),
        custom_timeouts=CustomTimeouts(delete=_LONGEST_DRAIN),
    )


def _object(
    logical: str, api_version: str, kind: str, name: str, spec: dict[str, Any], options: ResourceOptions
) -> pulumi.CustomResource:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    return pulumi.CustomResource(f"kubernetes:{api_version}:{kind}", logical, manifest, options)


def _node_role(context: KarpenterContext) -> tuple[Output[str], Output[str], list[Resource]]:
    """Return the role of the nodes, its instance profile, and what must exist before a node starts.

    It is another role than those of node groups: EKS ends the access of a role with the last node group that
    uses it ("Delete a managed node group from your cluster").
    """
    settings, name, cluster = context.settings, context.name, context.settings.cluster
    needed: list[Resource] = []
    if cluster.node_role_arn is not None:
        role_arn = Output.from_input(cluster.node_role_arn)
        role_name: Input[str] = role_arn.apply(lambda arn: arn.rpartition("/")[2])
    else:
        role = service_role(
            f"{name}-node",
            parent=context.parent,
            trust=trust(f"ec2.{account_of(context.parent).dns_suffix}"),
            managed=[*NODE_POLICIES, *(() if cluster.cni_role else (CNI_POLICY,))],
            role_name=KARPENTER_NODES.of(settings.prefix),
            description="Nodes that Karpenter creates: register with the cluster and pull images",
            tags=settings.tags,
        )
        role_arn, role_name, needed = role.arn, role.name, [*role.policies]
    profile = iam.InstanceProfile(
        f"{name}-node",
        name=PROFILE.of(settings.prefix),
        role=role_name,
        tags=settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    if settings.with_access_entry:
        needed.append(
            eks.AccessEntry(
                f"{name}-node",
                cluster_name=cluster.name,
                principal_arn=role_arn,
                type="EC2_LINUX",
                tags=settings.tags,
                # A role has at most one.
                opts=context.options(delete_before_replace=True),
            )
        )
    return role_arn, profile.name, [profile, *needed]
