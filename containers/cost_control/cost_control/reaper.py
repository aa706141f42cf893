"""Work whose GPUs are idle ends: its Workload is deactivated, so that Kueue evicts it and gives its quota to
others.

A Workload ends where all GPUs of all its Pods were idle for the stated hours. What would be started again at
once (Pods of a Deployment), and what no queue manages, is reported and goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, Protocol

from cost_control import metrics
from cost_control.budget import note
from cost_control.labels import KEEP, is_kept
from cost_control.metrics import Gpu, Query
from cost_control.queues import Object

_RESTARTED: Final = "ReplicaSet"
"""The kind of controller that replaces a Pod by one with a new Workload, which Kueue admits again."""


@dataclass(frozen=True)
class Reference:
    """An object that an event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Pod:
    """A Pod that has not ended. workload: the name of its Workload; empty: no queue manages it. gpus: the
    number that it requests. since: when it was started on its node; None: it does not run. controller: the
    kind of what controls it."""

    reference: Reference
    workload: str
    gpus: int
    since: datetime | None
    controller: str
    labels: dict[str, str]

    @property
    def key(self) -> metrics.Pod:
        """Namespace and name."""
        return self.reference.namespace, self.reference.name


class Workloads(Protocol):
    """What is used of a cluster."""

    def pods(self) -> list[Pod]:
        """Return all Pods that have not ended."""
        ...

    def workload(self, namespace: str, name: str) -> Object | None:
        """Return a Workload; None where there is none."""
        ...

    def deactivate(self, workload: Object, reason: str) -> bool:
        """End a Workload. Returns False where it has changed since it was read."""
        ...

    def event(self, about: Reference, reason: str, message: str, *, warning: bool = False) -> None:
        """Create an event."""
        ...


@dataclass(frozen=True)
class Rules:
    """What ends. queues: the ClusterQueues whose Workloads do. hours: for which GPUs have to be idle.
    dry_run: whether it is only reported."""

    queues: Sequence[str]
    hours: int
    dry_run: bool = False

    @property
    def reason(self) -> str:
        """It, for people."""
        return f"all its GPUs were idle for {self.hours} hour{'s' if self.hours > 1 else ''}"


def run(cluster: Workloads, query: Query, rules: Rules, now: datetime | None = None) -> None:
    """End the work whose GPUs are idle. Raises ValueError for metrics of another form; nothing ends then."""
    moment = now or datetime.now(UTC)
    used = metrics.usage(query, rules.hours)
    with_gpus = [pod for pod in cluster.pods() if pod.gpus or pod.key in used]
    if with_gpus and not used:
        note("warning: Prometheus has no series of GPUs that Pods use; expected those of dcgm-exporter")
    by_workload = sorted(with_gpus, key=_workload)
    for (_, name), members in groupby(by_workload, _workload):
        pods = list(members)
        if name:
            if all(_is_idle(pod, used, rules, moment) for pod in pods):
                _end(cluster, name, pods, rules, moment)
            continue
        # A free GPU can have the labels of its exporter, which requests none.
        for pod in (pod for pod in pods if pod.gpus):
            if _is_idle(pod, used, rules, moment) and not _is_kept([pod], moment):
                _report(cluster, pod, "no queue manages it", rules)


def _workload(pod: Pod) -> tuple[str, str]:
    return pod.reference.namespace, pod.workload


def _is_idle(pod: Pod, used: dict[metrics.Pod, list[Gpu]], rules: Rules, now: datetime) -> bool:
    began = pod.since is not None and pod.since <= now - timedelta(hours=rules.hours)
    return began and metrics.is_idle(used.get(pod.key, []), pod.gpus)


def _is_kept(pods: Sequence[Pod], now: datetime) -> bool:
    return any(is_kept(pod.labels, now.date()) for pod in pods)


def _end(cluster: Workloads, name: str, pods: Sequence[Pod], rules: Rules, now: datetime) -> None:
    namespace = pods[0].reference.namespace
    title = f"{namespace}/{name}"
    if any(pod.controller == _RESTARTED for pod in pods):
        for pod in pods:
            if not _is_kept([pod], now):
                _report(cluster, pod, "a Deployment would start it again; scale it down", rules)
        return
    workload = cluster.workload(namespace, name)
    if workload is None or not _is_active(workload, rules.queues):
        return
    if _is_kept(pods, now):
        note(f"{title}: idle, and kept by the label {KEEP}")
        return
    owner = _owner(workload)
    if rules.dry_run:
        note(f"{title}: would end: {rules.reason}")
        cluster.event(owner, "IdleGpus", f"{rules.reason}: it would be ended, but for dry_run")
    elif cluster.deactivate(workload, rules.reason):
        note(f"{title}: ended: {rules.reason}")
        text = (
            f"{rules.reason}: Workload {name} is deactivated. Create the work again to go on; the label "
            f"{KEEP} of its Pods keeps it"
        )
        cluster.event(owner, "ReapedIdleGpus", text, warning=True)
    else:
        note(f"{title}: changed meanwhile, left to the next run")


def _report(cluster: Workloads, pod: Pod, cause: str, rules: Rules) -> None:
    note(f"{'/'.join(pod.key)}: idle, not ended: {cause}")
    cluster.event(pod.reference, "IdleGpus", f"{rules.reason}; not ended: {cause}", warning=True)


def _is_active(workload: Object, queues: Sequence[str]) -> bool:
    """Return whether a Workload is admitted by one of the queues, and neither ended nor ending."""
    admission = (workload.get("status") or {}).get("admission") or {}
    active = workload["spec"].get("active", True)
    return active and admission.get("clusterQueue") in queues


def _owner(workload: Object) -> Reference:
    """Return what users know of a Workload: its owner, such as a Job, else the Workload itself."""
    metadata = workload["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return Reference(
                owner["apiVersion"], owner["kind"], metadata["namespace"], owner["name"], owner["uid"]
            )
    return Reference(
        workload["apiVersion"], workload["kind"], metadata["namespace"], metadata["name"], metadata["uid"]
    )
