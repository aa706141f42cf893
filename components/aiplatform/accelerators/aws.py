"""The accelerators on AWS: instance types, with accelerator and count.

The properties of a type come from EC2's DescribeInstanceTypes; a test compares each with a recorded response.
Zones are not in the catalog: the zones that offer a type change, and a program asks EC2 for them at run time
(DescribeInstanceTypeOfferings).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiplatform.accelerators.cards import CARDS, Card


@dataclass(frozen=True)
class Price:
    """An on-demand price for one instance, Linux, shared tenancy, without tax or discount."""

    usd_per_hour: float
    region: str
    date: str
    source: str


@dataclass(frozen=True)
class Disks:
    """The NVMe disks of the instance store; their data is lost when the instance stops."""

    count: int
    gb: int
    """Size of one disk, 10^9 bytes."""

    @property
    def total_gib(self) -> int:
        """Size of all disks as one RAID0 array, whole GiB."""
        return self.count * self.gb * 10**9 // 2**30


@dataclass(frozen=True)
class Machine:
    """An instance type.

    network_cards, efa_interfaces: the maximum; without EFA 0 EFA interfaces.
    capacity_block: whether EC2 sells it in Capacity Blocks for ML.
    price: None where the price list of `Price.region` has none (sold elsewhere, or only in blocks).
    """

    type: str
    accelerator: str
    count: int
    vcpus: int
    memory_gib: int
    network_cards: int
    efa_interfaces: int
    disks: Disks
    capacity_block: bool
    price: Price | None
    architecture: str = "x86_64"

    @property
    def card(self) -> Card:
        """Its accelerator."""
        return CARDS[self.accelerator]


PRICE_REGION: Final = "us-east-1"
PRICE_DATE: Final = "2026-02-09"
PRICE_SOURCE: Final = (
    "the AWS Price List API, as recorded by aws/karpenter-provider-aws "
    "(pkg/providers/pricing/zz_generated.pricing_aws.go, commit 265ee0b)"
)


def _machine(
    type_: str,
    card: str,
    shape: tuple[int, int, int],
    network: tuple[int, int],
    disks: tuple[int, int],
    usd_per_hour: float | None,
    *,
    block: bool = False,
) -> Machine:
    count, vcpus, memory_gib = shape
    cards, efa = network
    price = Price(usd_per_hour, PRICE_REGION, PRICE_DATE, PRICE_SOURCE) if usd_per_hour is not None else None
    return Machine(type_, card, count, vcpus, memory_gib, cards, efa, Disks(*disks), block, price)


# Of the types with the same accelerator and count the preferred one is first. It is the smallest, so that
# the Cluster Autoscaler, which plans with the first type of a group, never expects more than a node has; the
# others are at least as big and are alternatives for spot.
#
#   type, card, (cards, vCPU, GiB), (network cards, EFA interfaces), (disks, GB each), USD/h
MACHINES: Final[tuple[Machine, ...]] = (
    _machine("g4dn.xlarge", "t4", (1, 4, 16), (1, 0), (1, 125), 0.526),
    _machine("g4dn.2xlarge", "t4", (1, 8, 32), (1, 0), (1, 225), 0.752),
    _machine("g4dn.4xlarge", "t4", (1, 16, 64), (1, 0), (1, 225), 1.204),
    _machine("g4dn.8xlarge", "t4", (1, 32, 128), (1, 1), (1, 900), 2.176),
    _machine("g4dn.16xlarge", "t4", (1, 64, 256), (1, 1), (1, 900), 4.352),
    _machine("g4dn.12xlarge", "t4", (4, 48, 192), (1, 1), (1, 900), 3.912),
    _machine("g4dn.metal", "t4", (8, 96, 384), (1, 1), (2, 900), 7.824),
    _machine("g5.xlarge", "a10g", (1, 4, 16), (1, 0), (1, 250), 1.006),
    _machine("g5.2xlarge", "a10g", (1, 8, 32), (1, 0), (1, 450), 1.212),
    _machine("g5.4xlarge", "a10g", (1, 16, 64), (1, 0), (1, 600), 1.624),
    _machine("g5.8xlarge", "a10g", (1, 32, 128), (1, 1), (1, 900), 2.448),
    _machine("g5.16xlarge", "a10g", (1, 64, 256), (1, 1), (1, 1900), 4.096),
    _machine("g5.12xlarge", "a10g", (4, 48, 192), (1, 1), (1, 3800), 5.672),
    _machine("g5.24xlarge", "a10g", (4, 96, 384), (1, 1), (1, 3800), 8.144),
    _machine("g5.48xlarge", "a10g", (8, 192, 768), (1, 1), (2, 3800), 16.288),
    _machine("g6.xlarge", "l4", (1, 4, 16), (1, 0), (1, 250), 0.8048),
    _machine("g6.2xlarge", "l4", (1, 8, 32), (1, 0), (1, 450), 0.9776),
    _machine("g6.4xlarge", "l4", (1, 16, 64), (1, 0), (1, 600), 1.3232),
    _machine("g6.8xlarge", "l4", (1, 32, 128), (1, 1), (2, 450), 2.0144),
    _machine("g6.16xlarge", "l4", (1, 64, 256), (1, 1), (2, 940), 3.3968),
    _machine("g6.12xlarge", "l4", (4, 48, 192), (1, 1), (4, 940), 4.6016),
    _machine("g6.24xlarge", "l4", (4, 96, 384), (1, 1), (4, 940), 6.6752),
    _machine("g6.48xlarge", "l4", (8, 192, 768), (1, 1), (8, 940), 13.3504),
    _machine("g6e.xlarge", "l40s", (1, 4, 32), (1, 0), (1, 250), 1.861),
    _machine("g6e.2xlarge", "l40s", (1, 8, 64), (1, 0), (1, 450), 2.24208),
    _machine("g6e.4xlarge", "l40s", (1, 16, 128), (1, 0), (1, 600), 3.00424),
    _machine("g6e.8xlarge", "l40s", (1, 32, 256), (1, 1), (2, 450), 4.52856),
    _machine("g6e.16xlarge", "l40s", (1, 64, 512), (1, 1), (2, 950), 7.57719),
    _machine("g6e.12xlarge", "l40s", (4, 48, 384), (1, 1), (2, 1900), 10.49264),
    _machine("g6e.24xlarge", "l40s", (4, 96, 768), (2, 2), (2, 1900), 15.06559),
    _machine("g6e.48xlarge", "l40s", (8, 192, 1536), (4, 4), (4, 1900), 30.13118),
    _machine("p4d.24xlarge", "a100", (8, 96, 1152), (4, 4), (8, 1000), 21.957642, block=True),
    _machine("p4de.24xlarge", "a100-80", (8, 96, 1152), (4, 4), (8, 1000), 27.44705, block=True),
    _machine("p5.4xlarge", "h100", (1, 16, 256), (1, 1), (1, 3800), 6.88, block=True),
    _machine("p5.48xlarge", "h100", (8, 192, 2048), (32, 32), (8, 3800), 55.04, block=True),
    _machine("p5en.48xlarge", "h200", (8, 192, 2048), (16, 16), (8, 3800), 63.296, block=True),
    _machine("p5e.48xlarge", "h200", (8, 192, 2048), (32, 32), (8, 3800), None, block=True),
    _machine("p6-b200.48xlarge", "b200", (8, 192, 2048), (8, 8), (8, 3800), 113.9328, block=True),
    _machine("trn1.2xlarge", "trainium", (1, 8, 32), (1, 0), (1, 474), 1.34375),
    _machine("trn1.32xlarge", "trainium", (16, 128, 512), (8, 8), (4, 1900), 21.5, block=True),
    _machine("trn1n.32xlarge", "trainium", (16, 128, 512), (16, 16), (4, 1900), 24.78),
    _machine("trn2.3xlarge", "trainium2", (1, 12, 128), (1, 1), (1, 470), None, block=True),
    _machine("trn2.48xlarge", "trainium2", (16, 192, 2048), (16, 16), (4, 1900), None, block=True),
    _machine("inf2.xlarge", "inferentia2", (1, 4, 16), (1, 0), (0, 0), 0.7582),
    _machine("inf2.8xlarge", "inferentia2", (1, 32, 128), (1, 0), (0, 0), 1.96786),
    _machine("inf2.24xlarge", "inferentia2", (6, 96, 384), (1, 0), (0, 0), 6.49063),
    _machine("inf2.48xlarge", "inferentia2", (12, 192, 768), (1, 0), (0, 0), 12.98127),
)

PODS_WITH_EFA: Final[Mapping[str, int]] = {
    "g4dn.8xlarge": 44,
    "g4dn.16xlarge": 44,
    "g4dn.12xlarge": 205,
    "g5.8xlarge": 205,
    "g5.16xlarge": 205,
    "g6.8xlarge": 205,
    "g6.12xlarge": 205,
    "g6e.8xlarge": 205,
    "p5.4xlarge": 89,
    "p5.48xlarge": 51,
    "p5e.48xlarge": 51,
    "p5en.48xlarge": 149,
    "p6-b200.48xlarge": 149,
    "trn1.32xlarge": 198,
    "trn1n.32xlarge": 198,
    "trn2.3xlarge": 16,
    "trn2.48xlarge": 51,
}
"""Instance type -> number of Pods for which it has addresses when EFA uses one interface of the first network
card, where EKS states more. The VPC CNI assigns addresses only from the interfaces of that card:
(interfaces - 1) * (addresses of each - 1) + 2, by DescribeInstanceTypes. EKS and nodeadm also count the
interface of EFA (amazon-eks-ami, nodeadm/internal/kubelet/eni_max_pods.go), and a Pod without an address is
scheduled but never starts."""

BOTTLEROCKET_MIG_MODELS: Final[Mapping[str, str]] = {
    "a100": "a100.40gb",
    "a100-80": "a100.80gb",
    "h100": "h100.80gb",
    "h200": "h200.141gb",
}
"""Accelerator -> its key in Bottlerocket's `settings.kubelet-device-plugins.nvidia.mig.profile`, for those
that its MIG service (nvidia-migmanager) can partition. B200 has MIG, but is not among them."""
