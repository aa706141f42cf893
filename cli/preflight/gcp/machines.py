"""Which quotas of Compute Engine the nodes of a pool count against.

Sources: discovery document of compute v1, Quota.metric; "Allocation quotas" of Compute Engine, for CPUS and
families with a separate quota; Cloud Quotas, "Configure dimensions", for quotas by family.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.clients.errors import UncheckedError
from cli.clients.gcp import NOT_FOUND, ApiError, segment
from cli.estimate.nodes import Group
from cli.estimate.resources import at, mappings
from cli.preflight.gcp.offerings import zones_of
from cli.preflight.scope import Scope

_SHARED: Final = frozenset({"e2", "n1", "f1", "g1"})
_SEPARATE: Final = frozenset({"a2", "c2", "c2d", "c3", "m1", "m2", "m3", "n2", "n2d", "t2a", "t2d"})
_BY_DIMENSION: Final = frozenset({"c3d", "c4", "c4a", "c4d", "h3", "n4", "n4a", "n4d", "x4", "z3"})
"""Families of machine types by their quota of vCPUs: CPUS, a metric of each, or a dimension of one quota. The
vCPUs of other families with GPUs or TPUs have none."""
CARDS: Final[Mapping[str, str]] = {
    "nvidia-tesla-t4": "NVIDIA_T4_GPUS",
    "nvidia-tesla-p4": "NVIDIA_P4_GPUS",
    "nvidia-tesla-p100": "NVIDIA_P100_GPUS",
    "nvidia-tesla-v100": "NVIDIA_V100_GPUS",
    "nvidia-l4": "NVIDIA_L4_GPUS",
    "nvidia-tesla-a100": "NVIDIA_A100_GPUS",
    "nvidia-a100-80gb": "NVIDIA_A100_80GB_GPUS",
}
"""Accelerator type -> its metric. Newer GPUs are counted by family."""
FAMILIES: Final[Mapping[str, str]] = {
    "nvidia-h100-80gb": "NVIDIA_H100",
    "nvidia-h100-mega-80gb": "NVIDIA_H100_MEGA",
    "nvidia-h200-141gb": "NVIDIA_H200",
    "nvidia-b200": "NVIDIA_B200",
}
"""Accelerator type -> the value of the dimension gpu_family."""
VM_FAMILY: Final = "vm_family"
GPU_FAMILY: Final = "gpu_family"
ALL_CPUS: Final = "CPUS_ALL_REGIONS"
ALL_GPUS: Final = "GPUS_ALL_REGIONS"
_SSD: Final = frozenset({"pd-balanced", "pd-ssd"})
_LOCAL_SSD_GB: Final = 375
_LOCAL: Final = ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig")


@dataclass(frozen=True)
class Key:
    """A quota. metric: of regions.get or projects.get; with a dimension it is one of the Cloud Quotas API.

    standard: the metric that counts where the project has no separate quota of spot machines.
    """

    metric: str
    dimension: str = ""
    value: str = ""
    standard: str = ""

    def __str__(self) -> str:
        """Return the key of a demand."""
        return f"{self.metric}[{self.dimension}={self.value}]" if self.dimension else self.metric


def per_node(scope: Scope, group: Group) -> Iterator[tuple[Key, float]]:
    """Yield what one node takes of each quota."""
    spot = group.capacity in ("spot", "flex_start")
    node: Mapping[str, Any] = group.resource.get("nodeConfig", {})
    yield Key("INSTANCES"), 1
    machine = group.machine.partition("/")[2]
    key = _cpus(machine.partition("-")[0], spot=spot)
    if key is not None and (count := _vcpus(scope, group, machine)):
        yield key, count
        yield Key(ALL_CPUS), count
    for card in mappings(node.get("guestAccelerators")):
        kind, count = str(card.get("type")), int(card.get("count") or 0)
        if (gpus := _gpus(kind, spot=spot)) is not None:
            yield gpus, count
        if not spot:
            yield Key(ALL_GPUS), count
    kind = str(node.get("diskType", "pd-balanced"))
    size = float(node.get("diskSizeGb", 100))
    if kind in _SSD or kind == "pd-standard":
        yield Key("SSD_TOTAL_GB" if kind in _SSD else "DISKS_TOTAL_GB"), size
    disks = sum(int(at(node, f"{block}.localSsdCount", 0)) for block in _LOCAL)
    if disks:
        local = Key("LOCAL_SSD_TOTAL_GB")
        yield (
            Key("PREEMPTIBLE_LOCAL_SSD_GB", standard=local.metric) if spot else local,
            float(disks * _LOCAL_SSD_GB),
        )


def first_nodes(group: Group) -> int:
    """Return the nodes that a pool begins with: `initialNodeCount` is that of each zone."""
    initial = group.resource.get("initialNodeCount", 0)
    count = int(initial) if isinstance(initial, int | float) else 0
    return min(max(group.minimum, count * max(1, len(zones_of(group)))), max(group.maximum, group.minimum))


def _cpus(family: str, *, spot: bool) -> Key | None:
    if family in _BY_DIMENSION:
        return Key("CPUS-PER-VM-FAMILY-per-project-region", VM_FAMILY, family.upper())
    metric = "CPUS" if family in _SHARED else f"{family.upper()}_CPUS"
    if family not in _SHARED | _SEPARATE:
        return None
    return Key("PREEMPTIBLE_CPUS", standard=metric) if spot else Key(metric)


def _gpus(card: str, *, spot: bool) -> Key | None:
    metric = CARDS.get(card)
    if metric is not None:
        return Key(f"PREEMPTIBLE_{metric}", standard=metric) if spot else Key(metric)
    family = FAMILIES.get(card)
    if family is None:
        return None
    if spot:
        return Key(f"PREEMPTIBLE_{family}_GPUS")
    return Key("GPUS-PER-GPU-FAMILY-per-project-region", GPU_FAMILY, family)


def _vcpus(scope: Scope, group: Group, machine: str) -> int:
    """Return the vCPUs of a machine type; 0 where no zone of the pool offers it, which is another check."""
    for zone in zones_of(group):
        try:
            answer = scope.client.get(
                "compute", f"projects/{scope.account}/zones/{zone}/machineTypes/{segment(machine)}"
            )
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise UncheckedError(str(error)) from error
        else:
            return math.ceil(float(answer["guestCpus"]))
    return 0
