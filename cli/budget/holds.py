"""ClusterQueues that a budget holds (containers/cost_control), and their release by the same manager of
fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.maintenance.cluster import KUEUE, Cluster, api_errors
from cli.output import CommandError

MANAGER: Final = "ai-platform-cost"
"""The manager of the fields of a hold; its annotations are those of containers/cost_control."""
BUDGET_HOLD: Final = "ai-platform/budget-hold"
BUDGET_RELEASED: Final = "ai-platform/budget-released"
SCHEDULE_HOLD: Final = "ai-platform/schedule-hold"
_RIGHTS: Final = "expected a user with the right to patch ClusterQueues"
Object = dict[str, Any]


@dataclass(frozen=True)
class Hold:
    """A queue. policy: its stopPolicy. budget: month and reason of a hold; empty: none. released: the month
    whose alerts do not hold. schedule: the reason of a schedule."""

    queue: str
    policy: str
    budget: str
    released: str
    schedule: str


@dataclass
class Holds:
    """The queues of a cluster."""

    cluster: Cluster

    @classmethod
    def of(cls, environment: str, kubeconfig: Path | None) -> Holds:
        """Connect to the cluster of an environment. Raises CommandError where there is no kubeconfig."""
        from cli import instances

        instances.of_environment(environment)  # refuses one that has no file
        return cls(Cluster.of(environment, kubeconfig))

    def all(self) -> list[Hold]:
        """Return all queues, by name."""
        with api_errors(_RIGHTS):
            queues = self.cluster.list(KUEUE, "ClusterQueue")
        return sorted(map(hold_of, queues), key=lambda hold: hold.queue)

    def release(self, names: Sequence[str], month: str, report: Callable[[str], None]) -> list[str]:
        """Release queues, by default all that a budget holds. Returns their names. Raises CommandError for
        one that does not exist or that no budget holds."""
        holds = {hold.queue: hold for hold in self.all()}
        for name in names:
            if name not in holds:
                known = ", ".join(holds) or "none, there are none"
                raise CommandError(f"no ClusterQueue {name!r}; expected one of {known}")
            if not holds[name].budget:
                raise CommandError(
                    f"ClusterQueue {name} is not held by a budget (stopPolicy {holds[name].policy}); "
                    "expected one that `aiplatform budget status` shows with a budget"
                )
        wanted = [holds[name] for name in names] or [hold for hold in holds.values() if hold.budget]
        for hold in wanted:
            with api_errors(_RIGHTS):
                self.cluster.apply(released(hold, month), MANAGER)
            report(f"queue {hold.queue}: released for {month} (was held: {hold.budget})")
        return [hold.queue for hold in wanted]


def hold_of(queue: Object) -> Hold:
    """Return why a queue is held."""
    annotations = queue["metadata"].get("annotations") or {}
    return Hold(
        queue["metadata"]["name"],
        queue["spec"].get("stopPolicy") or "None",
        annotations.get(BUDGET_HOLD, ""),
        annotations.get(BUDGET_RELEASED, ""),
        annotations.get(SCHEDULE_HOLD, ""),
    )


def released(hold: Hold, month: str) -> Object:
    """Return what is applied to release a queue: what a schedule holds stays held."""
    annotations = {BUDGET_RELEASED: month, **({SCHEDULE_HOLD: hold.schedule} if hold.schedule else {})}
    return {
        "apiVersion": KUEUE,
        "kind": "ClusterQueue",
        "metadata": {"name": hold.queue, "annotations": annotations},
        "spec": {"stopPolicy": "HoldAndDrain"} if hold.schedule else {},
    }
