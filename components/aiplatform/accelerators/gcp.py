"""The accelerators on Google Cloud: machine types, with accelerator and count.

Sources: "Accelerator-optimized machine family" and "GPU machine types" (vCPU, memory, GPUs, network cards),
"About Local SSD disks" (number of disks that a type has or can have), "Plan TPUs in GKE" (TPU machine types
and topologies), "Choose a consumption option" (how a type is sold). Zones are not in the catalog: the zones
that offer a type change, and a program asks Compute Engine for them at run time. Only the zones of flex-start
are listed, because no API reports them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, Literal

from aiplatform.accelerators.aws import Price
from aiplatform.accelerators.cards import CARDS, Card

Fabric = Literal["tcpx", "tcpxo", "rdma"]
"""How the GPUs of several nodes communicate without the CPU: GPUDirect-TCPX (A3 High), GPUDirect-TCPXO (A3
Mega), GPUDirect RDMA over RoCE (A3 Ultra, A4)."""

SSD_GIB: Final = 375
"""Size of one local SSD of these machine types, GiB."""

EVERY_KIND: Final = frozenset({"reserved", "on_demand", "spot", "flex_start", "queued"})
NOT_ON_DEMAND: Final = EVERY_KIND - {"on_demand"}
TEMPORARY: Final = frozenset({"spot", "flex_start", "queued"})


@dataclass(frozen=True)
class Machine:
    """A machine type with accelerators.

    attached: the machine type has no accelerators built in; the node pool attaches them.
    local_ssds: number of disks of SSD_GIB that its nodes have, or can have where not `ssds_built_in`.
    gpu_nics: network cards for the traffic between accelerators, in addition to the node's own.
    sold: the types of `capacity` that it is sold as.
    boot_disk: the disk type of its boot disk.
    price: on demand, for one machine with its accelerators; None where no public source has it.
    """

    type: str
    accelerator: str
    count: int
    vcpus: int
    memory_gib: float
    local_ssds: int = 0
    ssds_built_in: bool = False
    attached: bool = False
    gpu_nics: int = 0
    fabric: Fabric | None = None
    sold: frozenset[str] = EVERY_KIND
    boot_disk: Literal["pd-balanced", "hyperdisk-balanced"] = "pd-balanced"
    compact: bool = True
    """Whether it supports compact placement ("Define compact placement for GKE nodes")."""
    price: Price | None = None

    @property
    def card(self) -> Card:
        """Its accelerator."""
        return CARDS[self.accelerator]

    @property
    def family(self) -> str:
        """`a3` of `a3-highgpu-8g`."""
        return self.type.partition("-")[0]

    @property
    def is_tpu(self) -> bool:
        """Whether its accelerators are TPU chips."""
        return self.card.vendor == "tpu"


ACCELERATOR_TYPES: Final[Mapping[str, str]] = {
    "t4": "nvidia-tesla-t4",
    "l4": "nvidia-l4",
    "a100": "nvidia-tesla-a100",
    "a100-80": "nvidia-a100-80gb",
    "h100": "nvidia-h100-80gb",
    "h100-mega": "nvidia-h100-mega-80gb",
    "h200": "nvidia-h200-141gb",
    "b200": "nvidia-b200",
    "tpu-v5e": "tpu-v5-lite-podslice",
    "tpu-v6e": "tpu-v6e-slice",
}
"""Accelerator -> its name in Google Cloud: for a GPU the accelerator type of Compute Engine (also the value
of the node label `cloud.google.com/gke-accelerator`), for a TPU the value of
`cloud.google.com/gke-tpu-accelerator`."""

PARTITIONS: Final[Mapping[str, Mapping[str, int]]] = {
    "a100": {"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "7g.40gb": 1},
    "a100-80": {"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1},
    "h100": {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1},
    "h100-mega": {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1},
    "h200": {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "7g.141gb": 1},
    "b200": {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "7g.180gb": 1},
}
"""GPU -> partition sizes that GKE supports, with the number of partitions of one GPU. Source: "Running
multi-instance GPUs" of the GKE documentation; NVIDIA's MIG has more profiles than GKE supports."""

MOST_CLIENTS: Final = 48
"""Maximum of containers that share a GPU ("Share GPUs with multiple workloads using GPU time-sharing")."""

TOPOLOGIES: Final[Mapping[str, Sequence[str]]] = {
    "tpu-v5e": ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"),
    "tpu-v6e": ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"),
}
"""TPU -> topologies of slices, smallest first."""

OF_ONE_NODE: Final[Mapping[int, str]] = {1: "1x1", 4: "2x2", 8: "2x4"}
"""Chips of a node -> topology of a slice of one node. Only nodes with 4 chips form bigger slices."""

CHIPS_OF_SLICES: Final = 4

FLEX_START_ZONES: Final[Mapping[str, frozenset[str]]] = {
    "tpu-v5e": frozenset({"us-west4-a"}),
    "tpu-v6e": frozenset({"asia-northeast1-b", "us-east5-a", "us-east5-b"}),
}
"""Accelerator -> the zones that sell it as flex-start and queued capacity; accelerators that are not listed
are sold in every zone with their machines. Source: GKE, "About flex-start provisioning mode: Requirements",
as of 2025."""

_AUTOSCALER: Final = (
    "2026-06-23",
    "the autoscaler's price table (kubernetes/autoscaler, "
    "cluster-autoscaler/cloudprovider/gce/gce_price_info.go, commit 55c37cd)",
)
_SKYPILOT: Final = (
    "2026",
    "the SkyPilot catalog (skypilot-org/skypilot-catalog, catalogs/v8/gcp/vms.csv, commit 006059e)",
)
PRICE_REGION: Final = "us-central1"


def _price(usd_per_hour: float, source: tuple[str, str] = _AUTOSCALER) -> Price:
    return Price(usd_per_hour, PRICE_REGION, *source)


def _n1(vcpus: int, cards: int, machine_per_hour: float) -> Machine:
    # GPUs are attached; a T4 costs 0.35 USD/h.
    return Machine(
        f"n1-standard-{vcpus}",
        "t4",
        cards,
        vcpus,
        3.75 * vcpus,
        local_ssds=1,
        attached=True,
        compact=False,
        price=_price(round(machine_per_hour + 0.35 * cards, 4)),
    )


def _g2(vcpus: int, cards: int, usd_per_hour: float) -> Machine:
    # One local SSD for each GPU can be added.
    return Machine(
        f"g2-standard-{vcpus}", "l4", cards, vcpus, 4 * vcpus, local_ssds=cards, price=_price(usd_per_hour)
    )


def _a2(cards: int, usd_per_hour: float) -> Machine:
    return Machine(
        f"a2-highgpu-{cards}g",
        "a100",
        cards,
        12 * cards,
        85 * cards,
        local_ssds=cards,
        price=_price(usd_per_hour),
    )


def _a2_ultra(cards: int, usd_per_hour: float) -> Machine:
    return Machine(
        f"a2-ultragpu-{cards}g",
        "a100-80",
        cards,
        12 * cards,
        170 * cards,
        local_ssds=cards,
        ssds_built_in=True,
        price=_price(usd_per_hour),
    )


def _a3_high(cards: int) -> Machine:
    whole = cards == 8
    return Machine(
        f"a3-highgpu-{cards}g",
        "h100",
        cards,
        26 * cards,
        234 * cards,
        local_ssds=2 * cards,
        ssds_built_in=True,
        gpu_nics=4 if whole else 0,
        fabric="tcpx" if whole else None,
        # "You can create A3 High VMs with less than 8 GPUs only by Spot VMs or flex-start."
        sold=EVERY_KIND if whole else TEMPORARY,
    )


def _tpu(type_: str, card: str, shape: tuple[int, int, int], usd_per_chip_hour: float | None) -> Machine:
    chips, vcpus, memory_gib = shape
    return Machine(
        type_,
        card,
        chips,
        vcpus,
        memory_gib,
        boot_disk="hyperdisk-balanced" if card == "tpu-v6e" else "pd-balanced",
        price=None if usd_per_chip_hour is None else _price(round(usd_per_chip_hour * chips, 4), _SKYPILOT),
    )


# Of the types with the same accelerator and count the preferred one, the smallest, is first; `instance_types`
# selects another.
MACHINES: Final[tuple[Machine, ...]] = (
    _n1(4, 1, 0.19),
    _n1(8, 1, 0.38),
    _n1(16, 1, 0.76),
    _n1(8, 2, 0.38),
    _n1(16, 2, 0.76),
    _n1(32, 2, 1.52),
    _n1(16, 4, 0.76),
    _n1(32, 4, 1.52),
    _n1(64, 4, 3.04),
    _n1(96, 4, 4.56),
    _g2(4, 1, 0.76),
    _g2(8, 1, 0.91),
    _g2(12, 1, 1.06),
    _g2(16, 1, 1.20),
    _g2(32, 1, 1.79),
    _g2(24, 2, 2.11),
    _g2(48, 4, 4.23),
    _g2(96, 8, 8.46),
    _a2(1, 3.673385),
    _a2(2, 7.34677),
    _a2(4, 14.69354),
    _a2(8, 29.38708),
    Machine("a2-megagpu-16g", "a100", 16, 96, 1360, local_ssds=8, price=_price(55.739504)),
    _a2_ultra(1, 5.0688),
    _a2_ultra(2, 10.1376),
    _a2_ultra(4, 20.2752),
    _a2_ultra(8, 40.5504),
    _a3_high(1),
    _a3_high(2),
    _a3_high(4),
    _a3_high(8),
    Machine(
        "a3-megagpu-8g",
        "h100-mega",
        8,
        208,
        1872,
        local_ssds=16,
        ssds_built_in=True,
        gpu_nics=8,
        fabric="tcpxo",
    ),
    # One more network card for the second network of the host, and eight for RDMA.
    Machine(
        "a3-ultragpu-8g",
        "h200",
        8,
        224,
        2952,
        local_ssds=32,
        ssds_built_in=True,
        gpu_nics=9,
        fabric="rdma",
        sold=NOT_ON_DEMAND,
        boot_disk="hyperdisk-balanced",
    ),
    Machine(
        "a4-highgpu-8g",
        "b200",
        8,
        224,
        3968,
        local_ssds=32,
        ssds_built_in=True,
        gpu_nics=9,
        fabric="rdma",
        sold=NOT_ON_DEMAND,
        boot_disk="hyperdisk-balanced",
    ),
    _tpu("ct5lp-hightpu-1t", "tpu-v5e", (1, 24, 48), None),
    _tpu("ct5lp-hightpu-4t", "tpu-v5e", (4, 112, 192), None),
    _tpu("ct5lp-hightpu-8t", "tpu-v5e", (8, 224, 384), None),
    _tpu("ct6e-standard-1t", "tpu-v6e", (1, 44, 176), 2.70),
    _tpu("ct6e-standard-4t", "tpu-v6e", (4, 180, 720), 2.70),
    _tpu("ct6e-standard-8t", "tpu-v6e", (8, 180, 1440), 2.70),
)

BUILT_IN: Final[Mapping[str, str]] = {
    "a2": "A100 cards",
    "a3": "H100 or H200 cards",
    "a4": "B200 cards",
    "a4x": "GB200 cards",
    "g2": "L4 cards",
    "g4": "RTX PRO 6000 cards",
    "ct4p": "TPU v4 chips",
    "ct5l": "TPU v5e chips",
    "ct5lp": "TPU v5e chips",
    "ct5p": "TPU v5p chips",
    "ct6e": "TPU v6e chips",
    "tpu7x": "TPU v7 chips",
}
"""Machine families with built-in accelerators: no others can be attached to them, and CPU pools cannot use
them."""


def nodes_of(topology: str, chips_of_node: int) -> int:
    """Return the number of nodes of a slice with a topology (`4x4` of nodes with 4 chips: 4)."""
    sides = topology.split("x")
    if not all(side.isdecimal() for side in sides):
        return 1  # Not a topology: topology_problem reports it.
    return max(1, prod(int(side) for side in sides) // chips_of_node)


def topology_problem(accelerator: str, count: int, topology: str) -> str | None:
    """Return the problem of a slice's topology for nodes with `count` chips, with those that exist; None for
    one that exists."""
    of_one_node = OF_ONE_NODE[count]
    fitting = [of_one_node]
    if count == CHIPS_OF_SLICES:
        shapes = TOPOLOGIES[accelerator]
        fitting = list(shapes[shapes.index(of_one_node) :])
    if topology in fitting:
        return None
    bigger = (
        ""
        if count == CHIPS_OF_SLICES
        else f"; slices of several nodes need nodes with {CHIPS_OF_SLICES} chips"
    )
    return f"expected a topology of nodes with {count} {accelerator}: {', '.join(fitting)}{bigger}"
