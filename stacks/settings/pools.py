"""The topics `node_pools` and `gpu_pools`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stacks.settings.topic import Topic

Capacity = Literal["reserved", "spot", "on_demand", "flex_start", "queued"]


class Taint(Topic):
    """A node taint: Pods without a toleration for it stay away."""

    key: str
    """`example.com/batch`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    """What happens to Pods without a toleration."""
    value: str = ""
    """The taint's value."""


class Pool(Topic):
    """What CPU and GPU pools have in common."""

    min: int = 0
    """Fewest nodes; 0 costs nothing while nothing runs."""
    max: int
    """Most nodes of each capacity entry."""
    zones: list[str] = Field(default_factory=list)
    """Zones to stay in, as the network has them; empty means every one that offers the machine."""
    image: Literal["al2023", "bottlerocket"] | None = None
    """AWS: the operating system of the nodes; left out, al2023, and bottlerocket with MIG, which needs it."""
    labels: dict[str, str] = Field(default_factory=dict)
    """More node labels."""
    taints: list[Taint] = Field(default_factory=list[Taint])
    """More node taints: a GPU pool has that of its accelerator by itself."""
    force_update: bool | None = None
    """AWS: whether an update of the nodes also evicts Pods that a PodDisruptionBudget keeps; without it the
    update waits for them, and fails. Left out, it does in dev alone."""
    disk_gib: int = 100
    """Root volume, in GiB."""


class NodePool(Pool):
    """An ordinary CPU node pool."""

    instance_types: list[str]
    """Instance types, the first preferred; one processor architecture. Google Cloud: one machine type."""
    capacity: list[Literal["spot", "on_demand"]] = Field(default_factory=lambda: ["on_demand"])
    """Where nodes come from, tried in this order."""


class CapacityEntry(Topic):
    """One entry of a GPU pool's capacity, where it needs more than its name."""

    type: Capacity
    """`reserved`, `spot`, `on_demand`; on Google Cloud also `flex_start` and `queued`."""
    reservation_id: str | None = None
    """Of `reserved`: the capacity reservation or capacity block (`cr-...`), on Google Cloud the reservation's
    name."""
    capacity_block: bool = False
    """AWS: whether the reservation is a capacity block."""
    zone: str | None = None
    """The reservation's zone, where the pool has several."""
    instance_types: list[str] = Field(default_factory=list)
    """Instance types in place of the catalog's."""
    max_run_hours: int | None = None
    """Of `flex_start` and `queued`: how long a node lives, 1 to 168 hours; left out, 168."""


class Sharing(Topic):
    """Several Pods on one GPU."""

    strategy: Literal["time_slicing", "mig"]
    """`time_slicing` shares without isolation; `mig` cuts the card."""
    replicas: int | None = None
    """Pods a GPU, with time_slicing."""
    profile: str | None = None
    """MIG profile (`1g.10gb`), with mig."""


class GpuPool(Pool):
    """A pool of accelerators. Say what you need; the catalog knows the machine."""

    accelerator: str
    """Which accelerator: t4, l4, a100, h100, h200, b200; AWS: a10g, l40s, trainium...; Google Cloud: tpu-v5e,
    tpu-v6e..."""
    count: int
    """Accelerators a node."""
    topology: str | None = None
    """Google Cloud, TPUs: the shape of a slice, `4x4`; left out, a slice is one node."""
    capacity: list[Capacity | CapacityEntry]
    """Where nodes come from, tried in this order. Left out, as the profile says."""
    max_pods: int | None = None
    """AWS: the most Pods of a node; left out, as many as its network interfaces have addresses for."""
    efa: bool | None = None
    """AWS: Elastic Fabric Adapter; left out, nodes that carry whole machines have it."""
    gpudirect: bool | None = None
    """Google Cloud: networks for the cards' own network interfaces; left out, on machines that have them."""
    gpudirect_cidr: str | None = None
    """Google Cloud: the range that these networks are cut from, apart from those of other pools;
    left out, a /20 of 192.168.0.0/16 by the pool's name."""
    placement_group: bool | None = None
    """Whether spot and on-demand nodes stand close together; left out, those with EFA or GPUDirect do."""
    instance_store: Literal["raid0", "none"] | None = None
    """`raid0` makes one array of the machine's NVMe disks, for images, logs and scratch data; `none` leaves
    them alone. Left out, raid0 where there are any."""
    sharing: Sharing | None = None
    """Several Pods on one GPU."""
