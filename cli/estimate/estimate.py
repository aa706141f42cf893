"""An estimate: its lines, their sums by component and team, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.estimate import discounts, rules, steps
from cli.estimate.context import Context
from cli.estimate.lines import NONE, Amounts, Line, Unpriced
from cli.estimate.resources import Resource, Resources
from cli.estimate.steps import Step
from cli.estimate.table import Price, Table
from cli.estimate.usage import Usage


@dataclass(frozen=True)
class Terms:
    """What changes list prices."""

    discounts: Mapping[str, float]
    commitments: Sequence[discounts.Commitment]
    credits: bool = True


LIST_PRICES = Terms({}, ())


@dataclass(frozen=True)
class Estimate:
    """The estimate of an environment."""

    environment: str
    region: str
    table: Table
    usage: Usage
    lines: Sequence[Line]
    unpriced: Sequence[Unpriced]
    free: Mapping[tuple[str, str], int]
    """Type and reason -> number of resources that cost nothing."""
    notes: Sequence[str]
    prices: Mapping[str, Price]
    """The prices that count."""
    steps: Sequence[Step] = ()
    """What no first `up` can do."""

    @property
    def total(self) -> Amounts:
        """Dollars a month."""
        return _sum(line.cost for line in self.lines)

    def by_component(self) -> Mapping[str, Amounts]:
        """Return component -> dollars a month, the most expensive at maximum first."""
        return _sorted((line.component, line.cost) for line in self.lines)

    def by_team(self) -> Mapping[str, Amounts]:
        """Return team -> dollars a month."""
        return _sorted(pair for line in self.lines for pair in line.by_team().items())


def make(
    environment: str,
    region: str,
    resources: Iterable[Resource],
    table: Table,
    usage: Usage,
    terms: Terms = LIST_PRICES,
) -> Estimate:
    """Return the estimate of resources."""
    context = Context(Resources(resources), table, usage, terms.credits)
    free = rules.add(context)
    unknown = sorted(set(usage.units) - set(table.prices))
    if unknown:
        context.note(f"ai-platform:cost.usage: no price is named {', '.join(unknown)}")
    if not table.covers(region):
        context.note(f"prices of {table.region} stand for those of {region}")
    lines = discounts.discounted(context.lines, terms.discounts)
    # The engine reports resources in no fixed order, such as the objects of a chart.
    lines = sorted(lines, key=lambda line: (line.resource, line.item, line.price))
    lines += discounts.committed(lines, terms.commitments)
    return Estimate(
        environment,
        region,
        table,
        usage,
        lines,
        sorted(context.unpriced, key=lambda entry: (entry.resource, entry.reason)),
        dict(sorted(free.items())),
        sorted(context.notes),
        dict(sorted(context.used.items())),
        steps.of(table.cloud, context.resources),
    )


def document(estimate: Estimate) -> dict[str, Any]:
    """Return the estimate as a document for JSON: what is printed, committed and compared."""
    return {
        "environment": estimate.environment,
        "cloud": estimate.table.cloud,
        "profile": estimate.usage.profile,
        "region": estimate.region,
        "region_of_prices": estimate.table.region,
        "usd_per_month": _amounts(estimate.total),
        "components": {name: _amounts(cost) for name, cost in estimate.by_component().items()},
        "teams": {name: _amounts(cost) for name, cost in estimate.by_team().items()},
        "lines": [_line(line) for line in estimate.lines],
        "unpriced": [{"resource": entry.resource, "reason": entry.reason} for entry in estimate.unpriced],
        "free": [
            {"type": type_, "resources": count, "reason": reason}
            for (type_, reason), count in estimate.free.items()
        ],
        "steps": [steps.document(step) for step in estimate.steps],
        "notes": list(estimate.notes),
        "prices": {
            key: {"usd": price.usd, "unit": price.unit, "date": price.date, "source": price.source}
            for key, price in estimate.prices.items()
        },
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "resource": line.resource,
        "component": line.component,
        "team": line.team,
        "shares": {team: round(share, 4) for team, share in line.shares.items()},
        "item": line.item,
        "group": line.group,
        "price": line.price,
        "usd_per_unit": round(line.usd, 10),
        "unit": line.unit,
        "quantity": _amounts(line.quantity),
        "usd_per_month": _amounts(line.cost),
        "by_use": line.by_use,
    }


def _amounts(amounts: Amounts) -> dict[str, float]:
    return {
        "idle": round(amounts.idle, 2),
        "expected": round(amounts.expected, 2),
        "maximum": round(amounts.maximum, 2),
    }


def _sum(costs: Iterable[Amounts]) -> Amounts:
    total = NONE
    for cost in costs:
        total = total.plus(cost)
    return total


def _sorted(pairs: Iterable[tuple[str, Amounts]]) -> Mapping[str, Amounts]:
    sums: dict[str, Amounts] = {}
    for name, cost in pairs:
        sums[name] = sums.get(name, NONE).plus(cost)
    return dict(sorted(sums.items(), key=lambda item: (-item[1].maximum, item[0])))
