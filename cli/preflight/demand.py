"""What an environment takes of quotas, and whether a quota suffices: at its minimum and at its maximum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cli.preflight.results import Result, not_checked, ok, problem

CHECK: Final = "quotas"


@dataclass(frozen=True)
class Demand:
    """What one part of an environment adds to the use of a quota. minimum: once it is deployed. maximum: with
    all nodes that its pools may have."""

    quota: str
    source: str
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Quota:
    """A quota of an account. usage: what is in use now; None where it is not known. unit: of its values.

    raise_to: value -> the command, or the page of the console, that requests a higher one.
    """

    key: str
    name: str
    limit: float
    usage: float | None
    unit: str
    raise_to: Callable[[float], str]


def keys(demands: Iterable[Demand]) -> list[str]:
    """Return the quotas that demands count against, in their order."""
    return list(dict.fromkeys(demand.quota for demand in demands if demand.maximum))


def compare(quota: Quota, demands: Sequence[Demand]) -> Result:
    """Return whether a quota suffices for what demands add to its present use."""
    of_quota = [demand for demand in demands if demand.quota == quota.key and demand.maximum]
    used = quota.usage or 0.0
    minimum = used + sum(demand.minimum for demand in of_quota)
    maximum = used + sum(demand.maximum for demand in of_quota)
    in_use = "an unknown number" if quota.usage is None else f"{quota.usage:g}"
    limit = f"limit {quota.limit:g} {quota.unit}".rstrip()
    facts = f"{limit}, {in_use} in use"
    subject = f"{quota.name} ({quota.key})"
    if minimum > quota.limit:
        reason = f"{facts}, {minimum:g} needed at minimum: {_sources(of_quota, at_maximum=False)}"
        return problem(CHECK, subject, reason, quota.raise_to(max(minimum, maximum)))
    if maximum > quota.limit:
        reason = f"{facts}, {maximum:g} needed at maximum: {_sources(of_quota, at_maximum=True)}"
        return problem(CHECK, subject, reason, quota.raise_to(maximum), blocks=False)
    return ok(CHECK, subject, f"{facts}, {minimum:g} needed at minimum, {maximum:g} at maximum")


def unknown_types(pairs: Iterable[tuple[str, str]]) -> Iterator[Result]:
    """Yield a result for each node group whose demand is not known. pairs: its name, and why."""
    for name, reason in pairs:
        yield not_checked(CHECK, name, reason)


def _sources(demands: Sequence[Demand], *, at_maximum: bool) -> str:
    sums: dict[str, float] = {}
    for demand in demands:
        sums[demand.source] = sums.get(demand.source, 0) + (demand.maximum if at_maximum else demand.minimum)
    return ", ".join(f"{source} {value:g}" for source, value in sums.items() if value)
