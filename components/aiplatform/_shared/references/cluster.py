"""References to a cluster and to node groups, with the same keys as the outputs of Cluster and of the pools.

A reference accepts every key of the outputs, so that they can be passed on unchanged. It declares those that
a component reads, and which are required. `make generate` writes the TypedDicts for programs into inputs.py,
with the other outputs added.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, cast

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Problem, is_unknown, read
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.references.inputs import ClusterReferenceArgs as ClusterReferenceArgs
from aiplatform._shared.references.inputs import NodeGroupReferenceArgs as NodeGroupReferenceArgs


@dataclass(frozen=True)
class ClusterReference:
    """A cluster, as in Cluster.outputs."""

    may_be_output: ClassVar[bool] = True
    passed_on: ClassVar[Collection[str]] = ClusterReferenceArgs.__annotations__.keys()

    name: Input[str]
    """The cluster's name."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: str | None = None
    """Google Cloud, and required there: its project's id."""
    region: str | None = None
    """Google Cloud, and required there: its region."""
    location: str | None = None
    """Google Cloud: where its control plane is, the region or one zone. Default: the region."""
    security_group_id: Input[str] | None = None
    """AWS, and required there: the cluster security group, which EKS creates for the traffic between control
    plane and nodes."""
    node_service_account: Input[str] | None = None
    """Google Cloud, and required there: the e-mail address of the service account that nodes run as."""
    disk_kms_key: Input[str] | None = None
    """Google Cloud: the key that encrypts the boot disks of nodes, `projects/.../cryptoKeys/...`; Compute
    Engine's service agent needs permission to use it. Default: Google's own keys."""
    multi_networking: bool = False
    """Google Cloud: whether Pods may have additional network interfaces, which GPUDirect needs. It cannot be
    changed after the cluster is created. Default false."""
    workload_pool: Input[str] | None = None
    """Google Cloud: the pool of workload identities, `PROJECT.svc.id.goog`."""
    vpc_id: Input[str] | None = None
    """AWS: its network. Only the load balancer controller needs it."""
    version: Input[str] | None = None
    """Kubernetes' minor version, `1.36`, to which node groups are updated. Default: they keep the version
    that they were created with."""
    node_role_arn: Input[str] | None = None
    """AWS: a role that all nodes share. Default: each pool creates its own."""
    cni_role: bool = False
    """AWS: whether the VPC CNI (`aws-node`) has its own role, by Pod Identity or IRSA. If not, the role that
    a pool creates for its nodes gets AmazonEKS_CNI_Policy, without which no node becomes Ready. Default
    false."""
    volume_key_arn: Input[str] | None = None
    """AWS: the key that encrypts the volumes of nodes; its policy must allow EC2 Auto Scaling to use it, and
    for spot instances of Karpenter AWSServiceRoleForEC2Spot. Default: AWS's own key for EBS."""

    def check(self) -> Iterator[Problem]:
        """Return the keys that are required on the cluster's cloud and missing."""
        needed = {"aws": ("security_group_id",), "gcp": ("project", "region", "node_service_account")}
        for key in needed[self.cloud]:
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the cluster's {key} as in Cluster.outputs")


FIRST_PRIORITY: Final = 100
PRIORITY_STEP: Final = 10


def priority(index: int) -> int:
    """Return the priority of the node group for the entry at this index of a pool's `capacity`."""
    return FIRST_PRIORITY - PRIORITY_STEP * index


@dataclass(frozen=True)
class NodeGroupReference:
    """A node group of EKS or a node pool of GKE, as in the outputs of a pool."""

    priority: Input[int]
    """The node group with the highest priority grows first: for the autoscaler's priority expander, and for
    the order of a ComputeClass."""
    autoscaling_group: Input[str] | None = None
    """AWS: the name of its Auto Scaling group."""
    name: Input[str] | None = None
    """Its name in EKS or GKE."""
    capacity: Input[str] | None = None
    """`reserved`, `spot`, `on_demand`, `flex_start` or `queued`."""


NodeGroups = Input[list[Input[NodeGroupReference]]]
"""Node groups of several pools. The list or an entry of it may be an output."""


def plain_node_groups(groups: NodeGroups) -> Iterator[tuple[int, NodeGroupReference]]:
    """Yield the node groups that are not outputs as a whole, with their positions in the list."""
    for index, group in enumerate(groups if isinstance(groups, list) else []):
        if isinstance(group, NodeGroupReference):
            yield index, group


def resolved_node_groups(
    groups: NodeGroups, needed: Literal["name", "autoscaling_group"]
) -> Output[list[tuple[int, str]]]:
    """Return (priority, name) of node groups once they are known. needed: which of their names."""

    def checked(group: Any) -> Any:
        return group if is_unknown(group) else read(NodeGroupReference, group, "node_groups")

    def entry(group: Any) -> Output[tuple[int, str]]:
        if is_unknown(group):
            return Output.from_input(group).apply(lambda known: entry(checked(known)))
        return Output.all(group.priority, getattr(group, needed)).apply(lambda known: pair(*known))

    def pair(priority: Any, name: Any) -> tuple[int, str]:
        if name is None:
            reason = "missing; expected it as in the outputs of the pool"
            raise ArgumentError([Problem(f"node_groups.{needed}", reason)])
        return int(priority), str(name)

    def entries(known: list[Any]) -> Output[list[tuple[int, str]]]:
        return cast("Output[list[tuple[int, str]]]", Output.all(*(entry(checked(group)) for group in known)))

    return entries(groups) if isinstance(groups, list) else Output.from_input(groups).apply(entries)
