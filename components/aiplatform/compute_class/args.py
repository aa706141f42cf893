"""Arguments of a ComputeClass."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pulumi import Input

from aiplatform._shared.args import Problem, between, is_unknown, length
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import class_name
from aiplatform._shared.references.cluster import (
    ClusterReference,
    NodeGroupReference,
    plain_node_groups,
)
from aiplatform.compute_class.cloud_support import SUPPORT
from aiplatform.compute_class.inputs import ComputeClassArgs as ComputeClassArgs
from aiplatform.naming import dns_label


@dataclass(frozen=True)
class ComputeClassSettings(CloudNeutral):
    """The order in which GKE's autoscaler adds nodes to node pools for the Pods that select a class."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    name: Input[Annotated[str, dns_label, class_name]]
    """The name of the class: a DNS label that begins with neither `gke` nor `autopilot`, and not `default`.
    Its node pools have it as the value of the label and the taint `cloud.google.com/compute-class`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    node_groups: Input[Annotated[list[Input[NodeGroupReference]], length(1, 100, "node pools")]]
    """The node pools, as in the outputs of the pools. The highest priority is tried first; node pools with
    the same priority are tried together."""
    move_up: Input[bool] = False
    """Whether GKE moves Pods to nodes with a higher priority when there is capacity again, which restarts
    them. Default false."""
    idle_minutes: Input[Annotated[int, between(1, 1440, "minutes")]] | None = None
    """Minutes that a node is idle before it is removed, 1 to 1440. Default: GKE's default."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's; Google Cloud where the cluster is an output, because AWS has no ComputeClasses."""
        return "gcp" if is_unknown(self.cluster.node_service_account) else self.cluster.cloud

    def check(self) -> Iterator[Problem]:
        """Return the node groups that a ComputeClass cannot name."""
        for index, group in plain_node_groups(self.node_groups):
            if group.name is None:
                yield Problem(f"node_groups[{index}].name", "missing; expected the node pool's name")
            if group.capacity == "queued":
                yield Problem(
                    f"node_groups[{index}].capacity",
                    "got 'queued', which adds nodes for ProvisioningRequests only; expected a node pool of "
                    "another type",
                )
