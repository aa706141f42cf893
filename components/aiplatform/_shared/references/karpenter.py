"""What Karpenter needs of a pool: an EC2NodeClass and a NodePool for each entry of its `capacity`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, matches
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.kubernetes.pools import NodeImage
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.inputs import KarpenterPoolReferenceArgs as KarpenterPoolReferenceArgs

KarpenterCapacity = Literal["reserved", "spot", "on-demand"]


@dataclass(frozen=True)
class KarpenterPoolReference:
    """Nodes that Karpenter creates in one way: a type of capacity of a pool, as in the output
    `karpenter_pools` of GpuPool."""

    name: Annotated[str, matches(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "a DNS label")]
    """The name of its NodePool and of its EC2NodeClass."""
    weight: Annotated[int, between(1, 100)]
    """Of the NodePools that fit a Pod, Karpenter uses the one with the highest weight, 1 to 100."""
    capacity: KarpenterCapacity
    """The type of capacity, as Karpenter names it."""
    instance_types: Annotated[list[str], length(1, 100, "instance types"), distinct]
    """The instance types, of which Karpenter takes the cheapest."""
    zones: Annotated[list[str], length(1, 6, "zones"), distinct]
    """The zones by id (`usw2-az1`): one with EFA or a placement group."""
    subnet_ids: list[Input[str]]
    """The subnets of the nodes, one in each zone."""
    security_group_ids: list[Input[str]]
    """The security groups of every network interface."""
    labels: dict[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """The labels of the nodes."""
    taints: list[Taint] = field(default_factory=list[Taint])
    """The taints of the nodes."""
    limits: dict[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """Resource -> its quantity on all nodes together, above which Karpenter creates no other node. It counts
    with a delay and may exceed a limit for a short time. Default: no limit."""
    image: NodeImage = "al2023"
    """`al2023` or `bottlerocket`; Karpenter chooses the variant for the accelerator. Default `al2023`."""
    volume_gib: Input[int] = 100
    """Size of the volume for containers, GiB. Default 100."""
    volume_key_arn: Input[str] | None = None
    """The key that encrypts the volumes. Default: AWS's own key for EBS."""
    efa_interfaces: Annotated[int, between(0, 32, "interfaces")] = 0
    """Elastic Fabric Adapters of a node, one on each network card. Default 0."""
    placement_group: Input[str] | None = None
    """The name of the placement group. Default: none."""
    reservation_id: Input[str] | None = None
    """`reserved` only, and required there: the capacity reservation or Capacity Block, `cr-...`."""
    raid0: bool = False
    """Whether the instance store is one array for container images, logs and emptyDirs. Default false."""
    max_pods: Input[int] | None = None
    """Maximum of Pods on a node. Default: the number of addresses of its network interfaces."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of instances, volumes and network interfaces."""

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        if (self.capacity == "reserved") != (self.reservation_id is not None):
            expected = "a capacity reservation" if self.capacity == "reserved" else "none"
            yield Problem(
                "reservation_id",
                f"got {self.reservation_id!r} with capacity {self.capacity!r}; expected {expected}",
            )
        if len(self.zones) > 1 and (self.efa_interfaces or self.placement_group is not None):
            why = "EFA" if self.efa_interfaces else "a placement group"
            yield Problem("zones", f"{got(self.zones)}; expected one zone: {why} does not span zones")
