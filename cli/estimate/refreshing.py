"""Renew a table of prices from the public price API of its cloud."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from cli.estimate import aws_price_list, google_catalog
from cli.estimate.table import FOLDER, Table, renewed
from cli.output import CommandError

KEY: Final = "GOOGLE_API_KEY"
_MOST_CHANGE: Final = 10
"""Times by which a price rises or falls at most: more is another unit."""
QUERIES: Final[Mapping[str, Any]] = tomllib.loads((FOLDER / "queries.toml").read_text())


def refresh(table: Table, region: str) -> tuple[Table, list[str]]:
    """Return the table with today's prices of a region, and the keys that the API lacks.

    Raises CommandError where the API does not answer, refuses the key, answers in another form, has none of
    the prices, or one that is ten times as much or as little as before.
    """
    today = date.today().isoformat()
    if table.cloud == "aws":
        prices = aws_price_list.prices(table, region, QUERIES["aws"])
        source = f"price-list-{today}"
        title = f"AWS price files of {region} (pricing.us-east-1.amazonaws.com)"
    else:
        key = os.environ.get(KEY, "")
        if not key:
            raise CommandError(
                f"${KEY} is not set; expected an API key of a project with the Cloud Billing API "
                "(cloudbilling.googleapis.com), which the catalog of prices needs"
            )
        prices = google_catalog.prices(table, region, key, QUERIES["gcp"], QUERIES["families"])
        source = f"catalog-{today}"
        title = f"Cloud Billing catalog, {region} (cloudbilling.googleapis.com)"
    _refuse_implausible(table, prices)
    missing = sorted(set(table.prices) - set(prices))
    if not prices:
        raise CommandError(f"the price API has no price in {region}; expected a region of the cloud")
    return renewed(table, prices, source, title, region), missing


def _refuse_implausible(table: Table, prices: Mapping[str, float]) -> None:
    wrong = [
        f"{key}: {usd:g}, and {table.prices[key].usd:g} until now"
        for key, usd in sorted(prices.items())
        if not table.prices[key].usd / _MOST_CHANGE <= usd <= table.prices[key].usd * _MOST_CHANGE
    ]
    if wrong:
        raise CommandError(
            f"{len(wrong)} price(s) changed more than tenfold, so that nothing is renewed: "
            f"{'; '.join(wrong)}; expected the unit of the table"
        )
