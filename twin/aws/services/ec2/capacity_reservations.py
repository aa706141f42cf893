"""Capacity that is held back for an account: what a reservation is, and what it lets be launched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated


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
    try:
        if wanted:
            one = find(backend, wanted)
            scope = {"id": wanted, "state": one.state, "count": one.count, "used": used(backend, wanted)}
            stated.check(__name__, "launch", scope)
    except Refusal as error:
        return f"{error.code}: {error.message}"
    return ""


def check(
    backend: Any, data: Mapping[str, Any], types: list[str], zones: Mapping[str, str], capacity: str
) -> None:
    """Refuse a node group that can never launch in the reservation that its launch template names.

    zones: subnet -> zone. capacity: the node group's capacityType.
    """
    if not target(data):
        return
    one = find(backend, target(data))
    of_group = {"types": types, "zones": sorted(set(zones.values())), "capacity": capacity}
    stated.check(__name__, "node_group", {**vars(one), "state": one.state, **of_group})
