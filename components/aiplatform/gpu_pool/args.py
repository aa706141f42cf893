"""Arguments of a GPU pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pulumi import Input

from aiplatform import accelerators
from aiplatform._shared import images
from aiplatform._shared.addresses import private_range
from aiplatform._shared.args import Problem, between, distinct, length, with_value
from aiplatform._shared.cloud_support import Cloud, SupportTable
from aiplatform._shared.disks import SIZE
from aiplatform._shared.kubernetes import image_versions
from aiplatform._shared.kubernetes.names import Taint, pool_name
from aiplatform._shared.kubernetes.node_labels import CLAIMED_GPU, MOST_REPLICAS
from aiplatform._shared.kubernetes.pool_args import PoolSettings
from aiplatform._shared.kubernetes.pools import LONGEST_NAME, MOST_NODES, NodeImage
from aiplatform.accelerators import Card, Machine
from aiplatform.gpu_pool.aws import rules as aws_rules
from aiplatform.gpu_pool.capacity import Capacity as Capacity
from aiplatform.gpu_pool.capacity import CapacityType as CapacityType
from aiplatform.gpu_pool.cloud_support import SUPPORT
from aiplatform.gpu_pool.gcp import rules as gcp_rules
from aiplatform.gpu_pool.inputs import CapacityArgs as CapacityArgs
from aiplatform.gpu_pool.inputs import GpuPoolArgs as GpuPoolArgs
from aiplatform.gpu_pool.inputs import SharingArgs as SharingArgs
from aiplatform.gpu_pool.names import LAUNCH_TEMPLATE, PLACEMENT, SECURITY_GROUP
from aiplatform.naming import prefix_for

SharingStrategy = Literal["time_slicing", "mig"]
InstanceStore = Literal["raid0", "none"]
NodeProvisioning = Literal["cluster_autoscaler", "karpenter", "moving_to_karpenter"]
DeviceAllocation = Literal["plugin", "dra"]


@dataclass(frozen=True)
class Sharing:
    """How several containers share an accelerator."""

    strategy: SharingStrategy
    """`time_slicing`: containers take turns on the whole accelerator, without memory isolation. `mig`: the
    accelerator is partitioned into isolated instances."""
    replicas: Annotated[int, between(2, MOST_REPLICAS, "containers a card")] | None = None
    """`time_slicing` only, and required there: containers per accelerator, 2 to 64 (on Google Cloud to
    48)."""
    profile: str | None = None
    """`mig` only, and required there: the profile of all partitions, `1g.10gb`. A cloud may support fewer
    profiles than the accelerator."""

    def check(self) -> Iterator[Problem]:
        """Return the problems of keys that do not fit the strategy."""
        needed, other = (
            ("replicas", "profile") if self.strategy == "time_slicing" else ("profile", "replicas")
        )
        if getattr(self, needed) is None:
            what = "2 to 64 containers a card" if needed == "replicas" else "a profile such as 1g.10gb"
            yield Problem(needed, f"missing; expected {what} for strategy {self.strategy!r}")
        if getattr(self, other) is not None:
            yield Problem(other, f"got a value; expected none for strategy {self.strategy!r}")


@dataclass(frozen=True)
class GpuPoolSettings(PoolSettings):
    """Nodes with accelerators: for each entry of `capacity` a node group of EKS or a node pool of GKE, with
    common labels and taints. The autoscaler adds nodes in the order of the entries."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(LAUNCH_TEMPLATE, SECURITY_GROUP, PLACEMENT)]
    """First part of every physical name, `{org}-{environment}`."""
    name: Annotated[str, pool_name(LONGEST_NAME)]
    """The pool's name, a DNS label of at most 20 characters; also the node label `ai-platform/pool`, and on
    Google Cloud the name of its ComputeClass."""
    accelerator: str
    """`t4`, `l4`, `a100`, `a100-80`, `h100`, `h200` or `b200`; on AWS also `a10g`, `l40s`, `trainium`,
    `trainium2` and `inferentia2`, on Google Cloud `h100-mega`, `tpu-v5e` and `tpu-v6e`."""
    count: int
    """Accelerators of a node; the error for an unavailable count lists those that exist."""
    capacity: Annotated[list[Capacity], length(1, 8, "entries")] = field(
        default_factory=lambda: [Capacity("on_demand")]
    )
    """In order of preference. Default: on demand."""
    min: Input[Annotated[int, between(0, MOST_NODES, "nodes")]] = 0
    """Minimum of nodes in the first entry that can have one. Default 0. On AWS raise it only while at least
    as many nodes exist: the autoscaler controls the size, and EKS refuses a minimum above the current size.
    On Google Cloud a raised minimum adds no nodes by itself: they are added when Pods need them, or by
    `gcloud container clusters resize`."""
    max: Input[Annotated[int, between(1, MOST_NODES, "nodes")]] = 1
    """Maximum of nodes in each entry. Default 1. On Google Cloud a changed `min` or `max` may change the
    number of zones that the pool uses, unless `zones` has one entry."""
    topology: str | None = None
    """Google Cloud, TPUs: the topology of a slice, `4x4`. The nodes of a slice are created and deleted
    together; `min` and `max` then count slices. Default: a slice is one node."""
    zones: Annotated[list[str], length(1, 6, "zones"), distinct] | None = None
    """Zones of the network by id (`usw2-az1`; on Google Cloud `europe-west4-a`); exactly one where nodes must
    be close together: with EFA, GPUDirect, a placement group or a slice of several nodes. Default: the zones
    of the network that offer the machine types, or the first of them where there must be exactly one."""
    image: NodeImage | None = None
    """AWS: `al2023` or `bottlerocket`. Default: `al2023`, and `bottlerocket` with MIG, which only
    Bottlerocket supports. Google Cloud: always Container-Optimized OS."""
    efa: bool | None = None
    """AWS: whether nodes have Elastic Fabric Adapters on every network card, for traffic between the
    accelerators of several nodes. Default: true on machines with several network cards."""
    gpudirect: bool | None = None
    """Google Cloud: whether nodes have networks for GPUDirect, for traffic between the accelerators of
    several nodes. The cluster must have multi-networking. The number of VPCs is four for A3 High, eight for
    A3 Mega, two for A3 Ultra and A4, of the initial quota of 15 per project. Default: true on machines with
    network interfaces for GPUDirect."""
    gpudirect_installers: bool | None = None
    """Google Cloud: whether DaemonSets in kube-system install NCCL's plugin for GPUDirect on the pool's
    nodes, and for TCPX and TCPXO the injector of devices. False where others install them. Default: true
    with GPUDirect."""
    gpudirect_cidr: Annotated[str, private_range(16, 20)] | None = None
    """Google Cloud: the range of the GPUDirect networks, /16 to /20, which must overlap neither the cluster's
    network nor the ranges of its other pools. It is split into sixteen equal subnets, and a node uses an
    address in each: a /20 is enough for 252 nodes. Default: a /20 of 192.168.0.0/16, by the pool's name."""
    placement_group: bool | None = None
    """Whether spot and on-demand nodes are placed close together: by a cluster placement group on AWS, by a
    compact placement policy on Google Cloud. Default: true with EFA or GPUDirect."""
    sharing: Sharing | None = None
    """How containers share an accelerator. Default: one container per accelerator."""
    device_allocation: DeviceAllocation = "plugin"
    """`plugin`: containers request a number of accelerators, which a device plugin advertises. `dra`: Pods
    claim them by a ResourceClaimTemplate (dynamic resource allocation); the nodes have no device plugin, and
    the cluster needs the add-on `dra-driver-nvidia-gpu` and Kubernetes 1.34. `dra` is for AWS, NVIDIA's
    accelerators, AL2023, no `sharing`, one entry of `capacity`, and `min` equal to `max`: the Cluster
    Autoscaler does not know claims. Default `plugin`."""
    disk_gib: Input[Annotated[int, SIZE]] = 100
    """Size of a node's encrypted boot volume, GiB, 20 to 65536; with Karpenter at most 59000. Default 100."""
    instance_store: InstanceStore | None = None
    """`raid0`: the NVMe disks of the machine form one array for container images, logs and emptyDirs. `none`:
    they are not used. Default: `raid0` for machines that always have such disks. On Google Cloud `raid0` also
    adds disks to machine types for which they are optional."""
    max_pods: Input[Annotated[int, between(8, 250, "pods")]] | None = None
    """AWS: maximum of Pods on a node. Default: EKS's number, or with EFA the number of addresses on the
    network interfaces that EFA does not use (51 on p5.48xlarge). Set it higher where Pods get addresses by
    prefix delegation."""
    node_provisioning: NodeProvisioning | None = None
    """AWS: what creates and removes nodes. `cluster_autoscaler`: the Cluster Autoscaler changes the size of
    managed node groups, one for each entry of `capacity`. `karpenter`: Karpenter creates instances; pass the
    output `karpenter_pools` to the component Karpenter. `moving_to_karpenter`: the step between them. The
    node groups stay with a taint that keeps new Pods away, and the autoscaler removes their nodes as Pods
    end; new nodes are Karpenter's. Default `cluster_autoscaler`."""
    taints: list[Taint] = field(default_factory=list[Taint])
    """Additional node taints, next to that of the accelerator (`nvidia.com/gpu`)."""
    mirrors: Annotated[dict[str, str], images.mirrors] = field(default_factory=dict[str, str])
    """Google Cloud: mirrors of the images of GPUDirect: a registry (`us-docker.pkg.dev`), or a repository in
    it -> the registry or repository to pull from instead. Tag and digest are kept. Default: no mirror."""

    def __post_init__(self) -> None:
        """Take the zones of the pool where those of the network are an output."""
        object.__setattr__(self, "network", self.network.with_zones(self.zones or []))

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        card = accelerators.key_problem(self.accelerator, self.cloud) or accelerators.offered_problem(
            self.accelerator, self.cloud
        )
        if card:
            yield Problem("accelerator", with_value(self.accelerator, card))
            return
        count = accelerators.count_problem(self.accelerator, self.count, self.cloud)
        if count:
            yield Problem("count", with_value(self.count, count))
            return
        yield from image_versions.problems(
            "image_version", self.image_version, self.cloud, self.os, self.cluster.version
        )
        yield from gcp_rules.problems(self) if self.cloud == "gcp" else aws_rules.problems(self)

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def card(self) -> Card:
        """The accelerator of its nodes."""
        return accelerators.CARDS[self.accelerator]

    @property
    def machine(self) -> Machine:
        """AWS's preferred machine for this accelerator and count."""
        return accelerators.aws_machines(self.accelerator, self.count)[0]

    @property
    def claimed(self) -> bool:
        """Whether Pods claim the accelerators, in place of a request of their resource."""
        return self.device_allocation == "dra"

    @property
    def resource(self) -> str:
        """The resource by which quotas count the accelerators; a container requests it unless they are
        claimed."""
        return CLAIMED_GPU if self.claimed else self.card.resource

    @property
    def os(self) -> NodeImage:
        """The operating system of the nodes, with the default of `image`."""
        mig = self.sharing is not None and self.sharing.strategy == "mig"
        return self.image or ("bottlerocket" if mig else "al2023")

    @property
    def with_node_groups(self) -> bool:
        """AWS: whether the pool has managed node groups."""
        return self.node_provisioning != "karpenter"

    @property
    def with_karpenter(self) -> bool:
        """AWS: whether Karpenter creates the pool's new nodes."""
        return self.node_provisioning in ("karpenter", "moving_to_karpenter")

    @property
    def with_efa(self) -> bool:
        """Whether nodes have EFA, with the default of the argument."""
        return self.machine.efa_interfaces > 1 if self.efa is None else self.efa

    @property
    def with_placement_group(self) -> bool:
        """Whether there is a placement group, with its default. Reservations have their own placement."""
        wanted = self.with_efa if self.placement_group is None else self.placement_group
        return wanted and any(entry.type != "reserved" for entry in self.capacity)

    @property
    def in_one_zone(self) -> bool:
        """Whether all nodes are in one zone: EFA needs one subnet, a cluster placement group one zone."""
        return self.with_efa or self.with_placement_group

    @property
    def raid0(self) -> bool:
        """Whether the instance store is a RAID0 array, with the default of `instance_store`."""
        return self.machine.disks.count > 0 if self.instance_store is None else self.instance_store == "raid0"
