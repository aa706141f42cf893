"""BigQuery Reservation: slots, and who uses them."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import GoogleError, exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.methods.standard_methods import Standard, serve
from twin.gcp.services.bigquery.operations.datasets import PLACES

_EDITIONS: Final = ("STANDARD", "ENTERPRISE", "ENTERPRISE_PLUS")
_STEP: Final = 50
"""Slots come by so many. Source: "Introduction to reservations"."""
_STANDARD_MOST: Final = 1600
"""Slots of a reservation of the Standard edition at most. Source: "Introduction to BigQuery editions"."""
_ASSIGNMENTS: Final = "bigqueryreservation.projects.locations.reservations.assignments"


def _check(_: Call, reservation: Body) -> None:
    edition = reservation.setdefault("edition", "ENTERPRISE")
    if edition not in _EDITIONS:
        raise invalid(f"Invalid edition {edition}: one of {', '.join(_EDITIONS)} is right.")
    slots = int(reservation.get("slotCapacity") or 0)
    most = int((reservation.get("autoscale") or {}).get("maxSlots") or 0)
    for name, each in (("slot_capacity", slots), ("autoscale.max_slots", most)):
        if each < 0 or each % _STEP:
            raise invalid(f"{name} must be a multiple of {_STEP}, got {each}.")
    if not slots and not most:
        raise invalid("A reservation needs slot_capacity or autoscale.max_slots.")
    if edition == "STANDARD" and slots:
        raise invalid("Baseline slots are not supported in the Standard edition: slot_capacity must be 0.")
    if edition == "STANDARD" and most > _STANDARD_MOST:
        raise invalid(f"A Standard edition reservation has at most {_STANDARD_MOST} slots, got {most}.")
    if int(reservation.get("maxSlots") or 0) and not reservation.get("scalingMode"):
        raise invalid("scaling_mode must be specified together with max_slots.")
    if most:
        reservation["autoscale"].setdefault("currentSlots", "0")
    if edition != "ENTERPRISE_PLUS" and reservation.get("secondaryLocation"):
        raise invalid("A secondary location needs the Enterprise Plus edition.")


def _vacate(call: Call, reservation: Body) -> None:
    if call.state.below(f"bigqueryreservation/{reservation['name']}"):
        raise precondition(f"Reservation {reservation['name']} has assignments: delete them first.")


serve(
    Standard(
        methods="bigqueryreservation.projects.locations.reservations",
        title="Reservation",
        id="reservationId",
        pattern=r"[a-z](?:[a-z0-9-]{0,62}[a-z0-9])?",
        right="lower-case letters, digits and dashes, a letter first, at most 64",
        mutable=frozenset(
            {"slotCapacity", "ignoreIdleSlots", "concurrency", "autoscale", "secondaryLocation", "labels"}
            | {"reservationGroup", "maxSlots", "scalingMode"}
        ),
        check=_check,
        vacate=_vacate,
        stamps=("creationTime", "updateTime"),
        places=PLACES,
    )
)


@handles(f"{_ASSIGNMENTS}.create")
def assign(call: Call) -> dict[str, Any]:
    """A project's jobs of a kind use the reservation."""
    parent = call.parameters["parent"]
    held = call.need(f"bigqueryreservation/{parent}", f"Reservation {parent} not found.")
    assignee, kind = str(call.body.get("assignee") or ""), call.body.get("jobType")
    if assignee not in (f"projects/{call.project}", f"projects/{call.project_number}"):
        raise GoogleError(403, "PERMISSION_DENIED", f"The caller does not have permission on {assignee!r}.")
    if not kind or kind == "JOB_TYPE_UNSPECIFIED":
        raise invalid("job_type must be specified.")
    if held["edition"] == "STANDARD" and kind not in ("QUERY", "PIPELINE"):
        raise invalid(f"Job type {kind} is not supported in the Standard edition.")
    place = parent.rpartition("/reservations/")[0]
    for _, body in call.state.of("bigqueryreservation.assignments", f"bigqueryreservation/{place}/"):
        if body["jobType"] == kind and body["assignee"] == assignee:
            raise exists(f"An assignment of {assignee} for {kind} already exists: {body['name']}.")
    name = f"{parent}/assignments/{operations.numeric_id()}"
    made: Body = {**call.body, "name": name, "state": "ACTIVE"}
    return call.state.put(f"bigqueryreservation/{name}", made)


@handles(f"{_ASSIGNMENTS}.delete")
def unassign(call: Call) -> dict[str, Any]:
    """The project's jobs are paid on demand again."""
    row = f"bigqueryreservation/{call.parameters['name']}"
    call.need(row, generic.missing(call))
    call.state.delete(row)
    return {}
