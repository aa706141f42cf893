"""Arguments of the Cluster Autoscaler."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pulumi import Input, Output

from aiplatform._shared import images
from aiplatform._shared.args import Problem, between, got, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import (
    ClusterReference,
    NodeGroupReference,
    NodeGroups,
    plain_node_groups,
)
from aiplatform.cluster_autoscaler.cloud_support import SUPPORT
from aiplatform.cluster_autoscaler.inputs import ClusterAutoscalerArgs as ClusterAutoscalerArgs
from aiplatform.naming import IAM_ROLE_PREFIX, PhysicalName, aws_tags, prefix_for

ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-autoscaler")

IMAGES: Final[Mapping[str, str]] = {
    name.removeprefix("cluster-autoscaler-").replace("-", "."): image.reference
    for name, image in images.images().items()
    if name.startswith("cluster-autoscaler-")
}
"""Kubernetes' minor version -> the autoscaler's image for it, which simulates that version's scheduler."""


ENDPOINTS: Final = ("autoscaling", "ec2", "eks", "eks-auth", "sts")
"""AWS services that it calls: a network without access to the internet needs interface endpoints for them
(EKS user guide, "Deploy private clusters with limited internet access")."""


def image_for(version: str) -> str:
    """Return the image for a cluster's version. Raises ValueError where no release is pinned for it."""
    minor = ".".join(version.split(".")[:2])
    if minor not in IMAGES:
        raise ValueError(_no_release(version))
    return IMAGES[minor]


def _no_release(version: str) -> str:
    known = ", ".join(IMAGES)
    return f"{got(version)}; expected one of {known}, for which a release is pinned, or an `image`"


@dataclass(frozen=True)
class ClusterAutoscalerSettings(CloudNeutral):
    """The Cluster Autoscaler: it adds nodes for Pods that do not fit, and removes idle nodes."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(ROLE)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`. Its `version` selects the release, unless `image` is set."""
    node_groups: NodeGroups = field(default_factory=list[Input[NodeGroupReference]])
    """The node groups of all pools, as in the outputs of the pools. Where several groups fit, the autoscaler
    uses the one with the highest priority, and among equal ones that with the least unused capacity. Groups
    that are not listed come last. Default: none."""
    replicas: Input[Annotated[int, between(1, 3, "replicas")]] = 1
    """Replicas, 1 to 3: one is the leader, the others are on standby. Default 1."""
    scale_down_after_minutes: Input[Annotated[int, between(1, 1440, "minutes")]] = 10
    """Minutes that a node is idle before it is removed, 1 to 1440. Default 10."""
    image: (
        Input[
            Annotated[
                str,
                matches(r"[^\s:]+(:\d+/[^\s:]+)?(:[\w.-]+|@sha256:[0-9a-f]{64})+", "an image with its tag"),
            ]
        ]
        | None
    ) = None
    """The image, with tag or digest. Default: upstream's for the cluster's version."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's image: its registry (`registry.k8s.io`), or a repository in it -> the registry or
    repository to pull from instead, such as an ECR pull-through cache
    (`111122223333.dkr.ecr.us-west-2.amazonaws.com/k8s`). Tag and digest are kept. Default: no mirror."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of every resource on AWS, in addition to the provider's default tags."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        for index, group in plain_node_groups(self.node_groups):
            if group.autoscaling_group is None:
                yield Problem(
                    f"node_groups[{index}].autoscaling_group",
                    "missing; expected the name of the node group's Auto Scaling group",
                )
        version = self.cluster.version
        if self.image is None and version is None:
            yield Problem(
                "cluster.version", "missing; expected the cluster's version, which selects the image"
            )
        if self.image is None and isinstance(version, str) and ".".join(version.split(".")[:2]) not in IMAGES:
            yield Problem("cluster.version", _no_release(version))

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def chosen_image(self) -> Input[str]:
        """The image: the argument, else that for the cluster's version."""
        if self.image is not None:
            return self.image
        version = Output.from_input(self.cluster.version or "")
        return Output.all(version, self.mirrors).apply(
            lambda known: images.mirrored(image_for(known[0]), known[1])
        )
