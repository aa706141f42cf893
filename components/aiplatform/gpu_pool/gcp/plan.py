"""Plan the node pools of a GPU pool from its settings and Compute Engine's offerings. Pure: no resource, no
call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pulumi import Input

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform._shared.references.cluster import priority
from aiplatform.accelerators.gcp import Machine
from aiplatform.gpu_pool.args import Capacity, GpuPoolSettings
from aiplatform.gpu_pool.gcp import nodes

Offerings = Mapping[str, frozenset[str]]
"""Machine type -> zones that offer it."""

ROOT: Final = "GpuPoolArgs"


@dataclass(frozen=True)
class PoolPlan:
    """One node pool.

    index: of its entry in `capacity`.
    minimum, maximum: nodes, all zones together.
    stays: a slice that the autoscaler does not remove.
    priority: the node pool with the highest grows first.
    """

    index: int
    entry: Capacity
    machine: Machine
    key: str
    minimum: Input[int]
    maximum: Input[int]
    priority: int
    stays: bool = False


def plan(pool: GpuPoolSettings) -> list[PoolPlan]:
    """Return the node pools in order of preference: one for each entry, or for each slice of several
    nodes."""
    keeps = next((index for index, entry in enumerate(pool.capacity) if not nodes.waits(entry)), None)
    return [
        pool_plan
        for index, entry in enumerate(pool.capacity)
        for pool_plan in _of_entry(pool, index, entry, pool.min if index == keeps else 0)
    ]


def _of_entry(pool: GpuPoolSettings, index: int, entry: Capacity, minimum: Input[int]) -> Iterator[PoolPlan]:
    machine, key = nodes.machine_of(pool, entry), nodes.key(entry, index)
    hosts = nodes.slice_nodes(pool)
    if hosts == 1:
        yield PoolPlan(index, entry, machine, key, minimum, pool.max, priority(index))
        return
    # The rules checked that both are known.
    least, most = cast(int, minimum), cast(int, pool.max)
    for number in range(most):
        stays = number < least
        yield PoolPlan(
            index, entry, machine, f"{key}-{number}", hosts if stays else 0, hosts, priority(index), stays
        )


def in_one_zone(pool: GpuPoolSettings, pool_plan: PoolPlan) -> bool:
    """Return whether a node pool is limited to one zone, wherever its machines are offered."""
    only = len(pool.zones or pool.network.listed_zones) == 1
    return only or pool_plan.entry.type == "reserved" or nodes.in_one_zone(pool)


def zones_for(
    pool: GpuPoolSettings, plans: Sequence[PoolPlan], offerings: Offerings
) -> Mapping[str, tuple[str, ...]]:
    """Return the zones of each node pool, by its key. Raises ArgumentError where none offers its machines."""
    common = _common_zone(pool, plans, offerings)
    problems: list[Problem] = []
    zones_by_key: dict[str, tuple[str, ...]] = {}
    for pool_plan in plans:
        zones = _zones_of(pool, pool_plan, offerings, common)
        offering = _offering(pool, pool_plan, offerings)
        problems.extend(_problems(pool, pool_plan, zones, offering))
        zones_by_key[pool_plan.key] = zones
    if problems:
        # Node pools of the same machine type have the same problem.
        raise ArgumentError(dict.fromkeys(problems))
    return zones_by_key


def _offering(pool: GpuPoolSettings, pool_plan: PoolPlan, offerings: Offerings) -> frozenset[str]:
    """Return the zones that sell a node pool's machines by its type of capacity."""
    offered = offerings.get(pool_plan.machine.type, frozenset[str]())
    sold = nodes.flex_start_zones(pool, pool_plan.entry)
    return offered if sold is None else offered & sold


def _common_zone(pool: GpuPoolSettings, plans: Sequence[PoolPlan], offerings: Offerings) -> str | None:
    """Return the zone of a pool that is limited to one: the user's; else that of a reservation; else the
    first zone of the network that offers all machine types, or else any."""
    if not nodes.in_one_zone(pool):
        return None
    if pool.zones:
        return pool.zones[0]
    reserved = next((entry.zone for entry in pool.capacity if entry.zone), None)
    if reserved:
        return reserved
    ids = [zone.id for zone in pool.network.listed_zones]
    offering = [_offering(pool, pool_plan, offerings) for pool_plan in plans]
    of_all = [zone for zone in ids if all(zone in zones for zones in offering)]
    of_any = [zone for zone in ids if any(zone in zones for zones in offering)]
    return next(iter(of_all or of_any or ids))


def _zones_of(
    pool: GpuPoolSettings, pool_plan: PoolPlan, offerings: Offerings, common: str | None
) -> tuple[str, ...]:
    ids = [zone.id for zone in pool.network.listed_zones]
    if pool_plan.entry.type == "reserved":
        # The rules checked that one of them is known.
        return (pool_plan.entry.zone or (pool.zones or ids)[0],)
    if common is not None:
        return (common,)
    if pool.zones is not None:
        sold = nodes.flex_start_zones(pool, pool_plan.entry)
        return tuple(zone for zone in pool.zones if sold is None or zone in sold)
    return tuple(zone for zone in ids if zone in _offering(pool, pool_plan, offerings))


def _problems(
    pool: GpuPoolSettings, pool_plan: PoolPlan, zones: tuple[str, ...], offering: frozenset[str]
) -> Iterator[Problem]:
    limited = nodes.flex_start_zones(pool, pool_plan.entry) is not None
    what = f"{pool_plan.machine.type} by flex-start" if limited else pool_plan.machine.type
    where = (
        f"zones of the network that do: {', '.join(sorted(offering))}" if offering else "no zone of it does"
    )
    if not zones:
        yield Problem(f"{ROOT}.network.zones", f"no zone of the network offers {what}; {where}")
    for zone in zones:
        if zone in offering:
            continue
        if pool_plan.entry.zone == zone:
            path = f"{ROOT}.capacity[{pool_plan.index}].zone"
        elif pool.zones and zone in pool.zones:
            path = f"{ROOT}.zones[{pool.zones.index(zone)}]"
        else:
            yield Problem(f"{ROOT}.network.zones", f"no zone that the pool can use offers {what}; {where}")
            continue
        yield Problem(path, f"{got(zone)}, which does not offer {what}; {where}")
