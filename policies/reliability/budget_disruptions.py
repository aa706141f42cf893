"""Workloads stay available while nodes are drained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from ..framework import Outcome, Policy, Resource, Stack, Violation, any_of, check_each
from ..framework.pods import REPLICATED, namespace

POLICY = Policy(
    title="Disruptions have a budget",
    severity="medium",
    description="An upgrade of nodes, the autoscaler and every drain evict pods; a PodDisruptionBudget "
    "limits how many at once. One that allows none, as `minAvailable: 1` of a single replica, blocks every "
    "upgrade.",
    remediation="Give each workload of several replicas a PodDisruptionBudget that selects it, with "
    "`maxUnavailable: 1` or more.",
    frameworks=("NIST 800-53 CP-10", "SOC 2 A1.2"),
)

_NO_DISRUPTION = {"spec.maxUnavailable": (0, "0", "0%"), "spec.minAvailable": ("100%",)}


@POLICY.on("kubernetes:policy/v1:PodDisruptionBudget")
def on_budgets(resource: Resource) -> Iterator[Outcome]:
    """Budgets that allow no disruption."""
    yield from check_each(_NO_DISRUPTION, _check_budget, resource)


def _check_budget(path: str, resource: Resource) -> Iterator[Outcome]:
    value = resource.known(path)
    if value in _NO_DISRUPTION[path]:
        yield Violation(path, f"is {value!r}: a node with such a pod cannot be drained")


@POLICY.on_stack
def on_workloads(stack: Stack) -> Iterator[Outcome]:
    """Workloads of several replicas without a budget, and budgets that need all replicas of a workload."""
    budgets = stack.of("kubernetes:policy/v1:PodDisruptionBudget")
    scalers = stack.of("kubernetes:autoscaling/v2:HorizontalPodAutoscaler")
    workloads = stack.of(*REPLICATED)
    yield from check_each(workloads, _check_workload, budgets, scalers)
    needing = [budget for budget in budgets if budget.raw("spec.minAvailable") is not None]
    yield from check_each(needing, _check_replicas, workloads, scalers)


def _check_workload(
    workload: Resource, budgets: Sequence[Resource], scalers: Sequence[Resource]
) -> Iterator[Outcome]:
    replicas = _replicas(workload, scalers)
    if replicas > 1 and not any_of(budgets, _covers, workload):
        yield Violation("spec.replicas", f"{replicas:g} replicas may all be evicted at once")


def _replicas(workload: Resource, scalers: Sequence[Resource]) -> int:
    scaled = max((_minimum(scaler, workload) for scaler in scalers), default=0)
    stated = workload.known("spec.replicas")
    return scaled or (1 if stated is None else int(stated))


def _check_replicas(
    budget: Resource, workloads: Sequence[Resource], scalers: Sequence[Resource]
) -> Iterator[Outcome]:
    if budget.known("spec.selector.matchExpressions") is not None:
        # Which of the pods it selects is not evaluated here.
        return
    # A budget counts the pods of all workloads that it selects.
    replicas = sum(_replicas(workload, scalers) for workload in workloads if _covers(budget, workload))
    needed = budget.known("spec.minAvailable")
    if replicas and _pods(needed, replicas) >= replicas:
        yield Violation(
            "spec.minAvailable",
            f"is {needed!r} of {replicas} replicas: a node with such a pod cannot be drained",
        )


def _pods(needed: Any, replicas: int) -> int:
    """Return a number of pods: Kubernetes rounds percentages up."""
    text = str(needed)
    return ceil(replicas * float(text[:-1]) / 100) if text.endswith("%") else int(float(text))


def _minimum(scaler: Resource, workload: Resource) -> int:
    """Return the minimum of an autoscaler's replicas: 0 where it does not scale the workload."""
    target = "spec.scaleTargetRef"
    scales = (
        scaler.known(f"{target}.kind") == workload.type.rpartition(":")[2]
        and scaler.known(f"{target}.name") == workload.known("metadata.name")
        and namespace(scaler) == namespace(workload)
    )
    minimum = scaler.known("spec.minReplicas") if scales else None
    return int(minimum) if isinstance(minimum, int | float) else 0


def _covers(budget: Resource, workload: Resource) -> bool:
    """Return whether a budget selects the pods of a workload. Expressions count as matched."""
    if budget.raw("metadata.namespace") != workload.raw("metadata.namespace") and (
        namespace(budget) != namespace(workload)
    ):
        return False
    budget.fully_known("spec.selector")
    labels: Any = workload.fully_known("spec.template.metadata.labels")
    if budget.known("spec.selector") is None or labels is None:
        return False
    wanted = budget.mapping("spec.selector.matchLabels")
    return all(labels.get(key) == value for key, value in wanted.items())
