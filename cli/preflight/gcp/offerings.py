"""Whether the zones of node pools offer their machine types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from cli.clients.errors import UncheckedError
from cli.clients.gcp import NOT_FOUND, ApiError, segment
from cli.estimate.nodes import Group
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "zones"


def check(scope: Scope) -> Iterator[Result]:
    """Ask each zone of a pool for its machine type, and for its accelerator where it is attached."""
    for group in scope.groups:
        zones = zones_of(group)
        if not zones:
            yield not_checked(CHECK, group.resource.name, "its zones are known only at `up`")
            continue
        try:
            missing = [zone for zone in zones if not _offers(scope, group, zone)]
        except ApiError as error:
            if not error.is_off:
                raise UncheckedError(str(error)) from error
            yield not_checked(
                CHECK,
                scope.account,
                "compute.googleapis.com is switched off",
                f"gcloud services enable compute.googleapis.com --project {scope.account}",
            )
            return
        yield _result(scope, group, zones, missing)


def zones_of(group: Group) -> list[str]:
    """Return the zones of a pool: those that it states, else the zone of its cluster."""
    stated = cast("Sequence[Any]", group.resource.get("nodeLocations", ()))
    if stated:
        return [str(zone) for zone in stated]
    location = str(group.resource.get("location", ""))
    return [location] if location.count("-") > 1 else []


def _offers(scope: Scope, group: Group, zone: str) -> bool:
    place = f"projects/{scope.account}/zones/{zone}"
    machine = group.machine.partition("/")[2]
    wanted = [f"machineTypes/{segment(machine)}"]
    # Other machine types have their accelerators built in.
    wanted += [f"acceleratorTypes/{segment(key.rpartition('/')[2])}" for key, _ in group.accelerators]
    return all(_exists(scope, f"{place}/{path}") for path in wanted)


def _exists(scope: Scope, path: str) -> bool:
    # While the API is switched off nothing is known of what zones offer.
    try:
        scope.client.get("compute", path)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return False
        raise
    return True


def _result(scope: Scope, group: Group, zones: Sequence[str], missing: Sequence[str]) -> Result:
    machine = group.machine.partition("/")[2]
    cards = "".join(f" with {key.rpartition('/')[2]}" for key, _ in group.accelerators)
    if not missing:
        return ok(CHECK, group.resource.name, f"{machine}{cards}: offered in {', '.join(zones)}")
    repair = (
        f"gcloud compute machine-types list --project {scope.account} "
        f"--filter='name={machine} AND zone~{scope.region}'; then state other types or zones"
    )
    # GKE refuses a pool with such a zone.
    return problem(
        CHECK, group.resource.name, f"{machine}{cards}: not offered in {', '.join(missing)}", repair
    )
