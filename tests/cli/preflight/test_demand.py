"""Quotas against what is in use and what is added."""

from __future__ import annotations

import pytest

from cli.preflight.demand import Demand, Quota, compare, keys

POOLS = [
    Demand("L-1", "system", 4, 4),
    Demand("L-1", "general", 0, 8),
    Demand("L-2", "t4", 0, 16),
    Demand("L-3", "none", 0, 0),
]


def quota(limit: float, usage: float | None = 0) -> Quota:
    return Quota("L-1", "Standard", limit, usage, "vCPUs", lambda value: f"raise to {value:g}")


@pytest.mark.parametrize(
    ("limit", "usage", "state", "blocks"),
    [
        (12, 0, "ok", True),
        (11, 0, "problem", False),
        (12, 1, "problem", False),
        (3, 0, "problem", True),
        (4, 0, "problem", False),
        (12, 9, "problem", True),
        (12, None, "ok", True),
    ],
)
def test_quota_has_to_suffice_at_the_minimum_and_limits_the_maximum(
    limit: float, usage: float | None, state: str, blocks: bool
) -> None:
    result = compare(quota(limit, usage), POOLS)
    assert (result.state, result.blocks) == (state, blocks)


def test_problem_names_the_sources_and_the_value_that_the_maximum_needs() -> None:
    result = compare(quota(3, 1), POOLS)
    assert result.reason == "limit 3 vCPUs, 1 in use, 5 needed at minimum: system 4"
    assert result.repair == "raise to 13", "one request is enough for both"


def test_use_that_is_not_known_is_stated() -> None:
    assert "an unknown number in use" in compare(quota(12, None), POOLS).reason


def test_quotas_of_which_nothing_is_taken_are_left_out() -> None:
    assert keys(POOLS) == ["L-1", "L-2"]
