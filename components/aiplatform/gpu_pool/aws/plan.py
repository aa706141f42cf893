"""Plan the node groups of a pool from its settings and EC2's offerings. Pure: no resource, no call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import Input

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.references.cluster import priority
from aiplatform.accelerators import Machine
from aiplatform.gpu_pool.args import Capacity, GpuPoolSettings
from aiplatform.gpu_pool.aws import nodes
from aiplatform.gpu_pool.aws.rules import machines_of

Offerings = Mapping[str, frozenset[str]]
"""Instance type -> ids of the region's zones that offer it."""

ROOT: Final = "GpuPoolArgs"


@dataclass(frozen=True)
class GroupPlan:
    """One managed node group.

    key: its part of the names of resources. minimum, maximum: nodes. priority: for the autoscaler's priority
    expander, which prefers the highest.
    """

    entry: Capacity
    key: str
    machines: tuple[Machine, ...]
    zones: tuple[str, ...]
    minimum: Input[int]
    maximum: Input[int]
    priority: int


def instance_types(pool: GpuPoolSettings) -> list[str]:
    """Return all types that the pool may use, for a query of their zones."""
    return sorted({machine.type for entry in pool.capacity for machine in machines_of(pool, entry)})


def plan(pool: GpuPoolSettings, offerings: Offerings) -> list[GroupPlan]:
    """Return the node groups in order of preference. Raises ArgumentError where no zone offers their
    types."""
    problems: list[Problem] = []
    common = _common_zone(pool, offerings)
    groups: list[GroupPlan] = []
    warm = next((index for index, entry in enumerate(pool.capacity) if not entry.capacity_block), None)
    for index, entry in enumerate(pool.capacity):
        machines = machines_of(pool, entry)
        zones = _zones_of(pool, entry, machines, offerings, common)
        # A type must be offered in every zone of the group, else some of its launches always fail.
        usable = [m for m in machines if set(zones) <= offerings.get(m.type, frozenset())]
        if not (zones and usable):
            problems.extend(_offering_problems(pool, index, machines, zones, offerings))
        groups.append(
            GroupPlan(
                entry=entry,
                key=nodes.key(entry, index),
                machines=tuple(usable or machines),
                zones=zones,
                minimum=pool.min if index == warm else 0,
                maximum=pool.max,
                priority=priority(index),
            )
        )
    if problems:
        # Entries with the same types have the same problem.
        raise ArgumentError(dict.fromkeys(problems))
    return groups


def _common_zone(pool: GpuPoolSettings, offerings: Offerings) -> str | None:
    """Return the zone of a pool that is limited to one: the user's; else that of a reservation; else the
    first zone of the network that offers the preferred type of every entry, or else of any."""
    if not pool.in_one_zone:
        return None
    if pool.zones:
        return pool.zones[0]
    reserved = next((entry.zone for entry in pool.capacity if entry.zone), None)
    if reserved:
        return reserved
    firsts = [machines_of(pool, entry)[0].type for entry in pool.capacity]
    ids = [zone.id for zone in pool.network.listed_zones]
    offering_all = [zone for zone in ids if all(zone in offerings.get(first, ()) for first in firsts)]
    offering_any = [zone for zone in ids if any(zone in offerings.get(first, ()) for first in firsts)]
    return next(iter(offering_all or offering_any or ids))


def _zones_of(
    pool: GpuPoolSettings,
    entry: Capacity,
    machines: Iterable[Machine],
    offerings: Offerings,
    common: str | None,
) -> tuple[str, ...]:
    ids = [zone.id for zone in pool.network.listed_zones]
    if entry.type == "reserved":
        # The rules checked that one of them is known.
        return (entry.zone or (pool.zones or ids)[0],)
    if common is not None:
        return (common,)
    if pool.zones is not None:
        return tuple(pool.zones)
    # The zones of the first available type: the autoscaler plans with it.
    choices = (tuple(z for z in ids if z in offerings.get(machine.type, ())) for machine in machines)
    return next((zones for zones in choices if zones), ())


def _offering_problems(
    pool: GpuPoolSettings, index: int, machines: list[Machine], zones: tuple[str, ...], offerings: Offerings
) -> Iterable[Problem]:
    types = [machine.type for machine in machines]
    offering = {zone for type_ in types for zone in offerings.get(type_, ())}
    known = sorted(offering)
    where = f"zone ids that do: {', '.join(known)}" if known else "no zone of this region does"
    what = " or ".join(types)
    if not zones:
        yield Problem(f"{ROOT}.network.zones", f"no zone of the network offers {what}; {where}")
    for zone in zones:
        if zone in offering:
            continue
        entry = pool.capacity[index]
        if entry.type == "reserved" and entry.zone:
            yield Problem(
                f"{ROOT}.capacity[{index}].zone", f"{got(zone)}, which does not offer {what}; {where}"
            )
        elif pool.zones and zone in pool.zones:
            path = f"{ROOT}.zones[{pool.zones.index(zone)}]"
            yield Problem(path, f"{got(zone)}, which does not offer {what}; {where}")
        else:
            yield Problem(f"{ROOT}.network.zones", f"no zone that the pool can use offers {what}; {where}")
    if zones and all(zone in offering for zone in zones):
        zones_of_types = "; ".join(f"{t}: {', '.join(sorted(offerings.get(t, ())))}" for t in types)
        yield Problem(
            f"{ROOT}.zones", f"{got(list(zones))}, but no type is offered in all of them ({zones_of_types})"
        )
