"""What the rules of an estimate share: resources, prices, expected use, and the lines that they add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cli.estimate.lines import PLATFORM, Amounts, Line, Unpriced
from cli.estimate.resources import Resource, Resources
from cli.estimate.table import Price, Table
from cli.estimate.usage import Usage


@dataclass
class Context:
    """One estimate while it is made."""

    resources: Resources
    table: Table
    usage: Usage
    credits: bool = True
    """Whether credits that the cloud grants each account count."""
    lines: list[Line] = field(default_factory=list[Line])
    unpriced: list[Unpriced] = field(default_factory=list[Unpriced])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    """Sentences for the reader, without duplicates."""
    used: dict[str, Price] = field(default_factory=dict[str, Price])
    """The prices that lines have."""

    def add(
        self,
        resource: Resource,
        item: str,
        price: str,
        quantity: Amounts,
        group: str,
        *,
        by_use: bool = False,
        spot: bool = False,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        """Add a line, or report the resource as unpriced where the table lacks the price."""
        known = self._price(price, spot)
        name = f"{resource.type} {resource.name}"
        if known is None:
            self.unpriced.append(Unpriced(name, f"no price {price} in prices/{self.table.cloud}.toml"))
            return
        key, usd, unit = known
        self.lines.append(
            Line(
                name,
                self.resources.component(resource),
                self.resources.team(resource) or PLATFORM,
                item,
                group,
                key,
                unit,
                usd,
                quantity,
                by_use,
                spot,
                shares or {},
            )
        )

    def refuse(self, resource: Resource, reason: str) -> None:
        """Report a resource as unpriced."""
        self.unpriced.append(Unpriced(f"{resource.type} {resource.name}", reason))

    def note(self, text: str) -> None:
        """Add a sentence for the reader."""
        self.notes[text] = None

    def _price(self, key: str, spot: bool) -> tuple[str, float, str] | None:
        """Return key, dollars and unit of a price; on spot its recorded one, else a part of the other."""
        prices = self.table.prices
        recorded = f"{key}/spot"
        if spot and recorded in prices:
            key, spot = recorded, False
        if key not in prices:
            return None
        price = prices[key]
        self.used[key] = price
        if not spot:
            return key, price.usd, price.unit
        factor = f"{key.partition('/')[0]}/spot"
        self.used[factor] = prices[factor]
        return key, price.usd * prices[factor].usd, price.unit
