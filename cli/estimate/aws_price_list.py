"""Prices from the price files of AWS, which need no credentials.

The CSV file of an offer and a region begins with five lines about the file; then each line is a price. The
file of EC2 has hundreds of megabytes, so files are read line by line ("Reading the price list files", AWS
Billing guide).
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.estimate.http import opened
from cli.estimate.table import Table
from cli.output import CommandError

ADDRESS: Final = "https://pricing.us-east-1.amazonaws.com"
_ABOUT_THE_FILE: Final = 5
_PREFIX: Final = re.compile(r"([A-Z]{2,4}[0-9]|EU|[a-z]{2}(-[a-z]+)+-[0-9])-")
"""Of a region, in a usage type: `USW2-`; us-east-1 has none in most, eu-west-1 `EU-`; some services write
`us-west-2-`."""
_COLUMNS: Final = frozenset(
    {"TermType", "StartingRange", "PricePerUnit", "Currency", "usageType", "operation"}
)


@dataclass(frozen=True)
class Query:
    """What a price's line in an offer's file has."""

    offer: str
    usage: str
    operation: str = ""
    engine: str = ""
    factor: float = 1.0

    def matches(self, row: Mapping[str, str]) -> bool:
        """Whether a line on demand is this price, in its first tier."""
        return (
            (not self.operation or row.get("operation") == self.operation)
            and (not self.engine or row.get("Database Engine") == self.engine)
            and float(row.get("StartingRange") or 0) == 0
        )


def query_of(key: str, queries: Mapping[str, Any]) -> Query | None:
    """Return the query of a price; None for one that the files do not have."""
    if key in queries:
        return Query(**queries[key])
    kind, _, name = key.partition("/")
    if kind == "ec2" and "." in name:
        # The operation is that of Linux without further software.
        return Query("AmazonEC2", f"BoxUsage:{name}", operation="RunInstances")
    if kind == "rds" and name.startswith("db."):
        return Query("AmazonRDS", f"InstanceUsage:{name}", engine="PostgreSQL")
    return None


def prices(table: Table, region: str, queries: Mapping[str, Any], address: str = ADDRESS) -> dict[str, float]:
    """Return the prices of a table that the files of a region have."""
    by_offer: defaultdict[str, dict[str, Query]] = defaultdict(dict)
    for key in table.prices:
        query = query_of(key, queries)
        if query is not None:
            by_offer[query.offer][key] = query
    result: dict[str, float] = {}
    for offer, wanted in sorted(by_offer.items()):
        url = f"{address}/offers/v1.0/aws/{offer}/current/{region}/index.csv"
        with opened(url) as response:
            try:
                result |= _of_offer(io.TextIOWrapper(response, encoding="utf-8", newline=""), wanted)
            except (ValueError, csv.Error) as error:
                raise CommandError(f"{url}: {error}") from None
    return result


def _of_offer(lines: Iterable[str], wanted: Mapping[str, Query]) -> dict[str, float]:
    """Return the prices of a file. Raises ValueError for one of another form."""
    by_usage: defaultdict[str, list[tuple[str, Query]]] = defaultdict(list)
    for key, query in wanted.items():
        by_usage[query.usage].append((key, query))
    result: dict[str, float] = {}
    rows = csv.DictReader(itertools.islice(lines, _ABOUT_THE_FILE, None))
    lacking = _COLUMNS - set(rows.fieldnames or ())
    if lacking:
        raise ValueError(f"no price file: it lacks {', '.join(sorted(lacking))}")
    for row in rows:
        usage = row.get("usageType") or ""
        usage = usage[prefix.end() :] if (prefix := _PREFIX.match(usage)) else usage
        if row.get("TermType") != "OnDemand" or row.get("Currency") != "USD":
            continue
        for key, query in by_usage.get(usage, ()):
            usd = float(row.get("PricePerUnit") or 0)
            # A free tier is a line with the price 0.
            if usd and query.matches(row):
                result.setdefault(key, usd * query.factor)
    return result
