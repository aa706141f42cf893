"""Machines and what they are made of: placement policies, reservations, disks, instances and their groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import bad_field
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.quotas import check_quota

_DISKS: Final[Mapping[str, tuple[int, ...]]] = services.tables("compute")["disk_sizes"]


def _check_policy(call: Call, body: Body, before: Body | None) -> None:
    region = call.parameters["region"]
    if before is None:
        check_quota(call, "RESOURCE_POLICIES", "resourcePolicies", region)
    body["status"] = "READY"


def _check_reservation(call: Call, body: Body, before: Body | None) -> None:
    zone = call.parameters["zone"]
    if before is None:
        check_quota(call, "RESERVATIONS", "reservations", capacity.region_of(zone))
    specific = body.get("specificReservation")
    if specific is not None:
        name = specific.get("instanceProperties", {}).get("machineType")
        if name and not capacity.offered(name, zone):
            raise bad_field(
                "resource.specificReservation.instanceProperties.machineType",
                name,
                f"Machine type with name '{name}' does not exist in zone '{zone}'.",
            )
        specific.setdefault("assuredCount", specific.get("count"))
        specific.setdefault("inUseCount", "0")
    body.setdefault("shareSettings", {"shareType": "LOCAL"})
    body.setdefault("specificReservationRequired", False)
    body["status"] = "READY"


def _check_disk(call: Call, body: Body, before: Body | None) -> None:
    zone = call.parameters["zone"]
    kind = str(body.get("type") or "pd-standard").rsplit("/", 1)[-1]
    if kind not in _DISKS:
        raise bad_field("resource.type", body.get("type"), f"The disk type does not exist in zone {zone}.")
    body["type"] = compute.link(f"projects/{call.project}/zones/{zone}/diskTypes/{kind}")
    least, most = _DISKS[kind]
    size = int(body.get("sizeGb") or (500 if kind == "pd-standard" else 100))
    if not least <= size <= most:
        raise bad_field("resource.sizeGb", size, f"Disk size of {kind} must be from {least} GB to {most} GB.")
    if before is not None and size < int(before["sizeGb"]):
        raise bad_field(
            "resource.sizeGb", size, f"Disk size cannot be decreased below {before['sizeGb']} GB."
        )
    body["sizeGb"] = str(size)
    body.setdefault("physicalBlockSizeBytes", "4096")
    body["status"] = "READY"


compute.kind("resourcePolicies", check=_check_policy)
RESERVATION: Final = compute.kind("reservations", check=_check_reservation)
compute.kind("disks", check=_check_disk)
# GKE makes these; the API reads and deletes them.
compute.kind("instances")
compute.kind("instanceGroupManagers")
compute.kind("instanceTemplates")


@handles(
    "compute.instances.insert",
    "compute.instances.bulkInsert",
    "compute.instanceGroupManagers.insert",
    "compute.instanceTemplates.insert",
)
def not_made(call: Call) -> dict[str, Any]:
    """Machines outside of GKE are not in the twin."""
    raise NotImplementedError(f"{call.method.id}: the twin makes machines for GKE's node pools only")
