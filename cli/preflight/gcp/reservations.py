"""Whether the reservations that node pools name exist and fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from cli.clients.gcp import FORBIDDEN, NOT_FOUND, ApiError, segment
from cli.estimate.nodes import Group
from cli.preflight.gcp.offerings import zones_of
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "reservations"
_STATED: Final = "nodeConfig.reservationAffinity.values"


def check(scope: Scope) -> Iterator[Result]:
    """Compare each stated reservation with what the project has."""
    stated = [(group, str(name)) for group in scope.groups for name in _names(group)]
    if not stated:
        yield ok(CHECK, scope.account, "the environment states none")
        return
    for group, name in stated:
        yield _result(scope, group, name)


def _names(group: Group) -> Sequence[Any]:
    return cast("Sequence[Any]", group.resource.get(_STATED, ()))


def _result(scope: Scope, group: Group, stated: str) -> Result:
    project, name = _parts(scope.account, stated)
    subject = f"{name} ({group.resource.name})"
    zones = zones_of(group)
    if len(zones) != 1:
        return not_checked(CHECK, subject, "its zone is not certain: the pool has several")
    path = f"projects/{project}/zones/{zones[0]}/reservations/{segment(name)}"
    repair = f"gcloud compute reservations list --project {project}; then state one of these"
    try:
        entry = scope.client.get("compute", path)
    except ApiError as error:
        if error.status == NOT_FOUND or error.is_off:
            return problem(CHECK, subject, f"{project} has none in {zones[0]}", repair)
        if error.status == FORBIDDEN:
            return not_checked(CHECK, subject, f"this principal may not read reservations of {project}")
        return not_checked(CHECK, subject, str(error))
    return _compared(group, subject, entry, repair)


def _parts(account: str, stated: str) -> tuple[str, str]:
    """Return project and name of `NAME` or `projects/PROJECT/reservations/NAME`, without its block."""
    whole = stated.partition("/reservationBlocks/")[0]
    if "/" not in whole:
        return account, whole
    _, project, _, name = whole.split("/")
    return project, name


def _compared(group: Group, subject: str, entry: Mapping[str, Any], repair: str) -> Result:
    specific: Mapping[str, Any] = entry.get("specificReservation") or {}
    machine = (specific.get("instanceProperties") or {}).get("machineType", "")
    wanted = group.machine.partition("/")[2]
    if machine and machine.rpartition("/")[2] != wanted:
        return problem(CHECK, subject, f"it is of {machine}; expected {wanted}", repair)
    free = int(specific.get("count") or 0) - int(specific.get("inUseCount") or 0)
    if free < group.minimum:
        return problem(CHECK, subject, f"{free} of {wanted} are free; expected {group.minimum}", repair)
    return ok(CHECK, subject, f"{entry.get('status', 'READY')}, {free} of {wanted} free")
