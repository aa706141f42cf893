"""From checked arguments and Compute Engine's offerings to the node pools of a pool on GKE. Pure: no
resource, no call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform.accelerators import gcp as google
from aiplatform.gpu_pool.args import Capacity, GpuPoolSettings
from aiplatform.gpu_pool.gcp import nodes

Offerings = Mapping[str, frozenset[str]]
"""Machine type -> zones that offer it."""

FIRST_PRIORITY: Final = 100
STEP: Final = 10
ROOT: Final = "GpuPoolArgs"


@dataclass(frozen=True)
class PoolPlan:
    """One node pool.

    index: of its entry in `capacity`.
    minimum, maximum: nodes, all zones together.
    stays: a slice that the autoscaler does not take away.
    priority: the higher, the sooner it grows.
    """

    index: int
    entry: Capacity
    machine: google.Machine
    key: str
    minimum: int
    maximum: int
    priority: int
    stays: bool = False


def plan(pool: GpuPoolSettings) -> list[PoolPlan]:
    """The node pools in order of preference: one an entry; one a slice where slices have several nodes."""
    keeps = next((index for index, entry in enumerate(pool.capacity) if not nodes.waits(entry)), None)
    return [
        made
        for index, entry in enumerate(pool.capacity)
        for made in _of_entry(pool, index, entry, pool.min if index == keeps else 0)
    ]


def _of_entry(pool: GpuPoolSettings, index: int, entry: Capacity, minimum: int) -> Iterator[PoolPlan]:
    machine, key = nodes.machine_of(pool, entry), nodes.key(entry)
    priority = FIRST_PRIORITY - STEP * index
    hosts = nodes.slice_nodes(pool)
    if hosts == 1:
        yield PoolPlan(index, entry, machine, key, minimum, pool.max, priority)
        return
    for number in range(pool.max):
        stays = number < minimum
        yield PoolPlan(
            index, entry, machine, f"{key}-{number}", hosts if stays else 0, hosts, priority, stays
        )


def in_one_zone(pool: GpuPoolSettings, each: PoolPlan) -> bool:
    """Whether a node pool stands in one zone, wherever its machines are offered."""
    only = len(pool.zones or pool.network.listed_zones) == 1
    return only or each.entry.type == "reserved" or nodes.in_one_zone(pool)


def zones_for(
    pool: GpuPoolSettings, plans: Sequence[PoolPlan], offerings: Offerings
) -> Mapping[str, tuple[str, ...]]:
    """The zones of each node pool, by its key. Raises ArgumentError where none offers what is asked for."""
    common = _common_zone(pool, plans, offerings)
    problems: list[Problem] = []
    found: dict[str, tuple[str, ...]] = {}
    for each in plans:
        zones = _zones_of(pool, each, offerings, common)
        offering = _offering(pool, each, offerings)
        problems.extend(_problems(pool, each, zones, offering))
        found[each.key] = zones
    if problems:
        # Node pools of the same machine type have the same problem.
        raise ArgumentError(dict.fromkeys(problems))
    return found


def _offering(pool: GpuPoolSettings, each: PoolPlan, offerings: Offerings) -> frozenset[str]:
    """The zones where a node pool can get its machines in its way."""
    offered = offerings.get(each.machine.type, frozenset[str]())
    sold = nodes.flex_start_zones(pool, each.entry)
    return offered if sold is None else offered & sold


def _common_zone(pool: GpuPoolSettings, plans: Sequence[PoolPlan], offerings: Offerings) -> str | None:
    """The one zone of a pool that can have just one: the user's; else a reservation's; else the first of the
    network that offers all machine types, or else any."""
    if not nodes.in_one_zone(pool):
        return None
    if pool.zones:
        return pool.zones[0]
    reserved = next((entry.zone for entry in pool.capacity if entry.zone), None)
    if reserved:
        return reserved
    ids = [zone.id for zone in pool.network.listed_zones]
    able = [_offering(pool, each, offerings) for each in plans]
    of_all = [zone for zone in ids if all(zone in zones for zones in able)]
    of_any = [zone for zone in ids if any(zone in zones for zones in able)]
    return next(iter(of_all or of_any or ids))


def _zones_of(
    pool: GpuPoolSettings, each: PoolPlan, offerings: Offerings, common: str | None
) -> tuple[str, ...]:
    ids = [zone.id for zone in pool.network.listed_zones]
    if each.entry.type == "reserved":
        # The rules made sure that one of them is known.
        return (each.entry.zone or (pool.zones or ids)[0],)
    if common is not None:
        return (common,)
    if pool.zones is not None:
        sold = nodes.flex_start_zones(pool, each.entry)
        return tuple(zone for zone in pool.zones if sold is None or zone in sold)
    return tuple(zone for zone in ids if zone in _offering(pool, each, offerings))


def _problems(
    pool: GpuPoolSettings, each: PoolPlan, zones: tuple[str, ...], offering: frozenset[str]
) -> Iterator[Problem]:
    limited = nodes.flex_start_zones(pool, each.entry) is not None
    what = f"{each.machine.type} by flex-start" if limited else each.machine.type
    where = (
        f"zones of the network that do: {', '.join(sorted(offering))}" if offering else "no zone of it does"
    )
    if not zones:
        yield Problem(f"{ROOT}.network.zones", f"no zone of the network offers {what}; {where}")
    for zone in zones:
        if zone in offering:
            continue
        if each.entry.zone == zone:
            path = f"{ROOT}.capacity[{each.index}].zone"
        elif pool.zones and zone in pool.zones:
            path = f"{ROOT}.zones[{pool.zones.index(zone)}]"
        else:
            yield Problem(f"{ROOT}.network.zones", f"no zone that the pool can use offers {what}; {where}")
            continue
        yield Problem(path, f"{got(zone)}, which does not offer {what}; {where}")
