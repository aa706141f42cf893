"""Regions, zones, machine types and cards: what Google Cloud has, and whether a zone has it.

Pure functions over `machine_facts`, for the Compute API, for GKE's checks and for the shape of nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from twin.gcp.services.compute import data as compute

SSD_GIB: Final = 375
"""The size of one local SSD."""
_ZONE: Final = re.compile(r"([a-z]+-[a-z]+\d+)-([a-z])")
_CUSTOM: Final = re.compile(r"(?:(n1|n2|n2d|n4|e2)-)?custom-(\d+)-(\d+)(-ext)?")


@dataclass(frozen=True)
class MachineType:
    """A machine type's shape.

    memory_mib: as the API's memoryMb. card: the GPU or TPU that is built in; empty: none. count: how many of
    it. ssds: local SSDs that come with it; more_ssds: the most that may be added.
    """

    name: str
    cpus: int
    memory_mib: int
    card: str = ""
    count: int = 0
    ssds: int = 0
    more_ssds: int = 0

    @property
    def family(self) -> str:
        """`n1` of `n1-standard-4`."""
        return "n1" if self.name.startswith("custom-") else self.name.partition("-")[0]

    @property
    def tpu(self) -> bool:
        """Whether it is a TPU VM."""
        return self.card.startswith("tpu-")

    @property
    def gpu(self) -> bool:
        """Whether GPUs are built in."""
        return bool(self.card) and not self.tpu

    @property
    def shared_core(self) -> bool:
        """Whether it has no whole core."""
        return self.name in compute.SHARED_CORE


def regions() -> list[str]:
    """All regions, by name."""
    return sorted(compute.ZONES)


def zones(region: str = "") -> list[str]:
    """The zones of a region, or all."""
    return [
        f"{name}-{letter}"
        for name in ([region] if region else regions())
        for letter in compute.ZONES.get(name, "")
    ]


def region_of(zone: str) -> str:
    """`us-central1` of `us-central1-a`; empty for what is no zone's name."""
    match = _ZONE.fullmatch(zone)
    return match[1] if match else ""


def is_zone(location: str) -> bool:
    """Whether there is a zone of that name."""
    return location in zones(region_of(location)) if region_of(location) else False


def is_region(location: str) -> bool:
    """Whether there is a region of that name."""
    return location in compute.ZONES


@cache
def machine_types() -> dict[str, MachineType]:
    """All predefined machine types, by name."""
    machine_types: dict[str, MachineType] = {}
    for name, memory in compute.SHARED_CORE.items():
        machine_types[name] = MachineType(name, 2, int(memory * 1024))
    for series, (sizes, memory_per_cpu) in compute.SIZES.items():
        for cpus in map(int, sizes.split()):
            memory = int(cpus * memory_per_cpu * 1024)
            more = 0 if series.startswith(("e2-", "n4-", "c3-", "c3d-", "t2d-")) else 8 if cpus < 32 else 24
            name = f"{series}-{cpus}"
            machine_types[name] = MachineType(name, cpus, memory, more_ssds=more)
            local_ssd = compute.LOCAL_SSDS.get(series, {}).get(str(cpus))
            if local_ssd:
                machine_types[f"{name}-lssd"] = MachineType(f"{name}-lssd", cpus, memory, ssds=local_ssd)
    for name, (cpus, memory, card, count, local_ssd, more, _) in compute.ACCELERATED.items():
        machine_types[name] = MachineType(name, cpus, int(memory * 1024), card, count, local_ssd, more)
    return machine_types


def machine_type(name: str) -> MachineType | None:
    """A machine type, predefined or custom (`n2-custom-8-16384`); None where there is none."""
    known = machine_types().get(name)
    if known:
        return known
    match = _CUSTOM.fullmatch(name)
    if not match:
        return None
    cpus, memory = int(match[2]), int(match[3])
    fits = cpus > 0 and (cpus == 1 or cpus % 2 == 0) and memory % 256 == 0 and memory > 0
    family = match[1] or "n1"
    return MachineType(name, cpus, memory, more_ssds=0 if family in {"e2", "n4"} else 8) if fits else None


@cache
def _offers(text: str) -> frozenset[str]:
    if text == "*":
        return frozenset(zones())
    offers = (part.split(":") for part in text.split())
    return frozenset(f"{region}-{letter}" for region, letters in offers for letter in letters)


def machine_zones(name: str) -> frozenset[str]:
    """The zones that offer a machine type."""
    if name in compute.ACCELERATED:
        return _offers(compute.ACCELERATED_ZONES[compute.ACCELERATED[name][-1]])
    offer = machine_type(name)
    if offer is None:
        return frozenset()
    key = f"{offer.family}-lssd" if name.endswith("-lssd") else offer.family
    return _offers(compute.CPU_ZONES.get(key, ""))


def offered(name: str, zone: str) -> bool:
    """Whether a zone offers a machine type."""
    return zone in machine_zones(name)


@cache
def cards() -> dict[str, frozenset[str]]:
    """The GPUs that the Compute API knows, each with the zones that have it."""
    offers = {name: _offers(entry["zones"]) for name, entry in compute.ATTACHABLE.items()}
    for name, (_, _, card, *_) in compute.ACCELERATED.items():
        if not card.startswith("tpu-"):
            offers[card] = offers.get(card, frozenset[str]()) | machine_zones(name)
    return offers


def attachable(card: str) -> dict[int, int]:
    """For a card that is attached to N1 machines: how many, and the most vCPUs with so many."""
    most_cpus = compute.ATTACHABLE.get(card, {}).get("most_cpus", {})
    return {int(count): cpus for count, cpus in most_cpus.items()}


def boot_disk_type(name: str) -> str:
    """The boot disk that GKE takes where none is asked for."""
    return "hyperdisk-balanced" if name.startswith(compute.HYPERDISK_ONLY) else "pd-balanced"


def takes_disk(name: str, disk_type: str) -> bool:
    """Whether a machine type can boot from that type of disk."""
    if name.startswith(compute.HYPERDISK_ONLY):
        return disk_type.startswith("hyperdisk-")
    if disk_type.startswith("hyperdisk-"):
        return not name.startswith(compute.NO_HYPERDISK_BALANCED)
    return not (disk_type == "pd-standard" and name.startswith(("c3-", "c3d-", "a3-", "ct6e-", "g2-")))
