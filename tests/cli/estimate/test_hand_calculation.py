"""Estimates of the environments against calculations by hand, which know of no table and no resource.

Each entry is what is paid, as quantity times list price: a month has 730 hours. What is paid by use is left
out, but for metrics of prod, which are written also while nothing else runs.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.cli.estimate.recorded import estimated
from tests.stacks.environments import STACKS

HOURS: Final = 730
WITHIN: Final = 0.10
MOST_OF_DEV: Final = 250.0
"""Dollars a month."""

EKS = 0.10 * HOURS
NAT = (0.045 + 0.005) * HOURS  # a gateway and its address
ENDPOINT = 3 * 0.01 * HOURS  # in three zones

IDLE: Final[dict[str, dict[str, float]]] = {
    "aws-dev": {
        "control plane": EKS,
        "2 system nodes, t4g.medium with 50 GiB": 2 * (0.0336 * HOURS + 50 * 0.08),
        "1 node for the registries, m7i.large on spot at half the price, 50 GiB": 0.5 * 0.1008 * HOURS
        + 50 * 0.08,
        "NAT": NAT,
        "db.t4g.small with 20 GiB": 0.032 * HOURS + 20 * 0.115,
        "9 keys, 4 secrets": 9 * 1.0 + 4 * 0.40,
        "volumes of Prometheus and Alertmanager": (20 + 2) * 0.08,
    },
    "aws-staging": {
        "control plane": EKS,
        "2 system nodes, m7i.large with 50 GiB": 2 * (0.1008 * HOURS + 50 * 0.08),
        "1 node, m7i.xlarge with 100 GiB": 0.2016 * HOURS + 100 * 0.08,
        "NAT": NAT,
        "14 endpoints": 14 * ENDPOINT,
        "db.t4g.medium with 20 GiB": 0.065 * HOURS + 20 * 0.115,
        "9 keys, 4 secrets": 9 * 1.0 + 4 * 0.40,
        "volumes of Prometheus and Alertmanager": (50 + 2) * 0.08,
    },
    "aws-prod": {
        "control plane": EKS,
        "3 system nodes, m7i.xlarge with 50 GiB": 3 * (0.2016 * HOURS + 50 * 0.08),
        "2 nodes, m7i.2xlarge with 100 GiB": 2 * (0.4032 * HOURS + 100 * 0.08),
        "3 NAT": 3 * NAT,
        "15 endpoints": 15 * ENDPOINT,
        "db.m7g.large in two zones with 100 GiB": 2 * (0.168 * HOURS + 100 * 0.115),
        "10 keys, 4 secrets": 10 * 1.0 + 4 * 0.40,
        "volumes of 2 Prometheus and 2 Alertmanagers": 2 * (100 + 2) * 0.08,
        "2.6 thousand million samples of metrics": 260 * 0.90,
    },
    "gcp-dev": {
        "control plane, zonal, less the credit of one": 0.0,
        "2 system nodes, e2-standard-2 with 50 GiB": 2 * (0.0670 * HOURS + 50 * 0.10),
        "1 node for the registries, e2-standard-4 with 50 GiB": 0.1340 * HOURS + 50 * 0.10,
        "an address, and NAT of 3 nodes": 0.005 * HOURS + 3 * 0.0014 * HOURS,
        "db-g1-small with 10 GiB": 25.55 + 10 * 0.17,
        "10 keys, 4 secrets, 4 zones": 10 * 0.06 + 4 * 0.06 + 4 * 0.20,
        "volumes of Prometheus and Alertmanager": (20 + 2) * 0.10,
    },
    "gcp-staging": {
        "control plane, regional": 0.10 * HOURS,
        "2 system nodes, e2-standard-4 with 50 GiB": 2 * (0.1340 * HOURS + 50 * 0.10),
        "1 node, e2-standard-8 with 100 GiB": 0.2680 * HOURS + 100 * 0.10,
        "an address, and NAT of 3 nodes": 0.005 * HOURS + 3 * 0.0014 * HOURS,
        "2 vCPUs, 4 GiB, 20 GiB of disk": 2 * 30.15 + 4 * 5.11 + 20 * 0.17,
        "10 keys, 4 secrets, 4 zones": 10 * 0.06 + 4 * 0.06 + 4 * 0.20,
        "volumes of Prometheus and Alertmanager": (50 + 2) * 0.10,
    },
    "gcp-prod": {
        "control plane, regional": 0.10 * HOURS,
        "3 system nodes, n2-standard-4 with 50 GiB": 3 * (0.1942 * HOURS + 50 * 0.10),
        "2 nodes, n2-standard-8 with 100 GiB": 2 * (0.3885 * HOURS + 100 * 0.10),
        "2 addresses, and NAT of 5 nodes": 2 * 0.005 * HOURS + 5 * 0.0014 * HOURS,
        "2 vCPUs, 8 GiB, 100 GiB of disk, in two zones": 2 * (2 * 30.15 + 8 * 5.11 + 100 * 0.17),
        "10 keys, 4 secrets, 4 zones": 10 * 0.06 + 4 * 0.06 + 4 * 0.20,
        "volumes of 2 Prometheus and 2 Alertmanagers": 2 * (100 + 2) * 0.10,
    },
}

NODES_AT_MAXIMUM: Final[dict[str, dict[str, float]]] = {
    "aws-dev": {
        "4 g4dn.xlarge on demand, 4 on spot": (4 + 4 * 0.5) * 0.526 * HOURS,
        "4 m7i.large on demand, 4 on spot": (4 + 4 * 0.5) * 0.1008 * HOURS,
        "3 t4g.medium": 3 * 0.0336 * HOURS,
    },
    "aws-staging": {
        "8 g6.xlarge on demand, 8 on spot": (8 + 8 * 0.5) * 0.8048 * HOURS,
        "8 m7i.xlarge": 8 * 0.2016 * HOURS,
        "4 m7i.large": 4 * 0.1008 * HOURS,
    },
    "aws-prod": {
        "4 p5.48xlarge on demand, 4 on spot": (4 + 4 * 0.5) * 55.04 * HOURS,
        "12 g6e.xlarge": 12 * 1.861 * HOURS,
        "20 m7i.2xlarge": 20 * 0.4032 * HOURS,
        "6 m7i.xlarge": 6 * 0.2016 * HOURS,
    },
    "gcp-dev": {
        "4 n1-standard-4 with a T4 on demand": 4 * (0.19 + 0.35) * HOURS,
        "4 n1-standard-4 with a T4 on spot": 4 * (0.067 + 0.5 * 0.35) * HOURS,
        "4 e2-standard-4": 4 * 0.134 * HOURS,
        "3 e2-standard-2": 3 * 0.067 * HOURS,
    },
    "gcp-staging": {
        "8 g2-standard-4 on demand, 8 on spot": 8 * (0.7068 + 0.3973) * HOURS,
        "8 e2-standard-8": 8 * 0.268 * HOURS,
        "4 e2-standard-4": 4 * 0.134 * HOURS,
    },
    "gcp-prod": {
        "4 a3-highgpu-8g at the price on demand, 4 on spot": 4 * (88.49 + 50.61) * HOURS,
        "2 slices of 4 ct6e-standard-4t on spot, at half of 2.70 a chip": 2 * 4 * 4 * 0.5 * 2.70 * HOURS,
        "12 g2-standard-4": 12 * 0.7068 * HOURS,
        "20 n2-standard-8": 20 * 0.3885 * HOURS,
        "6 n2-standard-4": 6 * 0.1942 * HOURS,
    },
}


def test_every_environment_has_a_calculation() -> None:
    assert sorted(IDLE) == sorted(NODES_AT_MAXIMUM) == sorted(STACKS)


@pytest.mark.parametrize("stack", IDLE)
def test_idle_estimate_is_within_ten_percent_of_a_calculation_by_hand(stack: str) -> None:
    by_hand = sum(IDLE[stack].values())
    assert estimated(stack).total.idle == pytest.approx(by_hand, rel=WITHIN)


@pytest.mark.parametrize("stack", NODES_AT_MAXIMUM)
def test_nodes_at_maximum_are_within_ten_percent_of_a_calculation_by_hand(stack: str) -> None:
    compute = sum(
        line.cost.maximum for line in estimated(stack).lines if line.group == "compute" and not line.by_use
    )
    assert compute == pytest.approx(sum(NODES_AT_MAXIMUM[stack].values()), rel=WITHIN)


@pytest.mark.parametrize("stack", STACKS)
def test_expected_cost_is_between_idle_and_maximum(stack: str) -> None:
    total = estimated(stack).total
    assert total.idle < total.expected < total.maximum


@pytest.mark.parametrize("stack", ["aws-dev", "gcp-dev"])
def test_dev_costs_little_while_it_is_idle(stack: str) -> None:
    total = estimated(stack).total.idle
    assert total <= MOST_OF_DEV, "docs/estimates/README.md has its parts"
    assert total > 100, "something that costs is missing"


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_of_an_environment_has_a_price_or_a_reason_why_it_costs_nothing(stack: str) -> None:
    assert estimated(stack).unpriced == []
