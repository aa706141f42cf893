"""Regions, zones, machine types, accelerator types, and the project as Compute shows it."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import not_found
from twin.gcp.api_server.operations import compute_time
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute import capacity, quotas
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.generic import link

_BORN: Final = compute_time(1400135500)
_CPU_PLATFORMS: Final[tuple[str, ...]] = services.tables("compute")["cpu_platforms"]


def region(call: Call, name: str) -> Body:
    """A region as regions.get answers it."""
    return {
        "kind": "compute#region",
        "id": str(1000 + capacity.regions().index(name) * 10),
        "creationTimestamp": _BORN,
        "name": name,
        "description": name,
        "status": "UP",
        "zones": [link(f"projects/{call.project}/zones/{zone}") for zone in capacity.zones(name)],
        "quotas": quotas.quota_entries(call, name),
        "selfLink": link(f"projects/{call.project}/regions/{name}"),
        "supportsPzs": False,
    }


def zone(call: Call, name: str) -> Body:
    """A zone as zones.get answers it."""
    return {
        "kind": "compute#zone",
        "id": str(2000 + capacity.zones().index(name)),
        "creationTimestamp": _BORN,
        "name": name,
        "description": name,
        "status": "UP",
        "region": link(f"projects/{call.project}/regions/{capacity.region_of(name)}"),
        "selfLink": link(f"projects/{call.project}/zones/{name}"),
        "availableCpuPlatforms": _CPU_PLATFORMS,
        "supportsPzs": False,
    }


def machine_type(call: Call, machine_type: capacity.MachineType, place: str) -> Body:
    """A machine type as machineTypes.get answers it."""
    description: Body = {
        **services.tables("compute")["machine_type"],
        "id": str(_number(machine_type.name)),
        "creationTimestamp": _BORN,
        "name": machine_type.name,
        "description": f"{machine_type.cpus} vCPUs, {machine_type.memory_mib // 1024} GB RAM",
        "guestCpus": machine_type.cpus,
        "memoryMb": machine_type.memory_mib,
        "zone": place,
        "selfLink": link(f"projects/{call.project}/zones/{place}/machineTypes/{machine_type.name}"),
        "isSharedCpu": machine_type.shared_core,
        "architecture": "ARM64"
        if machine_type.family in ("t2a", "c4a", "n4a") or machine_type.name.startswith("a4x")
        else "X86_64",
    }
    if machine_type.card:
        description["accelerators"] = [
            {"guestAcceleratorType": machine_type.card, "guestAcceleratorCount": machine_type.count}
        ]
    if machine_type.ssds:
        description["bundledLocalSsds"] = {"defaultInterface": "NVME", "partitionCount": machine_type.ssds}
    return description


def accelerator_type(call: Call, card: str, place: str) -> Body:
    """An accelerator type as acceleratorTypes.get answers it."""
    counts = [kind.count for kind in capacity.machine_types().values() if kind.card == card]
    return {
        "kind": "compute#acceleratorType",
        "id": str(_number(card)),
        "creationTimestamp": _BORN,
        "name": card,
        "description": card.replace("-", " ").upper(),
        "zone": link(f"projects/{call.project}/zones/{place}"),
        "selfLink": link(f"projects/{call.project}/zones/{place}/acceleratorTypes/{card}"),
        "maximumCardsPerInstance": max([*counts, *capacity.attachable(card)], default=8),
    }


@handles("compute.regions.get")
def get_region(call: Call) -> dict[str, Any]:
    """A region."""
    name = call.parameters["region"]
    if not capacity.is_region(name):
        raise not_found(f"The resource 'projects/{call.project}/regions/{name}' was not found")
    return region(call, name)


@handles("compute.regions.list")
def list_regions(call: Call) -> dict[str, Any]:
    """All regions."""
    return _list(call, "region", [region(call, name) for name in capacity.regions()])


@handles("compute.zones.list")
def list_zones(call: Call) -> dict[str, Any]:
    """All zones."""
    return _list(call, "zone", [zone(call, name) for name in capacity.zones()])


@handles("compute.machineTypes.get")
def get_machine_type(call: Call) -> dict[str, Any]:
    """A machine type that the zone offers."""
    compute.check_place(call)
    name, place = call.parameters["machineType"], call.parameters["zone"]
    known_type = capacity.machine_type(name)
    if known_type is None or not capacity.offered(name, place):
        raise not_found(
            f"The resource 'projects/{call.project}/zones/{place}/machineTypes/{name}' was not found"
        )
    return machine_type(call, known_type, place)


@handles("compute.machineTypes.list")
def list_machine_types(call: Call) -> dict[str, Any]:
    """The machine types that the zone offers."""
    compute.check_place(call)
    place = call.parameters["zone"]
    offered = [kind for name, kind in capacity.machine_types().items() if capacity.offered(name, place)]
    return _list(call, "machineType", [machine_type(call, kind, place) for kind in offered])


@handles("compute.acceleratorTypes.get")
def get_accelerator_type(call: Call) -> dict[str, Any]:
    """An accelerator type that the zone has."""
    compute.check_place(call)
    card, place = call.parameters["acceleratorType"], call.parameters["zone"]
    if place not in capacity.cards().get(card, ()):
        raise not_found(
            f"The resource 'projects/{call.project}/zones/{place}/acceleratorTypes/{card}' was not found"
        )
    return accelerator_type(call, card, place)


@handles("compute.acceleratorTypes.list")
def list_accelerator_types(call: Call) -> dict[str, Any]:
    """The accelerator types that the zone has."""
    compute.check_place(call)
    place = call.parameters["zone"]
    cards = [card for card, zones in sorted(capacity.cards().items()) if place in zones]
    return _list(call, "acceleratorType", [accelerator_type(call, card, place) for card in cards])


@handles("compute.projects.get")
def project(call: Call) -> dict[str, Any]:
    """The project's quotas, metadata and default account."""
    internal = call.state.internal(f"cloudresourcemanager/projects/{call.project}")
    return {
        "kind": "compute#project",
        "id": call.project_number,
        "creationTimestamp": compute_time(call.at) if not internal else _BORN,
        "name": call.project,
        "commonInstanceMetadata": _metadata(internal),
        "quotas": quotas.quota_entries(call),
        "selfLink": link(f"projects/{call.project}"),
        "defaultServiceAccount": f"{call.project_number}-compute@developer.gserviceaccount.com",
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "defaultNetworkTier": "PREMIUM",
        "vmDnsSetting": "ZONAL_ONLY",
    }


def _metadata(internal: Body) -> Body:
    items = internal.get("metadata") or []
    metadata: Body = {"kind": "compute#metadata", "fingerprint": compute.fingerprint(items)}
    return {**metadata, "items": items} if items else metadata


def _list(call: Call, kind: str, resources: list[Body]) -> dict[str, Any]:
    place = compute.relative(call)
    return {
        "kind": f"compute#{kind}List",
        "id": place,
        "selfLink": link(place),
        **generic.page(call, resources, "items"),
    }


def _number(name: str) -> int:
    return int.from_bytes(compute.fingerprint(name).encode()[:7], "big") % 10**9
