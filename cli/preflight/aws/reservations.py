"""Whether the capacity reservations that launch templates name exist and fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from cli.preflight.aws import usage
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "reservations"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
_ID: Final = "capacityReservationSpecification.capacityReservationTarget.capacityReservationId"


def check(scope: Scope) -> Iterator[Result]:
    """Compare each stated reservation with what the account has."""
    stated = {
        template.name: str(template.get(_ID))
        for template in scope.resources.of(_TEMPLATE)
        if template.get(_ID)
    }
    if not stated:
        yield ok(CHECK, scope.account, "the environment states none")
        return
    present = {str(entry["CapacityReservationId"]): entry for entry in usage.of_reservations(scope)}
    for name, reservation in stated.items():
        group = scope.resources.named(_GROUP, name)
        if group is None:
            yield not_checked(CHECK, reservation, f"no node group has the name of its template, {name}")
            continue
        types = [str(entry) for entry in cast("Sequence[Any]", group.get("instanceTypes", ()))]
        minimum = int(group.get("scalingConfig.minSize", 0))
        yield _result(scope, reservation, name, present.get(reservation), (types, minimum))


def _result(
    scope: Scope,
    reservation: str,
    name: str,
    entry: Mapping[str, Any] | None,
    needed: tuple[Sequence[str], int],
) -> Result:
    types, minimum = needed
    subject = f"{reservation} ({name})"
    repair = (
        f"aws ec2 describe-capacity-reservations --region {scope.region}; then state one that is active, or "
        "create it by aws ec2 create-capacity-reservation"
    )
    if entry is None:
        return problem(CHECK, subject, f"account {scope.account} has none in {scope.region}", repair)
    kind, state, available = entry["InstanceType"], entry["State"], int(entry["AvailableInstanceCount"])
    if state not in ("active", "scheduled"):
        return problem(CHECK, subject, f"it is {state}; expected active or scheduled", repair)
    if types and kind not in types:
        return problem(CHECK, subject, f"it is of {kind}; expected {' or '.join(types)}", repair)
    if state == "active" and available < minimum:
        return problem(CHECK, subject, f"{available} of {kind} are available; expected {minimum}", repair)
    return ok(CHECK, subject, f"{state}, {available} of {kind} available")
