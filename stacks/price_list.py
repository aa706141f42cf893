"""The list prices of machines, from the tables of estimates. Read as data: the program imports nothing of the
command-line interface."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiplatform._shared.cloud_support import Cloud

FOLDER: Final = Path(__file__).resolve().parents[1] / "cli" / "estimate" / "prices"
_MACHINES: Final[Mapping[Cloud, str]] = {"aws": "ec2/", "gcp": "compute/"}
"""The first part of the keys of machine types."""
_SPOT: Final = "spot"


def opencost(cloud: Cloud) -> dict[str, Any]:
    """Return the arguments of OpenCost: the prices of machine types on demand, and what part of one a spot
    node costs."""
    first, prices = _MACHINES[cloud], _prices(cloud)
    machines = {
        key.removeprefix(first): float(price["usd"])
        for key, price in prices.items()
        if key.startswith(first) and price["unit"] == "hour" and not key.endswith(f"/{_SPOT}")
    }
    return {"prices": machines, "spot_ratio": float(prices[f"{first}{_SPOT}"]["usd"])}


@cache
def _prices(cloud: Cloud) -> Mapping[str, Any]:
    return tomllib.loads((FOLDER / f"{cloud}.toml").read_text(encoding="utf-8"))["prices"]
