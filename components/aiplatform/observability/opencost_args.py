"""Arguments of OpenCost."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiplatform._shared.args import between, length
from aiplatform._shared.problems import got

MOST_TYPES: Final = 3000
"""Of machine types: a ConfigMap has at most 1 MiB, and a type two lines of up to 100 characters."""


def _prices(value: Any) -> str | None:
    for name, price in value.items():
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 < price < 10_000:
            return f"with {name}: {got(price)}; expected dollars an hour, above 0 and below 10000"
    return None


@dataclass(frozen=True)
class OpenCost:
    """OpenCost: what nodes cost by hour, and what Pods have of them, as metrics."""

    prices: Annotated[dict[str, float], length(1, MOST_TYPES, "machine types"), _prices]
    """Machine type -> its list price on demand, in dollars an hour: `{g6.xlarge: 0.8048}`. A node of another
    type has OpenCost's default prices of CPUs, memory and GPUs."""
    spot_ratio: Annotated[float, between(0.01, 1)] = 1
    """The price of a spot node as a part of that on demand, by which rules count spot nodes (label
    `ai-platform/capacity`). Default 1, the price on demand."""
