"""What is held of a ClusterQueue, and why: annotations, and the stopPolicy that follows from them.

Two reasons exist. A budget that is spent holds (`Hold`: nothing new is admitted, what runs goes on) until a
user releases it. A schedule holds and drains (`HoldAndDrain`) until its time ends. A queue that something
else has stopped, such as its environment's file or the drain of a pool, keeps that policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

Object = dict[str, Any]
API_VERSION: Final = "kueue.x-k8s.io/v1beta2"
MANAGER: Final = "ai-platform-cost"
BUDGET_HOLD: Final = "ai-platform/budget-hold"
"""The annotation with the month of an alert and its reason: `2026-11: budget ...`."""
BUDGET_RELEASED: Final = "ai-platform/budget-released"
"""The annotation with the month whose alerts do not hold, since a user has released the queue."""
SCHEDULE_HOLD: Final = "ai-platform/schedule-hold"
"""The annotation with the reason of a schedule."""
_NONE: Final = "None"


@dataclass(frozen=True)
class Held:
    """Why a queue is held. budget, schedule: reasons; empty: it is not. released: a month. foreign: the
    stopPolicy that something else has set; `None` where nothing has."""

    budget: str = ""
    released: str = ""
    schedule: str = ""
    foreign: str = _NONE

    def by_budget(self, month: str, reason: str) -> Held:
        """Return it with a hold by a budget, unless that is released or stated already."""
        if self.released == month or self.budget:
            return self
        return replace(self, budget=f"{month}: {reason}")

    def by_schedule(self, reason: str) -> Held:
        """Return it with the hold of a schedule; an empty reason ends it. A queue that something else has
        stopped stays as it is: what runs there ends as that states."""
        if reason and self.foreign != _NONE:
            return replace(self, schedule="")
        return replace(self, schedule=reason)

    @property
    def policy(self) -> str:
        """The stopPolicy that follows."""
        if self.schedule:
            return "HoldAndDrain"
        if self.budget:
            # Both managers then have the same value, and neither has a conflict.
            return "Hold" if self.foreign == _NONE else self.foreign
        return _NONE


def held(queue: Mapping[str, Any]) -> Held:
    """Return why a queue is held."""
    annotations = queue["metadata"].get("annotations") or {}
    policy = queue["spec"].get("stopPolicy") or _NONE
    ours = Held(
        annotations.get(BUDGET_HOLD, ""),
        annotations.get(BUDGET_RELEASED, ""),
        annotations.get(SCHEDULE_HOLD, ""),
    )
    others = any(
        entry.get("manager") != MANAGER and "f:stopPolicy" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        for entry in queue["metadata"].get("managedFields") or ()
    )
    if policy == _NONE:
        # A user has let it go by hand, whatever the annotations state.
        return Held(released=ours.released)
    if policy == ours.policy and not others:
        return ours
    return replace(ours, foreign=policy)


def applied(queue: Mapping[str, Any], state: Held) -> Object:
    """Return what the manager applies: all of its fields. A field that is left out is given up, and the API
    server sets its default (server-side apply)."""
    annotations = {
        BUDGET_HOLD: state.budget,
        BUDGET_RELEASED: state.released,
        SCHEDULE_HOLD: state.schedule,
    }
    metadata: Object = {
        "name": queue["metadata"]["name"],
        "annotations": {key: value for key, value in annotations.items() if value},
        # Refused where the queue has changed since it was read.
        "resourceVersion": queue["metadata"]["resourceVersion"],
    }
    spec = {"stopPolicy": state.policy} if state.policy != _NONE else {}
    return {"apiVersion": API_VERSION, "kind": "ClusterQueue", "metadata": metadata, "spec": spec}
