"""What a node reports and what is left of it for Pods, by GKE's reservations.

Sources: "Plan node sizes" (kube-reserved, eviction thresholds, ephemeral storage) and the same formulas in
kubernetes/autoscaler, cluster-autoscaler/cloudprovider/gce/{reserved,gce_reserved}.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from twin.gcp.api_server.state import Body
from twin.gcp.services.compute.capacity import SSD_GIB, MachineType

_MIB: Final = 1024**2
_GIB: Final = 1024**3
_MEMORY: Final = ((0, 0.25), (4000, 0.2), (8000, 0.1), (16_000, 0.06), (128_000, 0.02))
"""MiB and the share that is kept of what is above."""
_CPU: Final = ((0, 0.06), (1000, 0.01), (2000, 0.005), (4000, 0.0025))
_SSD_OVERHEAD_KIB: Final = {1: 7_289_472, 2: 13_725_224, 4: 26_332_924, 8: 51_556_096, 16: 52_837_800}
"""What the file system takes of so many local SSDs, on Container-Optimized OS."""


def reserved(amount: int, brackets: Sequence[tuple[int, float]]) -> int:
    """The sum of the brackets' shares."""
    reserved_amount = 0.0
    for index, (threshold, rate) in enumerate(brackets):
        top = min(amount, brackets[index + 1][0]) if index + 1 < len(brackets) else amount
        reserved_amount += max(0, top - threshold) * rate
    return int(reserved_amount)


def memory(machine: MachineType) -> tuple[int, int]:
    """(capacity, allocatable) in bytes."""
    physical = machine.memory_mib * _MIB
    kernel = physical // 64 + 16 * _MIB
    kernel += 64 * _MIB if physical > 3 * _GIB else 0
    kernel += 8 * _MIB if physical <= 8 * _GIB else 0
    kernel += int(min(0.00175 * physical, 248 * _MIB))
    kube = 255 if machine.memory_mib <= 1000 else reserved(machine.memory_mib, _MEMORY)
    capacity = physical - kernel
    return capacity, capacity - kube * _MIB - 100 * _MIB


def cpu(machine: MachineType) -> tuple[int, int]:
    """(capacity, allocatable) in millicores. A shared core gives half of what it shows."""
    whole = machine.cpus * 1000
    if machine.shared_core:
        # 1060 millicores are kept of e2-micro, -small and -medium ("Plan node sizes").
        return whole, whole - 1060
    return whole, whole - reserved(whole, _CPU)


def storage(config: Body) -> tuple[int, int]:
    """(capacity, allocatable) of ephemeral storage in bytes: the local SSDs where they are for it."""
    local = (config.get("ephemeralStorageLocalSsdConfig") or {}).get("localSsdCount") or 0
    if local:
        count = int(local)
        step = min((count_step for count_step in _SSD_OVERHEAD_KIB if count_step >= count), default=16)
        capacity = count * SSD_GIB * _GIB - _SSD_OVERHEAD_KIB[step] * 1024
        # 50 GiB for the system on one SSD, 75 on two, 100 on more.
        system = (50 if count == 1 else 75 if count == 2 else 100) * _GIB
        return capacity, capacity - math.ceil(0.1 * capacity) - system
    disk = int(config["diskSizeGb"]) * _GIB
    capacity = disk - math.ceil(0.015635 * disk) - math.ceil(4.148 * _GIB)
    system = min(disk // 2, 6 * _GIB + int(0.35 * disk), 100 * _GIB)
    return capacity, capacity - math.ceil(0.1 * capacity) - system


def resources(machine: MachineType, config: Body, pods: int) -> tuple[dict[str, str], dict[str, str]]:
    """(capacity, allocatable) as a kubelet writes them."""
    cores, left = cpu(machine)
    ram, ram_left = memory(machine)
    disk, disk_left = storage(config)
    return (
        {
            "cpu": str(cores // 1000),
            "memory": f"{ram // 1024}Ki",
            "pods": str(pods),
            "ephemeral-storage": f"{disk // 1024}Ki",
        },
        {
            "cpu": f"{left}m",
            "memory": f"{ram_left // 1024}Ki",
            "pods": str(pods),
            "ephemeral-storage": str(max(0, disk_left)),
        },
    )
