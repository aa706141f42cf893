"""PodDisruptionBudgets that allow no disruption: a drain of nodes waits for them, until it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cli.estimate.resources import Resource, Resources, at

_BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"
_WORKLOADS: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")


def stated(resources: Resources) -> Iterator[str]:
    """Yield a reason for each registered budget that never allows a disruption, by its specification and the
    replicas of the workload that it selects."""
    for budget in resources.of(_BUDGET):
        spec = budget.get("spec", {})
        if at(spec, "maxUnavailable") in (0, "0", "0%"):
            yield f"{_name(budget)}: maxUnavailable is 0"
        elif at(spec, "minAvailable") == "100%":
            yield f"{_name(budget)}: minAvailable is 100%"
        elif isinstance(at(spec, "minAvailable"), int | float):
            yield from _too_few(budget, int(spec["minAvailable"]), resources)


def _too_few(budget: Resource, least: int, resources: Resources) -> Iterator[str]:
    selector = budget.get("spec.selector.matchLabels", {})
    for workload in resources.of(*_WORKLOADS):
        labels = workload.get("spec.template.metadata.labels", {})
        same = workload.get("metadata.namespace") == budget.get("metadata.namespace")
        replicas = workload.get("spec.replicas", 1)
        if not (
            same and selector and selector.items() <= labels.items() and isinstance(replicas, int | float)
        ):
            continue
        # An autoscaler's minimum is not that of the workload; without replicas nothing is evicted.
        if 0 < replicas <= least:
            of = f"{workload.name} has {int(replicas)} replicas"
            yield f"{_name(budget)}: minAvailable is {least}, and {of}"


def _name(budget: Resource) -> str:
    namespace = budget.get("metadata.namespace", "default")
    return f"PodDisruptionBudget {namespace}/{budget.get('metadata.name', budget.name)}"


def present(budgets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a reason for each budget of a cluster that allows no disruption now. budgets: as its API has
    them."""
    for budget in budgets:
        status: Mapping[str, Any] = budget.get("status") or {}
        if status.get("expectedPods", 0) and not status.get("disruptionsAllowed", 0):
            metadata = budget["metadata"]
            yield (
                f"PodDisruptionBudget {metadata['namespace']}/{metadata['name']} allows no disruption now: "
                f"{status.get('currentHealthy', 0)} of {status['expectedPods']} Pods are healthy, "
                f"{status.get('desiredHealthy', 0)} have to be"
            )
