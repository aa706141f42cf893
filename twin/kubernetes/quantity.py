"""Kubernetes quantities (`500m`, `2Gi`, `8`) as whole thousandths, so that sums and comparisons are exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

from kubernetes.utils.quantity import parse_quantity

Amounts = dict[str, int]
"""Resource name to thousandths: `{"cpu": 500, "nvidia.com/gpu": 8000}`."""


@lru_cache(maxsize=4096)
def milli(text: str) -> int:
    """A quantity in thousandths, rounded up as the API server does; `ValueError` names a bad one."""
    try:
        value = Decimal(parse_quantity(text))
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{text!r} is no Kubernetes quantity (as 2, 500m, 16Gi)") from error
    return int((value * 1000).to_integral_value(rounding=ROUND_CEILING))


def amounts(quantities: Mapping[str, str | int]) -> Amounts:
    """A resource list in thousandths."""
    return {name: milli(str(value)) for name, value in quantities.items()}


def add(total: Amounts, more: Mapping[str, int]) -> Amounts:
    """Add in place, and return, a resource list."""
    for name, value in more.items():
        total[name] = total.get(name, 0) + value
    return total


def most(total: Amounts, other: Mapping[str, int]) -> Amounts:
    """Raise in place, and return, a resource list to the greater of both."""
    for name, value in other.items():
        total[name] = max(total.get(name, 0), value)
    return total
