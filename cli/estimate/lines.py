"""The lines of an estimate: each thing that is paid, with quantities idle, expected and at maximum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

HOURS: Final = 730
"""Hours of a month."""
PLATFORM: Final = "platform"
"""The team of what no team alone uses."""


@dataclass(frozen=True)
class Amounts:
    """Units a month, or dollars a month."""

    idle: float
    expected: float
    maximum: float

    def times(self, factor: float) -> Amounts:
        """Return each amount times a factor."""
        return Amounts(self.idle * factor, self.expected * factor, self.maximum * factor)

    def plus(self, other: Amounts) -> Amounts:
        """Return the sums."""
        return Amounts(self.idle + other.idle, self.expected + other.expected, self.maximum + other.maximum)


NONE: Final = Amounts(0, 0, 0)


def always(quantity: float) -> Amounts:
    """Return the amounts of what does not depend on use."""
    return Amounts(quantity, quantity, quantity)


@dataclass(frozen=True)
class Line:
    """One thing that is paid.

    quantity: in units of the price. usd: of one unit, after a spot factor.
    by_use: whether it is paid by use, without a maximum.
    shares: team -> its part of what is beyond idle; empty for what `team` alone has.
    """

    resource: str
    component: str
    team: str
    item: str
    group: str
    price: str
    unit: str
    usd: float
    quantity: Amounts
    by_use: bool = False
    spot: bool = False
    shares: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def cost(self) -> Amounts:
        """Dollars a month."""
        return self.quantity.times(self.usd)

    def by_team(self) -> Mapping[str, Amounts]:
        """Return team -> dollars a month. What an idle pool costs is of the line's team."""
        cost = self.cost
        if not self.shares:
            return {self.team: cost}
        parts = {
            team: Amounts(0, (cost.expected - cost.idle) * share, (cost.maximum - cost.idle) * share)
            for team, share in self.shares.items()
        }
        parts[self.team] = parts.get(self.team, NONE).plus(always(cost.idle))
        return parts


@dataclass(frozen=True)
class Unpriced:
    """A resource whose cost is unknown: it is in no sum."""

    resource: str
    reason: str
