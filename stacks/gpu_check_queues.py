"""Where the tests of GPUs run in an environment: queues that borrow what is free, and their namespace. Pure:
no resource, no call.

A test has no quota. It borrows what the queue with the most of a pool's accelerators does not use, is the
first that is evicted when they are needed, and evicts nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiplatform.accelerators import CARDS
from aiplatform.gpu_checks.args import NAMESPACE
from aiplatform.queues.args import QueuesSettings
from aiplatform.queues.pools import QUEUED
from stacks import devices
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated

PRIORITY: Final = "gpu-check"
"""The WorkloadPriorityClass of tests, below all others."""
_NO_PREEMPTION: Final = {"within_cluster_queue": "Never", "reclaim_within_cohort": "Never"}
_LONGEST: Final = 63
_LOWEST: Final = -(10**9)
"""The lowest value of a class (component Queues)."""
_SHARING: Final = ("borrow", "lend")
"""What a quota states about its cohort."""


@dataclass(frozen=True)
class _Lender:
    """The queue or cohort from which tests on a pool borrow."""

    amount: int
    queue: str | None
    cohort: str | None


def queues_of(settings: Settings) -> dict[str, str]:
    """Return pool -> the ClusterQueue of its tests, of the pools with NVIDIA GPUs whose quota can be
    borrowed."""
    return {pool: _name(pool) for pool in _lenders(settings)}


def fabric_of(settings: Settings) -> list[str]:
    """Return the pools whose network is measured and needs something of the nodes; none where no guardrail
    denies what else Pods of the level `privileged` would use."""
    topic: dict[str, Any] = stated(settings.guardrails) if settings.guardrails is not None else {}
    enforcement = topic.get("policies", {}).get("host-access", topic.get("enforcement", "deny"))
    if settings.guardrails is None or enforcement != "deny":
        return []
    return [pool for pool in devices.gpudirect_pools(settings) if pool in _lenders(settings)]


def with_tests(settings: Settings, topic: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the queues with those of tests. topic: what the file states."""
    lenders = _lenders(settings)
    if not lenders:
        return dict(topic)
    # A cohort for each: queues that the file keeps apart lend to tests, and not to each other.
    alone = {lender.queue: _name(lender.queue) for lender in lenders.values() if lender.queue is not None}
    queues = [
        {**queue, "cohort": alone[queue["name"]]} if queue["name"] in alone else queue
        for queue in topic.get("queues", [])
    ]
    fair_sharing = topic.get("fair_sharing", True)
    tests = [
        {
            "name": _name(pool),
            "cohort": alone[lender.queue] if lender.queue is not None else lender.cohort,
            "quotas": [{"pool": pool, "accelerators": 0}],
            "preemption": dict(_NO_PREEMPTION),
            "namespaces": [NAMESPACE],
            **({"weight": 0} if fair_sharing else {}),
        }
        for pool, lender in lenders.items()
    ]
    cohorts = [*topic.get("cohorts", []), *({"name": name} for name in alone.values())]
    return {
        **topic,
        "queues": [*queues, *tests],
        "cohorts": cohorts,
        "priorities": _with_priority(topic.get("priorities")),
    }


def _with_priority(stated_classes: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return the classes of priority with that of tests. stated_classes: None for the component's default."""
    default = [asdict(entry) for entry in QueuesSettings().priorities]
    classes = default if stated_classes is None else stated_classes
    if any(entry["name"] == PRIORITY for entry in classes):
        return classes
    lowest = min((int(entry["value"]) for entry in classes), default=0)
    tests = {"name": PRIORITY, "value": max(_LOWEST, lowest - 1), "description": "tests of GPUs"}
    return [*classes, tests]


def _lenders(settings: Settings) -> dict[str, _Lender]:
    """Return pool -> from which its tests borrow."""
    if settings.queues is None:
        return {}
    topic: dict[str, Any] = stated(settings.queues)
    best = {
        name: max(_offers(topic, name), key=lambda lender: lender.amount, default=None)
        for name, pool in settings.gpu_pools.items()
        if _is_tested(pool)
    }
    return {name: lender for name, lender in best.items() if lender is not None}


def _is_tested(pool: GpuPool) -> bool:
    """Return whether Pods request the pool's NVIDIA GPUs, and nodes exist without a ProvisioningRequest."""
    card = CARDS.get(pool.accelerator)
    topic: dict[str, Any] = stated(pool)
    capacity = {entry if isinstance(entry, str) else entry["type"] for entry in topic.get("capacity", [])}
    return (
        card is not None
        and card.vendor == "nvidia"
        and topic.get("device_allocation") != "dra"
        and capacity != {QUEUED}
    )


def _offers(topic: Mapping[str, Any], pool: str) -> Iterator[_Lender]:
    cohorts = {cohort["name"] for cohort in topic.get("cohorts", [])}
    for queue in topic.get("queues", []):
        cohort = queue.get("cohort")
        # What the component refuses stays as it is, so that its key is the one that is refused.
        if cohort is not None and cohort not in cohorts:
            continue
        if cohort is None and any(key in quota for quota in queue.get("quotas", []) for key in _SHARING):
            continue
        yield from _lent(queue, pool, None if cohort else queue["name"], cohort)
    for cohort in topic.get("cohorts", []):
        yield from _lent(cohort, pool, None, cohort["name"])


def _lent(entry: Mapping[str, Any], pool: str, queue: str | None, cohort: str | None) -> Iterator[_Lender]:
    for quota in entry.get("quotas", []):
        amount = int(quota.get("accelerators") or 0)
        lent = min(amount, int(quota["lend"])) if queue is None and quota.get("lend") is not None else amount
        if quota.get("pool") == pool and lent > 0:
            yield _Lender(lent, queue, cohort)


def _name(of: str) -> str:
    return f"gpu-check-{of}"[:_LONGEST].rstrip("-")
