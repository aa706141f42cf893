"""Capacity that is held back for an account: what a reservation is, and what it lets be launched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twin.aws.api_server.request import Refusal


@dataclass
class Reservation:
    """A capacity reservation, or a Capacity Block for ML, which begins and ends by itself."""

    id: str
    instance_type: str
    zone: str
    platform: str
    count: int
    match: str
    tenancy: str
    start: datetime
    end: datetime | None
    created: datetime
    block: bool
    cancelled: bool = False

    @property
    def state(self) -> str:
        """As DescribeCapacityReservations reports it."""
        now = datetime.now(UTC)
        if self.cancelled:
            return "cancelled"
        if self.end is not None and self.end <= now:
            return "expired"
        return "scheduled" if self.start > now else "active"


def reservations(backend: Any) -> dict[str, Reservation]:
    """A backend's reservations by id."""
    return vars(backend).setdefault("capacity_reservations", {})


def find(backend: Any, reservation: str) -> Reservation:
    """The reservation. Raises Refusal where there is none."""
    if reservation not in reservations(backend):
        raise Refusal(
            "InvalidCapacityReservationId.NotFound",
            f"The capacity reservation '{reservation}' does not exist.",
        )
    return reservations(backend)[reservation]


def target(data: Mapping[str, Any]) -> str:
    """The reservation that a launch template asks for by its id, or nothing."""
    target = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    return str(target.get("CapacityReservationId") or "")


def used(backend: Any, reservation: str) -> int:
    """How many machines run in it."""
    return sum(
        getattr(instance, "twin_reservation", "") == reservation and instance.state == "running"
        for reservation_ in backend.reservations.values()
        for instance in reservation_.instances
    )


def closed(backend: Any, data: Mapping[str, Any]) -> str:
    """Why no machine of this launch template starts now, in AWS's words; empty where none is in the way."""
    wanted = target(data)
    if not wanted:
        return ""
    one = reservations(backend).get(wanted)
    if one is None:
        return f"InvalidCapacityReservationId.NotFound: The capacity reservation '{wanted}' does not exist."
    if one.state != "active":
        return (
            f"InvalidCapacityReservationState: The capacity reservation '{wanted}' is {one.state}; "
            "machines can be launched while it is active."
        )
    if used(backend, wanted) >= one.count:
        return (
            "ReservationCapacityExceeded: The requested reservation does not have sufficient compatible and "
            f"available capacity for this request. ({wanted} is of {one.count})"
        )
    return ""


def misfit(
    backend: Any, data: Mapping[str, Any], types: list[str], zones: Mapping[str, str], capacity: str
) -> str:
    """Why a node group can never launch in the reservation that its launch template names, or nothing.

    zones: subnet -> zone. capacity: the node group's capacityType.
    """
    wanted = target(data)
    if not wanted:
        return ""
    one = find(backend, wanted)
    if one.state in ("cancelled", "expired"):
        return f"The capacity reservation {wanted} is {one.state}"
    if one.block != (capacity == "CAPACITY_BLOCK"):
        what = "a Capacity Block" if one.block else "no Capacity Block"
        return f"The capacity reservation {wanted} is {what}, which does not go with capacityType {capacity}"
    if any(type_ != one.instance_type for type_ in types):
        return (
            f"The capacity reservation {wanted} is of {one.instance_type}, the node group asks for "
            f"{', '.join(types)}"
        )
    if set(zones.values()) != {one.zone}:
        return (
            f"The capacity reservation {wanted} is in {one.zone}, the node group's subnets are in "
            f"{', '.join(sorted(set(zones.values())))}"
        )
    return ""
