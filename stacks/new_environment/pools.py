"""The GPU pools and the zones of a new environment file, from its accelerators and what the region offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, cast

from aiplatform import accelerators
from aiplatform._shared.cloud_support import CLOUDS
from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.problems import with_value
from aiplatform.accelerators import gcp
from aiplatform.network.args import NOT_FOR_EKS
from stacks.new_environment import cpu_nodes
from stacks.new_environment.answers import Answers, Offers
from stacks.new_environment.cpu_nodes import General
from stacks.profiles import EVERY, PROFILES

MOST_ACCELERATORS: Final[Mapping[str, int]] = {"dev": 4, "staging": 8, "prod": 16}
"""Profile -> accelerators that a pool may grow to, but at least one node."""
_LEAST_ZONES: Final = 2


@dataclass(frozen=True)
class GpuPool:
    """A pool of the file."""

    name: str
    accelerator: str
    count: int
    capacity: tuple[str, ...]
    max: int


@dataclass(frozen=True)
class Plan:
    """Pools, and what the file states of zones where the profile's number of the first ones does not fit."""

    general: General
    pools: tuple[GpuPool, ...] = ()
    zone_ids: tuple[str, ...] | None = None
    zone_count: int | None = None
    problems: tuple[tuple[str, str], ...] = ()
    """(answer, reason) of each."""


def plan(answers: Answers, offers: Offers) -> Plan:
    """Return pools and zones, or the problems of accelerators and region."""
    general = cpu_nodes.general(answers, offers)
    problem = cpu_nodes.problem(answers, offers)
    problems = [("region", problem)] if problem else list[tuple[str, str]]()
    pools: list[GpuPool] = []
    for text in answers.accelerators:
        pool = _pool(answers, text, offers)
        if isinstance(pool, str):
            problems.append(("accelerators", pool))
        elif pool in pools:
            problems.append(("accelerators", f"got {text!r} a second time; expected each once"))
        else:
            pools.append(pool)
    if problems:
        return Plan(general, problems=tuple(problems))
    return _with_zones(answers, Plan(general, _named(pools)), offers)


def offered(answers: Answers, offers: Offers) -> list[str]:
    """Return the accelerators that a zone of the region offers; those of the cloud where none is recorded."""
    names = accelerators.offered(answers.cloud)
    return [name for name in names if not offers or _counts(answers, name, offers)]


def _pool(answers: Answers, text: str, offers: Offers) -> GpuPool | str:
    """Return the pool of an accelerator, its name yet without a count, or the problem."""
    name, _, number = text.partition(":")
    reason = accelerators.key_problem(name, answers.cloud) or accelerators.offered_problem(
        name, answers.cloud
    )
    if reason:
        return with_value(name, reason)
    if number and not number.isdecimal():
        return f"got {text!r}; expected NAME or NAME:COUNT, such as {name}:8"
    reason = accelerators.count_problem(name, int(number), answers.cloud) if number else None
    if reason:
        return with_value(text, reason)
    counts = _counts(answers, name, offers)
    if offers and (int(number) not in counts if number else not counts):
        return _not_offered(answers, text, counts if number else [], offers)
    if not counts:
        counts = sorted(accelerators.counts(name, answers.cloud), key=lambda n: _preference(answers, name, n))
    count = int(number) if number else counts[0]
    most = max(1, MOST_ACCELERATORS.get(answers.profile, 1) // count)
    return GpuPool(name, name, count, _capacity(answers, name, count), most)


def _not_offered(answers: Answers, text: str, counts: Sequence[int], offers: Offers) -> str:
    others = ", ".join(offered(answers, offers)) or "none"
    if counts:
        others = " or ".join(f"{text.partition(':')[0]}:{count}" for count in sorted(counts))
    return (
        f"got {text!r}, which no zone of {answers.region} offers; expected one of those that it offers: "
        f"{others}"
    )


def _counts(answers: Answers, name: str, offers: Offers) -> list[int]:
    """Return the counts that a zone of the region offers, the preferred first."""
    known = [
        count
        for count in accelerators.counts(name, answers.cloud)
        if any(_offers(answers, name, count, types) for types in offers.values())
    ]
    return sorted(known, key=lambda count: _preference(answers, name, count))


def _preference(answers: Answers, name: str, count: int) -> tuple[bool, int]:
    """Small machines first, but those last that the cloud does not sell as the profile buys them."""
    return not set(_usual_capacity(answers)) & _sold(answers, name, count), count


def _offers(answers: Answers, name: str, count: int, types: Sequence[str]) -> bool:
    """Return whether a zone with these types can have nodes with so many of an accelerator."""
    if answers.cloud == "aws":
        return any(machine.type in types for machine in accelerators.aws_machines(name, count))
    machine = accelerators.gcp_machines(name, count)[0]
    return machine.type in types and (not machine.attached or gcp.ACCELERATOR_TYPES[name] in types)


def _usual_capacity(answers: Answers) -> Sequence[str]:
    pools = PROFILES[answers.cloud].get(answers.profile, {}).get("gpu_pools", {})
    return pools.get(EVERY, {}).get("capacity", ["on_demand"])


def _sold(answers: Answers, name: str, count: int) -> frozenset[str]:
    if answers.cloud == "aws":
        return frozenset({"spot", "on_demand"})
    sold = accelerators.gcp_machines(name, count)[0].sold
    return sold - {"flex_start"} if name in gcp.FLEX_START_ZONES else sold


def _capacity(answers: Answers, name: str, count: int) -> tuple[str, ...]:
    """Return the profile's capacity as far as it is sold, or else what may come late."""
    sold = _sold(answers, name, count)
    usual = tuple(kind for kind in _usual_capacity(answers) if kind in sold)
    return usual or tuple(kind for kind in ("spot", "flex_start") if kind in sold)


def _named(pools: Sequence[GpuPool]) -> tuple[GpuPool, ...]:
    """Return the pools with names that differ: that of the accelerator, with the count where two have it."""
    names = [pool.accelerator for pool in pools]
    return tuple(
        replace(pool, name=f"{pool.name}-x{pool.count}") if names.count(pool.accelerator) > 1 else pool
        for pool in pools
    )


def _with_zones(answers: Answers, plan: Plan, offers: Offers) -> Plan:
    """Return the plan with the first zones that have every pool. Where nothing is recorded of the region, the
    program asks the cloud."""
    if not offers:
        return plan
    network = PROFILES[answers.cloud].get(answers.profile, {}).get("network", {})
    usable = list(_zones(answers, offers))
    count = min(network.get("zone_count", _LEAST_ZONES), len(usable))
    if count < _LEAST_ZONES:
        reason = f"got {answers.region!r}, which has {len(usable)} zone(s) that a cluster can use"
        problem = f"{reason}; expected a region with {_LEAST_ZONES} or more"
        return replace(plan, problems=(("region", problem),))
    stated = count if count != network.get("zone_count") else None
    for zones in cast("Iterator[tuple[str, ...]]", combinations(usable, count)):
        if all(any(_has(answers, pool, offers[zone]) for zone in zones) for pool in plan.pools):
            if zones == tuple(usable[:count]):
                return replace(plan, zone_count=stated)
            return replace(plan, zone_ids=zones)
    places = "; ".join(
        f"{pool.name} in {', '.join(zone for zone in usable if _has(answers, pool, offers[zone])) or 'none'}"
        for pool in plan.pools
    )
    reason = f"no {count} zones of {answers.region} on {CLOUDS[answers.cloud]} have all of them ({places})"
    return replace(plan, problems=(("accelerators", f"{reason}; expected fewer accelerators"),))


def _has(answers: Answers, pool: GpuPool, types: Sequence[str]) -> bool:
    return _offers(answers, pool.accelerator, pool.count, types)


def _zones(answers: Answers, offers: Offers) -> Iterator[str]:
    """Yield the zones that a network can have, in the order in which it takes them."""
    if answers.cloud == "gcp":
        first = [zone for zone in first_zones(answers.region, len(offers)) if zone in offers]
        yield from first
        yield from sorted(offers.keys() - set(first))
    else:
        yield from sorted(offers.keys() - NOT_FOR_EKS)
