"""Cards and TPU slices: what a node pool may ask for, and what its nodes then advertise.

Sources: "About GPUs in GKE", "Running multi-instance GPUs", "GPU time-sharing", "TPUs in GKE" (topologies and
node counts), "GPU machine types" of Compute Engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.capacity import MachineType

Body = Mapping[str, Any]

PARTITIONS: Final[Mapping[str, Mapping[str, int]]] = services.tables("container")["partitions"]
TPU_HOSTS: Final[Mapping[str, Mapping[str, int]]] = services.tables("container")["tpu_hosts"]
SINGLE_HOST: Final = {"1t": "1x1", "4t": "2x2", "8t": "2x4"}
GPU: Final = "nvidia.com/gpu"
TPU: Final = "google.com/tpu"


def tainted(config: Body) -> bool:
    """Whether a pool's nodes have the taint of GPUs."""
    return any(taint["key"] == GPU for taint in config.get("taints") or ())


def taint(config: dict[str, Any]) -> None:
    """Give a pool's nodes the taint of GPUs, where they have none."""
    if not tainted(config):
        gpu_taint = {"key": GPU, "value": "present", "effect": "NO_SCHEDULE"}
        config["taints"] = [*(config.get("taints") or ()), gpu_taint]


def check(config: Body, machine: MachineType, zones: Sequence[str], path: str) -> None:
    """A node pool's `accelerators` against its machine type and zones."""
    accelerators = config.get("accelerators") or []
    if not accelerators:
        return
    where, accelerator = f"{path}.accelerators[0]", accelerators[0]
    card, count = accelerator.get("acceleratorType", ""), int(accelerator.get("acceleratorCount") or 0)
    if machine.tpu:
        raise invalid(f"{where}: machine type {machine.name} has TPUs; GPUs cannot be attached to it.")
    _card(card, count, machine, zones, where)
    _partition(card, accelerator, where)


def _card(card: str, count: int, machine: MachineType, zones: Sequence[str], where: str) -> None:
    known = capacity.cards()
    if card not in known:
        raise invalid(f'{where}.acceleratorType: Accelerator type "{card}" does not exist.')
    missing = [zone for zone in zones if zone not in known[card]]
    if missing:
        raise invalid(f'{where}: Accelerator type "{card}" does not exist in zone {missing[0]}.')
    if machine.gpu:
        if card != machine.card:
            raise invalid(
                f"{where}.acceleratorType: [{card}, {machine.name}] features are not compatible: "
                f"{machine.name} has {machine.count} x {machine.card} built in, and takes no other."
            )
        if count != machine.count:
            raise invalid(
                f"{where}.acceleratorCount: The number of GPUs must match the machine type: "
                f"{machine.name} has {machine.count} x {machine.card}, got {count}."
            )
        return
    allowed = capacity.attachable(card)
    if not allowed or machine.family != "n1" or machine.shared_core:
        home = "n1 machine types" if allowed else "the machine types that have it built in"
        raise invalid(
            f"{where}: [{card}, {machine.name}] features are not compatible for creating instance: "
            f"{card} goes with {home} only."
        )
    if count not in allowed:
        numbers = ", ".join(map(str, allowed))
        raise invalid(f"{where}.acceleratorCount: {card} is attached in numbers of {numbers}, got {count}.")
    if machine.cpus > allowed[count]:
        raise invalid(
            f"{where}: Number of vCPUs of {machine.name} ({machine.cpus}) is too many for {count} x {card}: "
            f"at most {allowed[count]}."
        )


def _partition(card: str, accelerator: Body, where: str) -> None:
    size = accelerator.get("gpuPartitionSize")
    if size and size not in PARTITIONS.get(card, {}):
        sizes = ", ".join(PARTITIONS.get(card, {})) or "none: the card has no multi-instance GPUs"
        raise invalid(
            f"{where}.gpuPartitionSize: GPU partition size '{size}' is not supported by {card}; "
            f"its sizes are {sizes}."
        )


def hosts(machine: MachineType, topology: str, path: str) -> int:
    """How many nodes the slice has. topology: empty for a slice of one host."""
    known = TPU_HOSTS.get(machine.name)
    if known is None:
        raise invalid(f"{path}: machine type {machine.name} is no TPU machine type; it has no TPU topology.")
    topology = topology or SINGLE_HOST[machine.name.rpartition("-")[2]]
    if topology not in known:
        raise invalid(
            f"{path}.tpuTopology: TPU topology '{topology}' is not supported by {machine.name}; "
            f"its topologies are {', '.join(known)}."
        )
    return known[topology]


def topology(machine: MachineType, placement: Body | None) -> str:
    """The slice's topology, by default of one host."""
    return (placement or {}).get("tpuTopology") or SINGLE_HOST[machine.name.rpartition("-")[2]]


def devices(config: Body, machine: MachineType) -> dict[str, int]:
    """What the device plugins of a node find: partitions and shared clients counted."""
    if machine.tpu:
        return {TPU: machine.count}
    accelerator = (config.get("accelerators") or [{}])[0]
    count = int(accelerator.get("acceleratorCount") or 0) or (machine.count if machine.gpu else 0)
    if not count:
        return {}
    card = accelerator.get("acceleratorType") or machine.card
    count *= PARTITIONS.get(card, {}).get(accelerator.get("gpuPartitionSize", ""), 1)
    count *= int((accelerator.get("gpuSharingConfig") or {}).get("maxSharedClientsPerGpu") or 1)
    return {GPU: count}
