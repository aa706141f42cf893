"""Kueue's objects from the arguments: their specs, without Pulumi. Pure.

API: kueue.x-k8s.io/v1beta2 of Kueue 0.19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiplatform._shared.kubernetes.node_labels import TPU_TOPOLOGY
from aiplatform.accelerators import TPU
from aiplatform.queues import amounts
from aiplatform.queues.amounts import CPU, MEMORY
from aiplatform.queues.args import Cohort, LocalQueue, Queue, QueuesSettings, Quota, TopologyKind
from aiplatform.queues.pools import Pool, is_queued

API_VERSION: Final = "kueue.x-k8s.io/v1beta2"
MANAGED_NAMESPACE: Final[Mapping[str, str]] = {"kueue.x-k8s.io/managed-namespace": "true"}
"""The label of namespaces whose workloads Kueue manages."""
HOSTNAME: Final = "kubernetes.io/hostname"
"""The last level of each topology: only then Kueue respects the taints of nodes, and replaces a node that
fails."""
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
PROVISIONING: Final = "kueue.x-k8s.io/provisioning-request"
QUEUED_CLASS: Final = "queued-provisioning.gke.io"
"""GKE's class of ProvisioningRequests for queued capacity."""
_LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform"}
QUEUED_TAINT: Final = "cloud.google.com/gke-queued"
"""GKE's taint on the nodes of queued capacity, in addition to the pool's."""


@dataclass(frozen=True)
class Object:
    """An object of Kueue. key: the last part of its logical name."""

    kind: str
    key: str
    name: str
    spec: Mapping[str, Any]
    namespace: str | None = None
    needs: Sequence[str] = ()
    """The keys of objects that exist before it and are deleted after it."""
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields next to the spec, of kinds without one."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The object as the API server takes it."""
        metadata: dict[str, Any] = {"name": self.name, "labels": dict(_LABELS)}
        if self.namespace is not None:
            metadata["namespace"] = self.namespace
        spec = {"spec": self.spec} if self.spec else {}
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": metadata, **spec, **self.body}


def objects(settings: QueuesSettings) -> list[Object]:
    """Return all objects, each after those that it needs."""
    pools = {pool.name: pool for pool in settings.pools}
    used: dict[str, None] = dict.fromkeys(
        _topology_name(settings, pool) for pool in settings.pools if pool.name in settings.topologies
    )
    return [
        *(_topology(settings, name) for name in used),
        *(_flavor(settings, pool) for pool in settings.pools),
        *(entry for pool in settings.pools if is_queued(pool) for entry in _check(pool)),
        *(_cohort(settings, cohort, pools) for cohort in parents_first(settings.cohorts)),
        *(_cluster_queue(settings, queue, pools) for queue in settings.queues),
        *(_local_queue(queue, local) for queue in settings.queues for local in queue.local_queues),
        *(_priority(settings, index) for index in range(len(settings.priorities))),
    ]


def levels(pool: Pool, kind: TopologyKind) -> list[str]:
    """Return the levels of a pool's topology, the widest first."""
    return [*(pool.topology_labels if kind == "network" else []), HOSTNAME]


def _topology_name(settings: QueuesSettings, pool: Pool) -> str:
    return f"ai-platform-{settings.topologies[pool.name]}"


def _topology(settings: QueuesSettings, name: str) -> Object:
    pool = next(
        pool
        for pool in settings.pools
        if pool.name in settings.topologies and _topology_name(settings, pool) == name
    )
    kind = settings.topologies[pool.name]
    spec = {"levels": [{"nodeLabel": label} for label in levels(pool, kind)]}
    return Object("Topology", f"topology-{kind}", name, spec)


def _flavor(settings: QueuesSettings, pool: Pool) -> Object:
    taints = [(taint.key, taint.value, taint.effect) for taint in pool.taints]
    if is_queued(pool):
        taints.append((QUEUED_TAINT, "true", "NoSchedule"))
    spec: dict[str, Any] = {"nodeLabels": dict(pool.node_selector)}
    if taints:
        # Without empty values: Kueue drops them when it writes the flavor, and with a topology the API server
        # refuses that as a change of the tolerations, so that the flavor could never be deleted.
        spec["tolerations"] = [
            {"key": key, "operator": "Equal", **({"value": value} if value else {}), "effect": effect}
            for key, value, effect in taints
        ]
    needs: list[str] = []
    if pool.name in settings.topologies:
        spec["topologyName"] = _topology_name(settings, pool)
        needs.append(f"topology-{settings.topologies[pool.name]}")
    return Object("ResourceFlavor", f"flavor-{pool.name}", pool.name, spec, needs=needs)


def _check(pool: Pool) -> list[Object]:
    """The check that requests nodes before it admits a workload, and its configuration."""
    name = _check_name(pool.name)
    spec: dict[str, Any] = {"provisioningClassName": QUEUED_CLASS, "managedResources": [pool.resource]}
    if pool.resource == TPU and TPU_TOPOLOGY in pool.node_selector:
        spec["parameters"] = {"tpu-topology": pool.node_selector[TPU_TOPOLOGY]}
    config = Object("ProvisioningRequestConfig", f"provisioning-{pool.name}", name, spec)
    check = {
        "controllerName": PROVISIONING,
        "parameters": {"apiGroup": "kueue.x-k8s.io", "kind": config.kind, "name": name},
    }
    return [config, Object("AdmissionCheck", f"check-{pool.name}", name, check, needs=[config.key])]


def _check_name(pool: str) -> str:
    return f"{pool}-provisioning"


def parents_first(cohorts: Sequence[Cohort]) -> list[Cohort]:
    """Return cohorts, each after its parent; there is no cycle."""
    by_name = {cohort.name: cohort for cohort in cohorts}

    def depth(cohort: Cohort) -> int:
        return 0 if cohort.parent is None else 1 + depth(by_name[cohort.parent])

    return sorted(cohorts, key=depth)


def _cohort(settings: QueuesSettings, cohort: Cohort, pools: Mapping[str, Pool]) -> Object:
    spec: dict[str, Any] = {}
    needs = _flavors(cohort.quotas)
    if cohort.parent is not None:
        spec["parentName"] = cohort.parent
        needs.append(f"cohort-{cohort.parent}")
    if settings.fair_sharing:
        spec["fairSharing"] = _weight(cohort.weight)
    if cohort.quotas:
        spec["resourceGroups"] = resource_groups(cohort.quotas, pools)
    return Object("Cohort", f"cohort-{cohort.name}", cohort.name, spec, needs=needs)


def _cluster_queue(settings: QueuesSettings, queue: Queue, pools: Mapping[str, Pool]) -> Object:
    spec: dict[str, Any] = {
        "namespaceSelector": _namespaces(queue),
        "queueingStrategy": queue.queueing_strategy,
        "preemption": _preemption(queue),
        "resourceGroups": resource_groups(queue.quotas, pools),
    }
    if queue.stop_policy is not None:
        # Left out, a drain of nodes can own the field meanwhile without a conflict.
        spec["stopPolicy"] = queue.stop_policy
    needs = _flavors(queue.quotas)
    if queue.cohort is not None:
        spec["cohortName"] = queue.cohort
        needs.append(f"cohort-{queue.cohort}")
    if settings.fair_sharing:
        spec["fairSharing"] = _weight(queue.weight)
    queued = [quota.pool for quota in queue.quotas if is_queued(pools[quota.pool])]
    if queued:
        needs += [f"check-{pool}" for pool in queued]
        checks = [{"name": _check_name(pool), "onFlavors": [pool]} for pool in queued]
        spec["admissionChecksStrategy"] = {"admissionChecks": checks}
    return Object("ClusterQueue", f"queue-{queue.name}", queue.name, spec, needs=needs)


def _flavors(quotas: Sequence[Quota]) -> list[str]:
    return [f"flavor-{quota.pool}" for quota in quotas]


def _weight(weight: float) -> dict[str, str]:
    return {"weight": amounts.decimal(round(weight * amounts.MILLI))}


def _namespaces(queue: Queue) -> dict[str, Any]:
    """The namespaces that may use a queue. A LocalQueue in another one admits nothing."""
    selector: dict[str, Any] = {"matchLabels": dict(MANAGED_NAMESPACE)}
    names = sorted({*queue.namespaces, *(local.namespace for local in queue.local_queues)})
    if names:
        selector["matchExpressions"] = [{"key": NAMESPACE_NAME, "operator": "In", "values": names}]
    return selector


def _preemption(queue: Queue) -> dict[str, Any]:
    preemption = queue.preemption
    borrow: dict[str, Any] = {"policy": preemption.borrow_within_cohort}
    if preemption.max_priority_threshold is not None:
        borrow["maxPriorityThreshold"] = preemption.max_priority_threshold
    return {
        "withinClusterQueue": preemption.within_cluster_queue,
        "reclaimWithinCohort": preemption.reclaim_within_cohort,
        "borrowWithinCohort": borrow,
    }


def resource_groups(quotas: Sequence[Quota], pools: Mapping[str, Pool]) -> list[dict[str, Any]]:
    """Return the quotas as one resource group: a flavor for each pool, and of each the CPU, the memory and
    all accelerators, of which other pools have none. CPU pools come first."""
    ordered = sorted(quotas, key=lambda quota: bool(pools[quota.pool].resource))
    accelerators = dict.fromkeys(pool.resource for pool in (pools[quota.pool] for quota in ordered))
    covered = [CPU, MEMORY, *(resource for resource in accelerators if resource)]
    return [
        {
            "coveredResources": covered,
            "flavors": [
                {"name": quota.pool, "resources": _flavor_quotas(pools[quota.pool], quota, covered)}
                for quota in ordered
            ],
        }
    ]


def _flavor_quotas(pool: Pool, quota: Quota, covered: Sequence[str]) -> list[dict[str, str]]:
    nominal = amounts.nominal(pool, quota)
    limits = {
        key: amounts.limit(pool, quota, quantity)
        for key, quantity in (("borrowingLimit", quota.borrow), ("lendingLimit", quota.lend))
        if quantity is not None
    }
    return [
        {
            "name": resource,
            "nominalQuota": amounts.written(resource, nominal.get(resource, 0)),
            **{
                key: amounts.written(resource, limit[resource])
                for key, limit in limits.items()
                if resource in limit
            },
        }
        for resource in covered
    ]


def _local_queue(queue: Queue, local: LocalQueue) -> Object:
    return Object(
        "LocalQueue",
        f"local-queue-{local.namespace}.{local.name}",
        local.name,
        {"clusterQueue": queue.name},
        namespace=local.namespace,
        needs=[f"queue-{queue.name}"],
    )


def _priority(settings: QueuesSettings, index: int) -> Object:
    priority = settings.priorities[index]
    body: dict[str, Any] = {"value": priority.value}
    if priority.description:
        body["description"] = priority.description
    return Object("WorkloadPriorityClass", f"priority-{priority.name}", priority.name, {}, body=body)
