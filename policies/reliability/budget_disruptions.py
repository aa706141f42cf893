"""Nodes are drained without a workload going away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided, holds_unknown
from ..pack.pods import REPLICATED, namespace

POLICY = Policy(
    title="Disruptions have a budget",
    severity="medium",
    description="An upgrade of nodes, the autoscaler and every drain evict pods; a PodDisruptionBudget says "
    "how many at once. One that allows none stops every upgrade for ever.",
    remediation="Give each workload of several replicas a PodDisruptionBudget that selects it, with "
    "`maxUnavailable: 1` or more.",
    frameworks=("NIST 800-53 CP-10", "SOC 2 A1.2"),
)

_ALL_STAY = {"maxUnavailable": (0, "0", "0%"), "minAvailable": ("100%",)}


@POLICY.on("kubernetes:policy/v1:PodDisruptionBudget")
def on_budgets(resource: Resource) -> Iterator[Judgement]:
    """Budgets that allow no disruption."""
    for key, values in _ALL_STAY.items():
        value = resource.get(f"spec.{key}")
        if value is UNKNOWN:
            yield Undecided(f"spec.{key}")
        elif value in values:
            yield Finding(f"spec.{key}", f"is {value!r}: no node with such a pod can ever be drained")


@POLICY.on_stack
def on_workloads(stack: Stack) -> Iterator[Judgement]:
    """Workloads of several replicas without a budget."""
    budgets = stack.of("kubernetes:policy/v1:PodDisruptionBudget")
    scalers = stack.of("kubernetes:autoscaling/v2:HorizontalPodAutoscaler")
    for workload in stack.of(*REPLICATED):
        replicas = max((_least(scaler, workload) for scaler in scalers), default=0) or workload.get(
            "spec.replicas"
        )
        labels: Any = workload.get("spec.template.metadata.labels")
        if replicas is UNKNOWN:
            yield Undecided("spec.replicas")
            continue
        if (replicas or 1) < 2:
            continue
        near = [each for each in budgets if _may_be_near(each, workload)]
        if any(_selects(each, labels) for each in near):
            continue
        if any(holds_unknown(each.get("spec.selector")) for each in near) or holds_unknown(labels):
            yield Undecided("spec.selector")
        else:
            yield Finding("spec.replicas", f"{replicas:g} replicas may all be evicted at once", workload)


def _least(scaler: Resource, workload: Resource) -> int:
    """The fewest replicas that an autoscaler leaves a workload: 0 where it is not about it."""
    same = (
        scaler.get("spec.scaleTargetRef.name") == workload.get("metadata.name")
        and scaler.get("spec.scaleTargetRef.kind") == workload.type.rpartition(":")[2]
        and namespace(scaler) == namespace(workload)
    )
    least = scaler.get("spec.minReplicas")
    return int(least) if same and isinstance(least, int | float) else 0


def _may_be_near(budget: Resource, workload: Resource) -> bool:
    there, here = namespace(budget), namespace(workload)
    return UNKNOWN in (there, here) or there == here


def _selects(budget: Resource, labels: Any) -> bool:
    selector: Any = budget.get("spec.selector")
    if selector is None or labels is None or labels is UNKNOWN or holds_unknown(selector):
        return False
    # Expressions are taken as met: who writes one knows what it selects.
    wanted: Any = budget.get("spec.selector.matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())
