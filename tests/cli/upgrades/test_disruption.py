"""PodDisruptionBudgets that allow no disruption."""

from __future__ import annotations

from typing import Any

import pytest

from cli.estimate.resources import Resource, Resources
from cli.upgrades import disruption
from tests.cli.estimate.samples import resource

LABELS = {"app": "server"}


def budget(**spec: Any) -> Resource:
    return resource(
        "kubernetes:policy/v1:PodDisruptionBudget",
        "server",
        metadata={"name": "server", "namespace": "team"},
        spec={"selector": {"matchLabels": LABELS}, **spec},
    )


def workload(replicas: int, namespace: str = "team") -> Resource:
    template = {"metadata": {"labels": {**LABELS, "version": "1"}}}
    return resource(
        "kubernetes:apps/v1:Deployment",
        "server",
        metadata={"name": "server", "namespace": namespace},
        spec={"replicas": replicas, "template": template},
    )


def reasons(*resources: Resource) -> list[str]:
    return list(disruption.stated(Resources(resources)))


@pytest.mark.parametrize(
    ("spec", "replicas", "expected"),
    [
        ({"maxUnavailable": 0}, 2, "maxUnavailable is 0"),
        ({"maxUnavailable": "0%"}, 2, "maxUnavailable is 0"),
        ({"minAvailable": "100%"}, 2, "minAvailable is 100%"),
        ({"minAvailable": 2}, 2, "minAvailable is 2, and server has 2 replicas"),
        ({"minAvailable": 1}, 1, "minAvailable is 1, and server has 1 replicas"),
    ],
)
def test_budget_that_never_allows_a_disruption_is_reported(
    spec: dict[str, Any], replicas: int, expected: str
) -> None:
    assert reasons(budget(**spec), workload(replicas)) == [f"PodDisruptionBudget team/server: {expected}"]


@pytest.mark.parametrize(
    ("spec", "replicas"),
    [
        ({"maxUnavailable": 1}, 1),
        ({"minAvailable": 1}, 2),
        ({"minAvailable": "50%"}, 2),
        ({"minAvailable": 1}, 0),
    ],
)
def test_budget_that_allows_one_is_not(spec: dict[str, Any], replicas: int) -> None:
    assert reasons(budget(**spec), workload(replicas)) == []


def test_workload_of_another_namespace_does_not_count() -> None:
    assert reasons(budget(minAvailable=2), workload(2, "other")) == []


def test_budget_of_a_cluster_is_evaluated_by_its_status() -> None:
    metadata = {"namespace": "team", "name": "server"}
    healthy = {"expectedPods": 2, "currentHealthy": 2, "desiredHealthy": 2, "disruptionsAllowed": 0}
    (reason,) = disruption.present([{"metadata": metadata, "status": healthy}])
    assert "team/server allows no disruption now: 2 of 2 Pods are healthy, 2 have to be" in reason
    free: list[Any] = [
        {"metadata": metadata, "status": {**healthy, "disruptionsAllowed": 1}},
        {"metadata": metadata, "status": {"expectedPods": 0, "disruptionsAllowed": 0}},
        {"metadata": metadata},
    ]
    assert list(disruption.present(free)) == []
