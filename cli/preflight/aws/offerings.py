"""Whether the zones of node groups offer their instance types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from cli.estimate.nodes import SYSTEM, Group
from cli.estimate.resources import UNKNOWN
from cli.preflight.aws import usage
from cli.preflight.results import Result, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "zones"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_TIER: Final = "ai-platform/tier"
_BY_ID: Final = "availability-zone-id"


def check(scope: Scope) -> Iterator[Result]:
    """Compare the zones of each group with those that offer one of its types."""
    types = sorted({name for group in scope.groups for name in _types(group)})
    if not types:
        return
    offered = _offered(scope, types)
    for group in scope.groups:
        zones, certain = _zones(scope, group)
        if not zones:
            yield not_checked(CHECK, group.resource.name, "the zones of its subnets are known only at `up`")
        else:
            yield _result(scope, group, zones, certain, offered)


def _result(
    scope: Scope, group: Group, zones: Sequence[str], certain: bool, offered: Mapping[str, set[str]]
) -> Result:
    types = _types(group)
    subject, names = group.resource.name, " or ".join(types)
    having = [zone for zone in zones if any(zone in offered.get(name, ()) for name in types)]
    missing = [zone for zone in zones if zone not in having]
    elsewhere = sorted({zone for name in types for zone in offered.get(name, ())})
    repair = (
        f"aws ec2 describe-instance-type-offerings --region {scope.region} --location-type {_BY_ID} "
        f"--filters Name=instance-type,Values={','.join(types)}; then state other types or zones"
    )
    if not having:
        where = (
            f"it is offered in {', '.join(elsewhere)}"
            if elsewhere
            else f"no zone of {scope.region} offers it"
        )
        return problem(CHECK, subject, f"{names}: not offered in {', '.join(zones)}; {where}", repair)
    if missing and certain:
        reason = f"{names}: not offered in {', '.join(missing)}, a zone of its subnets, where no node starts"
        return problem(CHECK, subject, reason, repair, blocks=False)
    without = f"; not in {', '.join(missing)}, which its component leaves out" if missing else ""
    return ok(CHECK, subject, f"{names}: offered in {', '.join(having)}{without}")


def _zones(scope: Scope, group: Group) -> tuple[list[str], bool]:
    """Return the ids of the zones of a group, and whether it has a subnet in each of them.

    Before an `up` the ids of its subnets are unknown. System nodes are in all private subnets; pools are in
    those whose zones offer their types (components GpuPool and NodePool).
    """
    subnets = cast("Sequence[Any]", group.resource.get("subnetIds", ()))
    if subnets and UNKNOWN not in subnets:
        by_subnet = usage.zones_of_subnets(scope, [str(subnet) for subnet in subnets])
        return sorted(set(by_subnet.values())), True
    private = [
        str(subnet.get("availabilityZoneId"))
        for subnet in scope.resources.of(_SUBNET)
        if subnet.get("tags", {}).get(_TIER) == "private" and subnet.get("availabilityZoneId")
    ]
    return sorted(set(private)), group.pool == SYSTEM


def _offered(scope: Scope, types: Sequence[str]) -> dict[str, set[str]]:
    entries: list[Any] = scope.client.pages(
        "ec2",
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType=_BY_ID,
        Filters=[{"Name": "instance-type", "Values": list(types)}],
    )
    offered: dict[str, set[str]] = {}
    for entry in entries:
        offered.setdefault(str(entry["InstanceType"]), set()).add(str(entry["Location"]))
    return offered


def _types(group: Group) -> list[str]:
    return [str(name) for name in cast("Sequence[Any]", group.resource.get("instanceTypes", ()))]
