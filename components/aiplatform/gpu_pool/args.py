"""Arguments of a GPU pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal, NotRequired, TypedDict

from pulumi import Input

from aiplatform import accelerators
from aiplatform._shared.addresses import private_range
from aiplatform._shared.args import Problem, between, distinct, got, length
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import Taint, TaintArgs, pool_name
from aiplatform._shared.kubernetes.node_labels import MOST_REPLICAS
from aiplatform._shared.references.cluster import ClusterReference, ClusterReferenceArgs
from aiplatform.accelerators import Card, Machine
from aiplatform.gpu_pool.cloud_support import SUPPORT
from aiplatform.naming import (
    EKS_NODE_GROUP_PREFIX,
    IAM_ROLE_PREFIX,
    LAUNCH_TEMPLATE_PREFIX,
    PLACEMENT_GROUP,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
    prefix_for,
)
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs

LONGEST_NAME: Final = 20
"""Of a pool's name: `{name}-reserved-{6}-` and the provider's suffix are a node group's name."""
_LONGEST = "n" * LONGEST_NAME

ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-" + _LONGEST)
NODE_GROUP: Final = PhysicalName(EKS_NODE_GROUP_PREFIX, _LONGEST + "-reserved-123456")
LAUNCH_TEMPLATE: Final = PhysicalName(LAUNCH_TEMPLATE_PREFIX, "{prefix}-" + _LONGEST + "-reserved-123456")
SECURITY_GROUP: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-" + _LONGEST + "-efa")
PLACEMENT: Final = PhysicalName(PLACEMENT_GROUP, "{prefix}-" + _LONGEST + "-1234567")

MOST_NODES: Final = 450
"""EKS's quota of nodes in a managed node group."""

CapacityType = Literal["reserved", "spot", "on_demand", "flex_start", "queued"]
SharingStrategy = Literal["time_slicing", "mig"]
NodeImage = Literal["al2023", "bottlerocket"]
InstanceStore = Literal["raid0", "none"]


class CapacityArgs(TypedDict):
    """One way to buy nodes. There is no maximum price for spot: the clouds take the spot price, at most the
    on-demand price."""

    type: CapacityType
    """`reserved`, `spot` or `on_demand`; on Google Cloud also `flex_start` (nodes come when there are some,
    for seven days at most) and `queued` (as flex_start, all nodes of a ProvisioningRequest at once, and none
    for an ordinary Pod)."""
    reservation_id: NotRequired[str]
    """`reserved` only, and required there. AWS: the capacity reservation, `cr-...`. Google Cloud: the
    reservation's name, or `projects/PROJECT/reservations/NAME` where another project shares it; a block of it
    by `/reservationBlocks/BLOCK` after the name."""
    capacity_block: NotRequired[bool]
    """`reserved` only: the reservation is a Capacity Block for ML. Its node group starts at 0, whatever `min`
    says, as nothing can be launched before the block begins; EKS drains it 40 minutes before the end. It
    keeps its version of Kubernetes and of the launch template: EKS upgrades it at size 0 alone, and the next
    block is a node group of its own. Default: false, an on-demand capacity reservation."""
    zone: NotRequired[str]
    """`reserved` only: the reservation's zone, by its id. Default: the pool's, where it has just one."""
    instance_types: NotRequired[list[str]]
    """Which instance types with this accelerator and count, in order of preference; on Google Cloud one
    machine type. Default: for `spot` on AWS all that the catalog has, else its preferred one."""
    max_run_hours: NotRequired[int]
    """`flex_start` and `queued` only: how long a node lives, 1 to 168. Default 168, seven days."""


class SharingArgs(TypedDict):
    """How several containers share a card."""

    strategy: SharingStrategy
    """`time_slicing`: they take turns on the whole card, without memory isolation. `mig`: the card is cut
    into isolated slices."""
    replicas: NotRequired[int]
    """`time_slicing` only, and required there: how many share one card, 2 to 64 (on Google Cloud to 48)."""
    profile: NotRequired[str]
    """`mig` only, and required there: the profile that every card is cut into, `1g.10gb`. A cloud may make
    fewer of them than the card can."""


class GpuPoolArgs(TypedDict):
    """Nodes with accelerators: for each entry of `capacity` a node group of EKS or a node pool of GKE, with
    common labels and taints, that an autoscaler grows in the order of the entries."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    name: str
    """The pool's name, a DNS label of at most 20 characters; also the node label `ai-platform/pool`, and on
    Google Cloud the name of its ComputeClass."""
    cluster: Input[ClusterReferenceArgs]
    """The cluster that the nodes join: `Cluster.outputs`. It says which cloud the pool is on."""
    network: Input[NetworkReferenceArgs]
    """The network that they stand in, with its zones: `Network.outputs`."""
    accelerator: str
    """`t4`, `l4`, `a100`, `a100-80`, `h100`, `h200` or `b200`; on AWS also `a10g`, `l40s`, `trainium`,
    `trainium2` and `inferentia2`, on Google Cloud `h100-mega`, `tpu-v5e` and `tpu-v6e`."""
    count: int
    """Cards of a node; an error lists those that exist."""
    capacity: NotRequired[list[CapacityArgs]]
    """In order of preference. Default: on demand."""
    topology: NotRequired[str]
    """Google Cloud, TPUs: the shape of a slice, `4x4`. Where it takes several nodes, these come and go
    together, and `min` and `max` count slices. Default: a slice is one node."""
    min: NotRequired[int]
    """Nodes that stay, in the first entry that can keep them. Default 0. On AWS raise it only while at least
    so many nodes are there: the size belongs to the autoscaler, and EKS refuses a minimum above it. On Google
    Cloud nodes below a raised minimum come with the next Pods that need them, or by
    `gcloud container clusters resize`."""
    max: NotRequired[int]
    """The most nodes of each entry. Default 1. On Google Cloud a changed `min` or `max` may change how many
    of its zones the pool is in, unless `zones` names one."""
    zones: NotRequired[list[str]]
    """Zones of the network by id (`usw2-az1`; on Google Cloud `europe-west4-a`); one only where nodes must
    stand close together: with EFA, GPUDirect, a placement group or a slice of several nodes. Default: those
    of the network that offer the machine types, and of these one where only one can be."""
    image: NotRequired[NodeImage]
    """AWS: `al2023` or `bottlerocket`. Default: `al2023`, and `bottlerocket` with MIG, which only it can do.
    Google Cloud: always Container-Optimized OS."""
    efa: NotRequired[bool]
    """AWS: Elastic Fabric Adapters on every network card, for traffic between the cards of several nodes.
    Default: on a machine with several network cards."""
    gpudirect: NotRequired[bool]
    """Google Cloud: networks for the cards' own network interfaces, for traffic between the cards of several
    nodes. The cluster must have multi-networking. Four VPCs for A3 High, eight for A3 Mega, two for A3 Ultra
    and A4, of the 15 that a project's quota allows at first. The NCCL plugins for them are not installed:
    they belong to the workloads. Default: on a machine that has such interfaces."""
    gpudirect_cidr: NotRequired[str]
    """Google Cloud: the range that these networks are cut from, /16 to /20, outside the cluster's network and
    apart from those of the cluster's other pools. A node takes an address in each of sixteen equal parts: a
    /20 has room for 252 nodes. Default: a /20 of 192.168.0.0/16, chosen by the pool's name."""
    placement_group: NotRequired[bool]
    """Whether spot and on-demand nodes stand close together: a cluster placement group on AWS, a compact
    placement policy on Google Cloud. Default: with EFA or GPUDirect."""
    sharing: NotRequired[SharingArgs]
    """Default: a card belongs to one container."""
    disk_gib: NotRequired[int]
    """Size of the encrypted volume that a node starts from, GiB. Default 100."""
    instance_store: NotRequired[InstanceStore]
    """`raid0`: the NVMe disks of the machine are one array that holds container images, logs and emptyDirs.
    `none`: they are left alone. Default: `raid0` where there always are some. On Google Cloud `raid0` also
    adds them to a machine type that may have them."""
    max_pods: NotRequired[int]
    """The most Pods of a node. Default: EKS's number, or with EFA what the network interfaces that it leaves
    have addresses for (51 on p5.48xlarge); more where Pods get addresses by prefixes."""
    force_update: NotRequired[bool]
    """Whether an update of the nodes also evicts Pods that a PodDisruptionBudget keeps; without it the update
    waits for them, and fails. Default false."""
    labels: NotRequired[dict[str, str]]
    """More node labels."""
    taints: NotRequired[list[TaintArgs]]
    """More node taints, beside that of the accelerator (`nvidia.com/gpu`)."""
    tags: NotRequired[dict[str, str]]
    """Tags, on Google Cloud labels, of every resource, instance and volume, beside those of the provider."""


WAITS: Final = ("flex_start", "queued")
"""Capacity that a queue gives: Google's Dynamic Workload Scheduler."""
LONGEST_RUN: Final = 168
"""Hours that a node of a queue lives, at most ("About flex-start")."""


@dataclass(frozen=True)
class Capacity:
    """A checked CapacityArgs."""

    type: CapacityType
    reservation_id: str | None = None
    capacity_block: bool = False
    zone: str | None = None
    instance_types: Annotated[list[str], length(1, 20, "instance types"), distinct] | None = None
    max_run_hours: Annotated[int, between(1, LONGEST_RUN, "hours")] | None = None

    @property
    def key(self) -> str:
        """What the entry's resources are called: stable, whatever is put before or after it."""
        if self.type == "reserved":
            return f"reserved-{(self.reservation_id or '')[-6:]}"
        return self.type.replace("_", "-")

    def check(self) -> Iterator[Problem]:
        """What goes with which type."""
        if self.type == "reserved":
            if self.reservation_id is None:
                yield Problem(
                    "reservation_id",
                    "missing, expected a capacity reservation: its id (cr-...) on AWS, its name on Google "
                    "Cloud",
                )
            return
        if self.reservation_id is not None:
            never = self.type == "spot" or self.type in WAITS
            hint = f": {self.type} nodes never run in a reservation" if never else ""
            yield Problem(
                "reservation_id", f"got a reservation with type {self.type!r}, expected 'reserved'{hint}"
            )
        if self.capacity_block:
            yield Problem("capacity_block", f"got true with type {self.type!r}, expected 'reserved'")
        if self.zone is not None:
            yield Problem("zone", f"got a zone with type {self.type!r}; the pool's `zones` say it")


@dataclass(frozen=True)
class Sharing:
    """A checked SharingArgs."""

    strategy: SharingStrategy
    replicas: Annotated[int, between(2, MOST_REPLICAS, "containers a card")] | None = None
    profile: str | None = None

    def check(self) -> Iterator[Problem]:
        """What goes with which strategy."""
        needed, other = (
            ("replicas", "profile") if self.strategy == "time_slicing" else ("profile", "replicas")
        )
        if getattr(self, needed) is None:
            what = "2 to 64 containers a card" if needed == "replicas" else "a profile such as 1g.10gb"
            yield Problem(needed, f"missing, strategy {self.strategy!r} needs it: {what}")
        if getattr(self, other) is not None:
            yield Problem(other, f"not known to strategy {self.strategy!r}")


@dataclass(frozen=True)
class GpuPoolSettings(CloudNeutral):
    """Checked arguments of a GPU pool. Rules that join several keys stand in `rules` and `gcp_rules`."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(LAUNCH_TEMPLATE, SECURITY_GROUP, PLACEMENT)]
    name: Annotated[str, pool_name(LONGEST_NAME)]
    cluster: ClusterReference
    network: NetworkReference
    accelerator: str
    count: int
    capacity: Annotated[list[Capacity], length(1, 8, "entries")] = field(
        default_factory=lambda: [Capacity("on_demand")]
    )
    min: Annotated[int, between(0, MOST_NODES, "nodes")] = 0
    max: Annotated[int, between(1, MOST_NODES, "nodes")] = 1
    topology: str | None = None
    zones: Annotated[list[str], length(1, 6, "zones"), distinct] | None = None
    image: NodeImage | None = None
    efa: bool | None = None
    gpudirect: bool | None = None
    gpudirect_cidr: Annotated[str, private_range(16, 20)] | None = None
    placement_group: bool | None = None
    sharing: Sharing | None = None
    disk_gib: Annotated[int, between(20, 16384, "GiB")] = 100
    instance_store: InstanceStore | None = None
    max_pods: Annotated[int, between(8, 250, "pods")] | None = None
    force_update: bool = False
    labels: dict[str, str] = field(default_factory=dict[str, str])
    taints: list[Taint] = field(default_factory=list[Taint])
    tags: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Take the zones of the pool where those of the network are an output."""
        object.__setattr__(self, "network", self.network.with_zones(self.zones or []))

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        # Imported late: the rules need this type.
        from aiplatform.gpu_pool.aws import rules
        from aiplatform.gpu_pool.gcp import rules as gcp_rules

        card = accelerators.key_problem(self.accelerator, self.cloud) or accelerators.offered_problem(
            self.accelerator, self.cloud
        )
        if card:
            yield Problem("accelerator", f"{got(self.accelerator)}, {card}")
            return
        count = accelerators.count_problem(self.accelerator, self.count, self.cloud)
        if count:
            yield Problem("count", f"{got(self.count)}, {count}")
            return
        yield from rules.problems(self) if self.cloud == "aws" else gcp_rules.problems(self)

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def card(self) -> Card:
        """What the nodes carry."""
        return accelerators.CARDS[self.accelerator]

    @property
    def machine(self) -> Machine:
        """AWS's preferred machine for this accelerator and count."""
        return accelerators.aws_machines(self.accelerator, self.count)[0]

    @property
    def os(self) -> NodeImage:
        """The image, with its default."""
        mig = self.sharing is not None and self.sharing.strategy == "mig"
        return self.image or ("bottlerocket" if mig else "al2023")

    @property
    def with_efa(self) -> bool:
        """Whether nodes have EFA, with its default."""
        return self.machine.efa_interfaces > 1 if self.efa is None else self.efa

    @property
    def with_placement_group(self) -> bool:
        """Whether there is a placement group, with its default: a reservation has a placement of its own."""
        wanted = self.with_efa if self.placement_group is None else self.placement_group
        return wanted and any(entry.type != "reserved" for entry in self.capacity)

    @property
    def in_one_zone(self) -> bool:
        """EFA reaches no further than a subnet, a cluster placement group no further than a zone."""
        return self.with_efa or self.with_placement_group

    @property
    def raid0(self) -> bool:
        """Whether the instance store is made an array, with its default."""
        return self.machine.disks.count > 0 if self.instance_store is None else self.instance_store == "raid0"
