"""What resources cost a month, by the price tables of the estimate."""

from __future__ import annotations

from collections.abc import Iterable

from cli.estimate.table import Table
from cli.sweep.claims import Evaluated
from cli.sweep.item import Item


def monthly(item: Item, table: Table) -> float | None:
    """Return dollars a month; None where the table lacks a price, or the amount is not known."""
    if item.unpriced or any(price not in table.prices for price, _ in item.costs):
        return None
    return sum(table.prices[price].usd * quantity for price, quantity in item.costs)


def total(entries: Iterable[Evaluated], table: Table) -> float:
    """Return the sum of what is known."""
    return sum(monthly(entry.item, table) or 0.0 for entry in entries)


def unknown(item: Item, table: Table) -> str:
    """Return what the price of a resource lacks."""
    missing = [price for price, _ in item.costs if price not in table.prices]
    return item.unpriced or f"the table has no price {', '.join(missing)}"
