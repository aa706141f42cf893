"""Report the state of node groups to the cloud, so that their status moves (CREATING to ACTIVE, DEGRADED)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from twin.kubernetes.api import Object
from twin.kubernetes.cloud_client import CloudView
from twin.kubernetes.cloud_interface import Group, Machine
from twin.kubernetes.nodes import not_ready_for
from twin.kubernetes.pods import ready
from twin.kubernetes.time_scale import Clock

JOIN_SECONDS: Final = 15 * 60.0
"""How long a managed node group gives its machines to become Ready."""
AGAIN: Final = 5.0
"""Seconds after which an unchanged report is sent again: the cloud may have forgotten the last."""


class NodeGroupHealth:
    """Reports each node group's Ready nodes when they change, and now and then."""

    def __init__(self, view: CloudView, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._sent: dict[str, tuple[float, int, tuple[str, ...]]] = {}

    def step(self, groups: Iterable[Group], machines: Iterable[Machine], nodes: Mapping[str, Object]) -> None:
        """Once over all node groups, those without machines too."""
        home = {group.name: group.node_group for group in groups if group.node_group}
        count: Counter[str] = Counter(dict.fromkeys(home.values(), 0))
        late: dict[str, list[str]] = {}
        for machine in machines:
            node_group, node = home.get(machine.group), nodes.get(machine.name)
            if node_group is None or node is None:
                continue
            count[node_group] += ready(node)
            if not_ready_for(node, datetime.now(UTC)) * self._clock.factor > JOIN_SECONDS:
                late.setdefault(node_group, []).append(machine.provider_id.rpartition("/")[2])
        for node_group, number in count.items():
            issues: tuple[str, ...] = ()
            if node_group in late:
                issues = (f"Unhealthy nodes in the kubernetes cluster: {', '.join(late[node_group])}",)
            self._report(node_group, number, issues)
        self._sent = {name: sent for name, sent in self._sent.items() if name in count}

    def _report(self, node_group: str, number: int, issues: tuple[str, ...]) -> None:
        now = time.monotonic()
        when, *before = self._sent.get(node_group, (-AGAIN, -1, ()))
        if before == [number, issues] and now - when < AGAIN:
            return
        self._view.node_group_health(node_group, number, issues)
        self._sent[node_group] = (now, number, issues)
