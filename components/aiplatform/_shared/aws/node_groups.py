"""What EKS managed node groups of all kinds share: role, launch template, tags for the autoscaler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import autoscaling, ec2, eks, iam

from aiplatform._shared.aws.account import place
from aiplatform._shared.aws.policy_documents import trust
from aiplatform._shared.kubernetes.names import EFFECTS, Taint
from aiplatform._shared.references.cluster import ClusterReference

TEMPLATE_TAG: Final = "k8s.io/cluster-autoscaler/node-template/"
"""Tags of an Auto Scaling group under this prefix tell the Cluster Autoscaler what a new node will have:
`resources/<name>` how much of a resource, `taint/<key>` a taint as `<value>:<effect>`."""

NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""All that a node needs where the VPC CNI has a role of its own: register with the cluster, pull images."""

CNI_POLICY: Final = "AmazonEKS_CNI_Policy"
"""What the VPC CNI needs, of its own role or of the nodes' (EKS user guide, "Amazon EKS node IAM role")."""

DEVICES: Final[Mapping[str, Sequence[str]]] = {
    "al2023": ["/dev/xvda"],
    "bottlerocket": ["/dev/xvda", "/dev/xvdb"],
}
"""Image -> its devices; the last holds containers. Bottlerocket's own system is a small volume of its own."""


def zones_that_offer(
    instance_types: Sequence[str], options: pulumi.InvokeOptions
) -> dict[str, frozenset[str]]:
    """Instance type -> ids of the region's zones that offer it, as EC2 says now."""
    answer = aws.ec2.get_instance_type_offerings(
        location_type="availability-zone-id",
        filters=[
            aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=list(instance_types))
        ],
        opts=options,
    )
    found: dict[str, frozenset[str]] = {}
    for type_, zone in zip(answer.instance_types, answer.locations, strict=True):
        found[type_] = found.get(type_, frozenset()) | {zone}
    return found


@dataclass(frozen=True)
class NodeRole:
    """The role of a pool's nodes, and what must stand before a node can use it."""

    arn: Input[str]
    attachments: Sequence[pulumi.Resource]


def node_role(
    parent: pulumi.Resource, name: str, name_prefix: str, cluster: ClusterReference, tags: Mapping[str, str]
) -> NodeRole:
    """The cluster's shared node role where it has one, else a role of the pool's own, which the VPC CNI uses
    too unless it has one itself."""
    if cluster.node_role_arn is not None:
        return NodeRole(cluster.node_role_arn, ())
    here = place(parent)
    role = iam.Role(
        f"{name}-node",
        name_prefix=name_prefix,
        description="Nodes of one pool: register with the cluster and pull images",
        assume_role_policy=trust(f"ec2.{here.dns_suffix}"),
        tags=dict(tags),
        opts=ResourceOptions(parent=parent),
    )
    attachments = [
        iam.RolePolicyAttachment(
            f"{name}-node-{policy}",
            role=role.name,
            policy_arn=here.managed_policy(policy),
            opts=ResourceOptions(parent=parent),
        )
        for policy in (*NODE_POLICIES, *(() if cluster.cni_role else (CNI_POLICY,)))
    ]
    return NodeRole(role.arn, attachments)


@dataclass(frozen=True)
class Volume:
    """The volume of a node.

    key_arn: of the key that encrypts it; AWS's own for EBS where it is None.
    """

    image: str
    gib: int
    key_arn: Input[str] | None = None


def launch_template(
    parent: pulumi.Resource,
    name: str,
    name_prefix: str,
    volume: Volume,
    tags: Mapping[str, str],
    **more: Any,
) -> ec2.LaunchTemplate:
    """A launch template with IMDSv2, hop limit 1 (no Pod without host network reaches the node's role),
    encrypted gp3 volumes, and tags on what is launched; `more` are further arguments."""
    launched = ("instance", "volume", "network-interface")
    return ec2.LaunchTemplate(
        name,
        name_prefix=name_prefix,
        update_default_version=True,
        metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        block_device_mappings=_devices(volume),
        # The provider's default tags reach the template, not what it launches.
        tag_specifications=[
            ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=dict(tags)) for kind in launched
        ],
        tags=dict(tags),
        opts=ResourceOptions(parent=parent),
        **more,
    )


def _devices(volume: Volume) -> list[ec2.LaunchTemplateBlockDeviceMappingArgs]:
    """All of the image's devices, as EC2 encrypts only those that a launch asks it to. One that holds no
    containers keeps the size of the image's snapshot."""
    devices = DEVICES[volume.image]
    return [
        ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name=device,
            ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_type="gp3",
                volume_size=volume.gib if device == devices[-1] else None,
                encrypted="true",
                kms_key_id=volume.key_arn,
                delete_on_termination="true",
            ),
        )
        for device in devices
    ]


def eks_taints(taints: Sequence[Taint]) -> list[eks.NodeGroupTaintArgs]:
    """Taints in EKS's words."""
    return [
        eks.NodeGroupTaintArgs(key=taint.key, value=taint.value or None, effect=EFFECTS[taint.effect])
        for taint in taints
    ]


def node_group(
    parent: pulumi.Resource,
    name: str,
    cluster: ClusterReference,
    role: NodeRole,
    template: ec2.LaunchTemplate,
    size: tuple[int, int],
    *,
    upgraded: bool = True,
    **more: Any,
) -> eks.NodeGroup:
    """A managed node group that starts at its minimum and whose size then belongs to the autoscaler.

    upgraded: whether it follows new versions of Kubernetes and of its launch template.
    """
    minimum, maximum = size
    ignored = ["scalingConfig.desiredSize", *([] if upgraded else ["version", "launchTemplate.version"])]
    group = eks.NodeGroup(
        name,
        cluster_name=cluster.name,
        version=cluster.version,
        node_role_arn=role.arn,
        launch_template=eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(str)
        ),
        scaling_config=eks.NodeGroupScalingConfigArgs(
            min_size=minimum, max_size=maximum, desired_size=minimum
        ),
        node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
        opts=ResourceOptions(parent=parent, depends_on=list(role.attachments), ignore_changes=ignored),
        **more,
    )
    Output.all(group.cluster_name, group.node_group_name, group.status).apply(
        lambda each: refuse_failed(str(each[0]), str(each[1]), each[2])
    )
    return group


USABLE: Final = frozenset({"ACTIVE", "UPDATING", "DEGRADED"})
"""The statuses in which EKS has made a node group and accepts changes of it."""


_UNFINISHED: Final = "its creation failed, and the state does not say how; run `up --refresh`, which reads it"


def refuse_failed(cluster: str, group: str, status: str | None) -> None:
    """Raise pulumi.RunError where a node group was never made, or is being deleted.

    The provider keeps a node group whose creation failed in the state, and its next update has nothing to
    change: without this the second `up` would succeed while EKS still reports CREATE_FAILED.
    """
    if status in USABLE:
        return
    there = f"--cluster-name {cluster} --nodegroup-name {group}"
    # A creation that failed leaves no status in the state until a refresh reads it.
    if not status:
        raise pulumi.RunError(f"node group {group} of {cluster}: {_UNFINISHED}")
    problem = f"node group {group} of {cluster}: EKS reports {status}; expected ACTIVE"
    if status == "CREATING":
        raise pulumi.RunError(f"{problem}. It is still being created: wait, then run `up` again")
    raise pulumi.RunError(
        f"{problem}. EKS changes nothing of such a node group, so delete it and run `up --refresh`, which "
        f"creates it again:\n  aws eks delete-nodegroup {there}\nWhy it failed:\n"
        f"  aws eks describe-nodegroup {there} --query nodegroup.health"
    )


def autoscaling_group_name(group: eks.NodeGroup) -> Output[str]:
    """The Auto Scaling group that EKS made for a node group. EKS tags it for the autoscaler's discovery
    (`k8s.io/cluster-autoscaler/enabled`, `k8s.io/cluster-autoscaler/<cluster>=owned`) itself."""

    def first(resources: Sequence[Any]) -> str:
        groups = resources[0].autoscaling_groups if resources else None
        if not groups:
            raise pulumi.RunError(f"a node group has no Auto Scaling group: {_UNFINISHED}")
        return str(groups[0].name)

    return group.resources.apply(first)


def tell_autoscaler(
    parent: pulumi.Resource,
    name: str,
    group: Input[str],
    resources: Mapping[str, str],
    taints: Sequence[Taint] = (),
) -> None:
    """Tag an Auto Scaling group with what the Cluster Autoscaler cannot know of a node when there is none:
    resources, and taints without a value. EKS hands no tag of a node group on to it.

    Taints with a value come by DescribeNodegroup, of which the autoscaler leaves those without one out
    (cluster-autoscaler, cloudprovider/aws/aws_wrapper.go, getManagedNodegroupInfo): for a Pod that does not
    tolerate one the group would grow and shrink again and again.
    """
    tags = {f"resources/{resource}": quantity for resource, quantity in resources.items()}
    # One tag for a key: of two effects the stronger, which no Pod without a toleration gets past either.
    for taint in sorted(taints, key=lambda each: _STRENGTH.index(each.effect)):
        if not taint.value:
            tags.setdefault(f"taint/{taint.key}", f":{taint.effect}")
    for tag, value in tags.items():
        kind, _, what = tag.partition("/")
        logical = what.rpartition("/")[2] if kind == "resources" else f"taint-{what.replace('/', '-')}"
        autoscaling.Tag(
            f"{name}-{logical}",
            autoscaling_group_name=group,
            tag=autoscaling.TagTagArgs(key=f"{TEMPLATE_TAG}{tag}", value=value, propagate_at_launch=False),
            opts=ResourceOptions(parent=parent),
        )


_STRENGTH: Final = ("NoExecute", "NoSchedule", "PreferNoSchedule")
