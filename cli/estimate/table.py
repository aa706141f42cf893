"""The tables of prices: prices/aws.toml and prices/gcp.toml, with a source and a date for each price."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).with_name("prices")
CLOUDS: Final = ("aws", "gcp")
UNVERIFIED: Final = "unverified"
"""The source of a price that was read from no source."""


@dataclass(frozen=True)
class Price:
    """One list price.

    usd: dollars for one unit; the factor of the on-demand price where the unit is `ratio`.
    date: of the source, `2026-07-20`; empty where the source has none.
    vcpus, memory_gib: the size of a machine, by which Pods are counted on nodes; 0 for anything else.
    """

    usd: float
    unit: str
    date: str
    source: str
    vcpus: int = 0
    memory_gib: float = 0


@dataclass(frozen=True)
class Table:
    """The prices of a cloud."""

    cloud: str
    region: str
    """The region whose prices these are."""
    same: tuple[str, ...]
    """Regions with the same prices."""
    sources: Mapping[str, str]
    """Key of a source -> what it is."""
    prices: Mapping[str, Price]

    def covers(self, region: str) -> bool:
        """Return whether these are the prices of a region."""
        return region in (self.region, *self.same)


def load(cloud: str, folder: Path = FOLDER) -> Table:
    """Return the table of a cloud."""
    content = tomllib.loads((folder / f"{cloud}.toml").read_text())
    return Table(
        cloud,
        content["region"],
        tuple(content["same"]),
        content["sources"],
        {key: Price(**price) for key, price in content["prices"].items()},
    )


def renewed(table: Table, prices: Mapping[str, float], source: str, title: str, region: str) -> Table:
    """Return the table with today's prices of a source; what the source lacks stays with its date.

    A table has the prices of one region: another region than the table's keeps none of its equal regions.
    """
    today = date.today().isoformat()
    changed = {
        key: replace(table.prices[key], usd=usd, date=today, source=source) for key, usd in prices.items()
    }
    return replace(
        table,
        region=region,
        same=table.same if region == table.region else (),
        sources={**table.sources, source: title},
        prices={**table.prices, **changed},
    )


def dump(table: Table) -> str:
    """Return the text of a table's file, which `load` reads. Sources that no price has are left out."""
    used = {price.source for price in table.prices.values()}
    sources = {key: text for key, text in table.sources.items() if key in used}
    title = {"aws": "AWS on demand, Linux, shared tenancy", "gcp": "Google Cloud on demand"}[table.cloud]
    return "\n".join(
        [
            f"# List prices of {title}, without tax, in dollars.",
            f"# `aiplatform prices refresh {table.cloud}` renews them.",
            f"region = {json.dumps(table.region)}",
            f"same = {json.dumps([*table.same])}",
            "",
            "[sources]",
            *(f"{key} = {json.dumps(sources[key])}" for key in sorted(sources)),
            "",
            "[prices]",
            *(f"{json.dumps(key)} = {{ {_fields(table.prices[key])} }}" for key in sorted(table.prices)),
            "",
        ]
    )


def save(table: Table, folder: Path | None = None) -> None:
    """Write a table's file: whole, or not at all."""
    file = (folder or FOLDER) / f"{table.cloud}.toml"
    draft = file.with_suffix(".toml.new")
    draft.write_text(dump(table))
    draft.replace(file)


def _fields(price: Price) -> str:
    fields: list[tuple[str, Any]] = [
        ("usd", price.usd),
        ("unit", price.unit),
        ("date", price.date),
        ("source", price.source),
    ]
    if price.vcpus:
        fields += [("vcpus", price.vcpus), ("memory_gib", price.memory_gib)]
    return ", ".join(f"{name} = {_value(value)}" for name, value in fields)


def _value(value: Any) -> str:
    # TOML has no number in the form 1.3e-05.
    if not isinstance(value, float):
        return json.dumps(value)
    return f"{value:.12f}".rstrip("0") + ("0" if value.is_integer() else "")
