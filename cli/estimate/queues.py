"""Which teams use a pool: those of the queues that have its quota."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from cli.estimate.resources import Resources, at, mappings
from cli.estimate.workloads import quantity

_KUEUE: Final = "kubernetes:kueue.x-k8s.io/v1beta2:"
_POOL: Final = "ai-platform/pool"
_NOT_ACCELERATORS: Final = frozenset({"cpu", "memory", "pods", "ephemeral-storage"})


def shares(resources: Resources) -> Mapping[str, Mapping[str, float]]:
    """Return pool -> team -> its part of the pool, by the quotas of queues.

    A queue that several teams use is divided evenly among them; one without teams is `queue <name>`. Quotas
    of accelerators count where a pool has some, else those of CPUs.
    """
    pools = {
        at(flavor.inputs, "metadata.name"): at(flavor.inputs, "spec.nodeLabels", {}).get(_POOL)
        for flavor in resources.of(f"{_KUEUE}ResourceFlavor")
    }
    quotas: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for queue in resources.of(f"{_KUEUE}ClusterQueue"):
        name = str(at(queue.inputs, "metadata.name", queue.name))
        for group in mappings(queue.get("spec.resourceGroups")):
            for flavor in mappings(group.get("flavors")):
                pool = pools.get(flavor.get("name"))
                quota = _quota(flavor)
                if pool and quota:
                    quotas[pool][name] = quotas[pool].get(name, 0.0) + quota
    teams = _teams(resources)
    result: dict[str, dict[str, float]] = {}
    for pool, by_queue in quotas.items():
        total = sum(by_queue.values())
        parts: defaultdict[str, float] = defaultdict(float)
        for queue, quota in by_queue.items():
            users = teams.get(queue) or [f"queue {queue}"]
            for user in users:
                parts[user] += quota / total / len(users)
        result[pool] = dict(sorted(parts.items()))
    return result


def _quota(flavor: Mapping[str, Any]) -> float:
    by_resource = {
        str(entry.get("name")): quantity(entry.get("nominalQuota", 0))
        for entry in mappings(flavor.get("resources"))
    }
    cards = sum(quota for name, quota in by_resource.items() if name not in _NOT_ACCELERATORS)
    return cards or by_resource.get("cpu", 0.0)


def _teams(resources: Resources) -> Mapping[str, list[str]]:
    """Return queue -> the teams with a LocalQueue of it."""
    teams: defaultdict[str, set[str]] = defaultdict(set)
    for local in resources.of(f"{_KUEUE}LocalQueue"):
        team = resources.team_of_namespace(local.get("metadata.namespace"))
        if team:
            teams[str(local.get("spec.clusterQueue"))].add(team)
    return {queue: sorted(names) for queue, names in teams.items()}
