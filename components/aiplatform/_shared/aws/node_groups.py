"""What EKS managed node groups of all kinds share: role, launch template, tags for the autoscaler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions
from pulumi_aws import autoscaling, ec2, eks

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.image_releases import keep_release
from aiplatform._shared.aws.policy_documents import trust
from aiplatform._shared.aws.roles import service_role
from aiplatform._shared.kubernetes import image_versions
from aiplatform._shared.kubernetes.names import EFFECTS, Taint
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference

TEMPLATE_TAG: Final = "k8s.io/cluster-autoscaler/node-template/"
"""The Cluster Autoscaler reads from tags with this prefix what a new node of an Auto Scaling group has:
`resources/<name>` the quantity of a resource, `taint/<key>` a taint as `<value>:<effect>`."""

NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""What a node needs where the VPC CNI has a separate role: register with the cluster, pull images."""

CNI_POLICY: Final = "AmazonEKS_CNI_Policy"
"""What the VPC CNI needs, on its own role or on that of the nodes (EKS user guide, "Amazon EKS node IAM
role")."""

DEVICES: Final[Mapping[str, Sequence[str]]] = {
    "al2023": ["/dev/xvda"],
    "bottlerocket": ["/dev/xvda", "/dev/xvdb"],
}
"""Image -> its devices; the last stores containers. Bottlerocket has a small separate volume for the
system."""


def zones_that_offer(
    instance_types: Sequence[str], options: pulumi.InvokeOptions
) -> dict[str, frozenset[str]]:
    """Ask EC2 which zones of the region offer the instance types. Returns instance type -> zone ids."""
    answer = aws.ec2.get_instance_type_offerings(
        location_type="availability-zone-id",
        filters=[
            aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=list(instance_types))
        ],
        opts=options,
    )
    zones: dict[str, frozenset[str]] = {}
    for type_, zone in zip(answer.instance_types, answer.locations, strict=True):
        zones[type_] = zones.get(type_, frozenset()) | {zone}
    return zones


@dataclass(frozen=True)
class NodeRole:
    """The role of a pool's nodes, and the policy attachments that must exist before a node uses it."""

    arn: Input[str]
    attachments: Sequence[pulumi.Resource]


def node_role(
    parent: pulumi.Resource, name: str, name_prefix: str, cluster: ClusterReference, tags: Tags
) -> NodeRole:
    """Return the cluster's shared node role where it has one, else create a role for the pool, which the VPC
    CNI also uses unless it has its own role."""
    if cluster.node_role_arn is not None:
        return NodeRole(cluster.node_role_arn, ())
    role = service_role(
        f"{name}-node",
        parent=parent,
        trust=trust(f"ec2.{account_of(parent).dns_suffix}"),
        managed=[*NODE_POLICIES, *(() if cluster.cni_role else (CNI_POLICY,))],
        name_prefix=name_prefix,
        description="Nodes of one pool: register with the cluster and pull images",
        tags=tags,
    )
    return NodeRole(role.arn, role.policies)


@dataclass(frozen=True)
class Volume:
    """The volume of a node.

    key_arn: of the key that encrypts it; AWS's own for EBS where it is None.
    """

    image: str
    gib: Input[int]
    key_arn: Input[str] | None = None


def launch_template(
    parent: pulumi.Resource,
    name: str,
    name_prefix: str,
    volume: Volume,
    tags: Tags,
    **more: Any,
) -> ec2.LaunchTemplate:
    """Create a launch template with IMDSv2, hop limit 1 (no Pod without host network reaches the node's
    role), encrypted gp3 volumes, and tags on instances, volumes and network interfaces.

    more: further arguments of the launch template.
    """
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
            ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags) for kind in launched
        ],
        tags=tags,
        opts=ResourceOptions(parent=parent),
        **more,
    )


def _devices(volume: Volume) -> list[ec2.LaunchTemplateBlockDeviceMappingArgs]:
    """Return all devices of the image, because EC2 encrypts only those that the launch template lists. A
    device that does not store containers keeps the size of the image's snapshot."""
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
    """Return taints as EKS's API names their effects."""
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
    size: tuple[Input[int], Input[int]],
    *,
    image_version: Input[str] | None = None,
    upgraded: bool = True,
    **more: Any,
) -> eks.NodeGroup:
    """Create a managed node group with its minimum size; afterwards the autoscaler decides the size.

    size: minimum and maximum. image_version: the release of its image. upgraded: whether it follows new
    versions of Kubernetes, of its image and of its launch template. more: further arguments.
    """
    minimum, maximum = size
    fixed = [] if upgraded else ["version", "releaseVersion", "launchTemplate.version"]
    ignored = ["scalingConfig.desiredSize", *fixed]
    group = eks.NodeGroup(
        name,
        cluster_name=cluster.name,
        # EKS refuses a release of another minor version than this one.
        version=image_versions.kubernetes_version(image_version, cluster.version),
        release_version=image_version,
        node_role_arn=role.arn,
        launch_template=eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(str)
        ),
        scaling_config=eks.NodeGroupScalingConfigArgs(
            min_size=minimum, max_size=maximum, desired_size=minimum
        ),
        node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
        opts=ResourceOptions(
            parent=parent,
            depends_on=list(role.attachments),
            ignore_changes=ignored,
            hooks=None if image_version is None else keep_release(name, parent, cluster.version),
        ),
        **more,
    )
    Output.all(group.cluster_name, group.node_group_name, group.status).apply(
        lambda values: refuse_failed(str(values[0]), str(values[1]), values[2])
    )
    return group


USABLE: Final = frozenset({"ACTIVE", "UPDATING", "DEGRADED"})
"""The statuses in which a node group exists and EKS accepts changes of it."""


_UNFINISHED: Final = "its creation failed, and the state has no status; run `up --refresh`, which reads it"


def refuse_failed(cluster: str, group: str, status: str | None) -> None:
    """Raise pulumi.RunError where the creation of a node group failed, or it is being deleted.

    The provider keeps a node group whose creation failed in the state, and its next update has nothing to
    change: without this error the second `up` would succeed while EKS still reports CREATE_FAILED.
    """
    if status in USABLE:
        return
    options = f"--cluster-name {cluster} --nodegroup-name {group}"
    # A creation that failed leaves no status in the state until a refresh reads it.
    if not status:
        raise pulumi.RunError(f"node group {group} of {cluster}: {_UNFINISHED}")
    problem = f"node group {group} of {cluster}: EKS reports {status}; expected ACTIVE"
    if status == "CREATING":
        raise pulumi.RunError(f"{problem}. It is still being created: wait, then run `up` again")
    raise pulumi.RunError(
        f"{problem}. EKS does not change a node group in this status: delete it and run `up --refresh`, "
        f"which creates it again:\n  aws eks delete-nodegroup {options}\nWhy it failed:\n"
        f"  aws eks describe-nodegroup {options} --query nodegroup.health"
    )


def autoscaling_group_name(group: eks.NodeGroup) -> Output[str]:
    """Return the name of the Auto Scaling group that EKS creates for a node group. EKS tags it for the
    autoscaler's discovery (`k8s.io/cluster-autoscaler/enabled`, `k8s.io/cluster-autoscaler/<cluster>=owned`).
    """

    def first(resources: Sequence[Any]) -> str:
        groups = resources[0].autoscaling_groups if resources else None
        if not groups:
            raise pulumi.RunError(f"a node group has no Auto Scaling group: {_UNFINISHED}")
        return str(groups[0].name)

    return group.resources.apply(first)


def tag_for_autoscaler(
    parent: pulumi.Resource,
    name: str,
    group: Input[str],
    resources: Mapping[str, Input[str]],
    taints: Sequence[Taint] = (),
) -> None:
    """Tag an Auto Scaling group with what the Cluster Autoscaler cannot see while the group has no node:
    resources, and taints without a value. EKS does not copy the tags of a node group to it.

    The autoscaler reads taints from DescribeNodegroup, but skips those without a value (cluster-autoscaler,
    cloudprovider/aws/aws_wrapper.go, getManagedNodegroupInfo): for a Pod that does not tolerate such a taint
    the group would grow and shrink again and again.
    """
    tags: dict[str, Input[str]] = {
        f"resources/{resource}": quantity for resource, quantity in resources.items()
    }
    # One tag per key, with the strongest effect: it also keeps away the Pods that a weaker one would.
    for taint in sorted(taints, key=lambda taint: _STRENGTH.index(taint.effect)):
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
