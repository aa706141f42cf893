"""Arguments of a ComputeClass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared.args import Problem, between, length
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import class_name
from aiplatform._shared.references.cluster import (
    ClusterReference,
    ClusterReferenceArgs,
    NodeGroupReference,
    NodeGroupReferenceArgs,
    plain_node_groups,
)
from aiplatform.compute_class.cloud_support import SUPPORT
from aiplatform.naming import dns_label


class ComputeClassArgs(TypedDict):
    """The order in which GKE's autoscaler grows node pools for the Pods that select a class."""

    name: str
    """The class's name, a DNS label that begins with neither `gke` nor `autopilot`, and not `default`. Its
    node pools have it as the value of label and taint `cloud.google.com/compute-class`."""
    cluster: ClusterReferenceArgs
    """The cluster: `Cluster.outputs`."""
    node_groups: Input[Sequence[Input[NodeGroupReferenceArgs]]]
    """The node pools, as the pools' outputs give them; the highest priority is tried first, and equal ones
    are tried together."""
    move_up: NotRequired[bool]
    """Whether GKE moves Pods to nodes of a higher priority when there are some again. It restarts them.
    Default false."""
    idle_minutes: NotRequired[int]
    """How long a node is idle before it goes, 1 to 1440. Default: GKE's own."""


@dataclass(frozen=True)
class ComputeClassSettings(CloudNeutral):
    """Checked arguments of a ComputeClass."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    name: Annotated[str, dns_label, class_name]
    cluster: ClusterReference
    node_groups: Input[Annotated[list[Input[NodeGroupReference]], length(1, 100, "node pools")]]
    move_up: bool = False
    idle_minutes: Annotated[int, between(1, 1440, "minutes")] | None = None

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    def check(self) -> Iterator[Problem]:
        """What GKE refuses, and what it could not find."""
        for index, group in plain_node_groups(self.node_groups):
            if group.name is None:
                yield Problem(f"node_groups[{index}].name", "missing, expected the node pool's name")
            if group.capacity == "queued":
                yield Problem(
                    f"node_groups[{index}].capacity",
                    "got 'queued', which grows for a ProvisioningRequest alone: leave it out of a class",
                )
