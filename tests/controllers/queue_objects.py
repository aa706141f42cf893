"""The objects of the component Queues, and jobs in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiplatform._shared.args import read
from aiplatform.queues import plan
from aiplatform.queues.args import QueuesSettings
from tests.controllers.cluster import Cluster, job
from tests.controllers.team import POOL
from twin.tests.waiting import eventually

SETTLED: Final = 4
"""Seconds after which Kueue would have admitted or evicted something more."""


def team(name: str, gpus: int = 16, **quota: Any) -> dict[str, Any]:
    """Return an entry of `queues`, in a cohort, with a LocalQueue in the namespace of the same name."""
    return {
        "name": name,
        "cohort": "research",
        "quotas": [{"pool": "training", "accelerators": gpus, **quota}],
        "local_queues": [{"namespace": name}],
    }


def arguments(*queues: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the component's arguments with the pool of GPUs."""
    return {"gpu_pools": [POOL], "cohorts": [{"name": "research"}], "queues": list(queues), **more}


def manifests(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects that the component creates."""
    return [item.manifest for item in plan.objects(read(QueuesSettings, values, "QueuesArgs"))]


@contextmanager
def queues(cluster: Cluster, values: dict[str, Any]) -> Iterator[None]:
    """Create the namespaces of all LocalQueues, and the objects; delete both, the work first."""
    names = {local["namespace"] for queue in values["queues"] for local in queue["local_queues"]}
    namespaces = [cluster.team(name) for name in sorted(names)]
    items = manifests(values)
    try:
        cluster.create(*items)
        yield
    finally:
        cluster.delete(*namespaces)
        for name in names:
            eventually(
                f"namespace {name} deleted", lambda name=name: name not in _namespaces(cluster) or None
            )
        cluster.delete(*reversed(items))
        eventually("queues deleted", lambda: not of_kueue(cluster) or None)


def _namespaces(cluster: Cluster) -> set[str]:
    return {item.metadata.name for item in cluster.core.list_namespace().items}


def of_kueue(cluster: Cluster) -> list[str]:
    """Return the objects of Kueue that exist."""
    kinds = ("ClusterQueue", "Cohort", "ResourceFlavor", "Topology", "LocalQueue", "Workload")
    return [
        f"{kind} {item['metadata']['name']}"
        for kind in kinds
        for item in cluster.list(plan.API_VERSION, kind)
    ]


def running(cluster: Cluster, *namespaces: str) -> dict[str, int]:
    """Return the number of running jobs of each namespace."""
    return {namespace: len(cluster.jobs(namespace, "Running")) for namespace in namespaces}


def until_running(cluster: Cluster, expected: dict[str, int]) -> None:
    """Wait for the number of running jobs of each namespace, and that it stays so."""
    eventually(f"running: {expected}", lambda: running(cluster, *expected) == expected or None)
    time.sleep(SETTLED)
    assert running(cluster, *expected) == expected


def submit(cluster: Cluster, namespace: str, count: int, **more: Any) -> None:
    """Create jobs."""
    prefix = more.pop("prefix", "train")
    cluster.create(*(job(namespace, f"{prefix}-{number}", **more) for number in range(count)))


def priority(name: str) -> dict[str, str]:
    """Return the label of a priority."""
    return {"kueue.x-k8s.io/priority-class": name}
