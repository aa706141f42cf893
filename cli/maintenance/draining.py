"""Drain a pool: hold its queues, wait for what runs, empty its nodes, replace them, and release the queues.

The progress is in the cluster, in a ConfigMap: a drain that was interrupted goes on where it stopped, also
from another machine. Each step is recorded before it is done, and can be done twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cli.maintenance.cluster import KUEUE, NAMESPACE, Cluster, Object, message
from cli.output import CommandError

PREFIX: Final = "ai-platform-drain-"
REQUESTED: Final = "ai-platform/drain-requested"
"""The annotation of Pods that are asked to save their state and to end. A Pod reads it by a volume of the
downward API."""
_LABEL: Final = "ai-platform/drain"
Phase = Literal["wait", "empty", "replace", "release"]
PHASES: Final[tuple[Phase, ...]] = ("wait", "empty", "replace", "release")
_LISTS: Final = ("nodes", "cordoned", "stopped")
_HELD_AFTER: Final = 120
"""Limit of the wait until Kueue reports that a queue is stopped, seconds."""
Report = Callable[[str], None]


@dataclass
class State:
    """The progress of a drain.

    queues: ClusterQueue -> its stopPolicy before. nodes: those that the pool had when it was emptied.
    cordoned: those of them that the drain has cordoned, or is about to. stopped: workloads
    (NAMESPACE/NAME) that it has deactivated, or is about to, and has not activated again.
    """

    pool: str
    queues: dict[str, str] = field(default_factory=dict[str, str])
    phase: Phase = "wait"
    nodes: list[str] = field(default_factory=list[str])
    cordoned: list[str] = field(default_factory=list[str])
    stopped: list[str] = field(default_factory=list[str])

    def save(self, cluster: Cluster) -> None:
        """Write it to the cluster."""
        data = {
            "phase": self.phase,
            "queues": json.dumps(self.queues),
            **{key: json.dumps(getattr(self, key)) for key in _LISTS},
        }
        metadata = {"name": PREFIX + self.pool, "namespace": NAMESPACE, "labels": {_LABEL: "true"}}
        cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

    def delete(self, cluster: Cluster) -> None:
        """Remove it from the cluster."""
        from kubernetes.client import ApiException

        try:
            cluster.core.delete_namespaced_config_map(PREFIX + self.pool, NAMESPACE)
        except ApiException as error:
            # A request that is repeated after a lost answer.
            if error.status != 404:
                raise


def states(cluster: Cluster) -> dict[str, State]:
    """Return pool -> progress, of all drains that have not ended."""
    maps = cluster.core.list_namespaced_config_map(NAMESPACE, label_selector=f"{_LABEL}=true").items
    result: dict[str, State] = {}
    for item in maps:
        pool, data = item.metadata.name.removeprefix(PREFIX), item.data or {}
        phase = data.get("phase")
        result[pool] = State(
            pool,
            json.loads(data.get("queues") or "{}"),
            phase if phase in PHASES else "wait",
            **{key: json.loads(data.get(key) or "[]") for key in _LISTS},
        )
    return result


@dataclass
class Drain:
    """A drain of a pool.

    evict: whether what runs on the pool is stopped and queued again. replace: replaces the nodes, which are
    empty then, and raises CommandError where it cannot; without it the autoscaler removes them. seconds: the
    limit of each wait. interval: between two looks at the cluster, seconds. queued: whether a ClusterQueue is
    expected to admit to the pool.
    """

    cluster: Cluster
    pool: str
    report: Report
    evict: bool = False
    replace: Callable[[], None] | None = None
    seconds: float = 86_400
    interval: float = 5
    queued: bool = True

    def run(self) -> None:
        """Drain, or go on with a drain that was interrupted. Raises CommandError where a wait takes too long;
        the queues stay held then."""
        state = self._begin()
        steps: Mapping[Phase, Callable[[State], None]] = {
            "wait": self._wait,
            "empty": self._empty,
            "replace": self._replace,
            "release": self._release,
        }
        for phase in PHASES[PHASES.index(state.phase) :]:
            state.phase = phase
            state.save(self.cluster)
            steps[phase](state)

    def cancel(self) -> None:
        """End a drain: nodes that still exist accept Pods again, and the queues admit again."""
        state = states(self.cluster).get(self.pool)
        if state is None:
            raise CommandError(f"{self.pool} is not being drained; nothing to cancel")
        self._release(state)

    def _begin(self) -> State:
        known = states(self.cluster)
        state = known.pop(self.pool, None)
        if state is not None:
            self.report(f"going on with the drain of {self.pool} (phase {state.phase})")
            if state.phase != "release":
                # Also where an update has released them since.
                self._hold(state)
            return state
        state = State(self.pool, queues_of(self.cluster, self.pool))
        if not state.queues:
            if self.queued:
                raise CommandError(
                    f"no ClusterQueue admits to {self.pool}: nothing would be held or awaited, and what runs "
                    "would be evicted at once; expected a queue with quota of the pool, or --no-queue"
                )
            self.report(f"no ClusterQueue admits to {self.pool}: no work is held or awaited")
        for pool, other in known.items():
            shared = sorted(state.queues.keys() & other.queues.keys())
            if shared:
                raise CommandError(
                    f"{pool} is being drained, and has the queue {', '.join(shared)} too; expected to end "
                    "first: run its drain again, or with --cancel"
                )
        # Before anything is changed: the queues' own policies.
        state.save(self.cluster)
        self._hold(state)
        return state

    def _hold(self, state: State) -> None:
        """Hold the queues, and wait until Kueue admits nothing more by them."""
        for queue, before in self._existing(state).items():
            # A queue that its owner has stopped admits nothing either.
            if before == "None":
                self.cluster.apply(_queue(queue, {"stopPolicy": "Hold"}))
                self.report(f"queue {queue}: Hold")
        self._until(
            lambda: sorted(active_queues(self.cluster) & state.queues.keys()),
            "admitting still",
            "expected the controller of Kueue to run",
            min(self.seconds, _HELD_AFTER),
        )

    def _existing(self, state: State) -> dict[str, str]:
        """Return the queues that were not deleted since: applying to another one would create it."""
        names = {queue["metadata"]["name"] for queue in self.cluster.list(KUEUE, "ClusterQueue")}
        return {queue: before for queue, before in state.queues.items() if queue in names}

    def _wait(self, state: State) -> None:
        ask_to_end(self.cluster, [node.metadata.name for node in self.cluster.nodes(self.pool)])
        self._until(
            lambda: self._running(state),
            "running",
            "their queues stay held: run the drain again, with --evict to stop them, or with --cancel",
        )
        self._activate(state)

    def _running(self, state: State) -> list[str]:
        """Return the workloads that have quota of the pool. With `evict` those that are active are stopped:
        Kueue evicts a workload that is deactivated, and its queue goes on with other pools."""
        running = workloads_on(self.cluster, self.pool)
        if self.evict:
            stopping = [name for name, active in running.items() if active]
            if not set(stopping) <= set(state.stopped):
                state.stopped = sorted({*state.stopped, *stopping})
                state.save(self.cluster)
            for name in stopping:
                self.cluster.set_active(name, active=False)
                self.report(f"workload {name}: stopped")
        return sorted(running)

    def _activate(self, state: State) -> None:
        """Let the workloads that were stopped wait in their queues again."""
        if not state.stopped:
            return
        for name in state.stopped:
            self.cluster.set_active(name, active=True)
            self.report(f"workload {name}: waits in its queue")
        state.stopped = []
        state.save(self.cluster)

    def _empty(self, state: State) -> None:
        nodes = self.cluster.nodes(self.pool)
        state.nodes = [node.metadata.name for node in nodes]
        # A node that another user has cordoned, as for an error of its hardware, stays so.
        state.cordoned = [
            node.metadata.name
            for node in nodes
            if node.metadata.name in state.cordoned or not node.spec.unschedulable
        ]
        state.save(self.cluster)
        for node in state.cordoned:
            self._cordon(node, on=True)

        def remaining() -> list[str]:
            if running := self._running(state):
                # Admitted before Kueue knew that its queue is held.
                return running
            pods = list(self.cluster.pods_on(state.nodes))
            for pod in pods:
                evict(self.cluster, pod, self.report)
            return [f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in pods]

        self._until(
            remaining,
            "not evicted yet",
            "expected PodDisruptionBudgets that allow it; then run the drain again",
        )
        self._activate(state)

    def _replace(self, state: State) -> None:
        if self.replace is not None:
            self.replace()
            return
        self._until(
            lambda: sorted(set(state.nodes) & {node.metadata.name for node in self.cluster.nodes(self.pool)}),
            "not removed yet",
            "the autoscaler keeps a pool's minimum: replace the nodes by --replace COMMAND",
        )

    def _release(self, state: State) -> None:
        self._activate(state)
        for node in state.cordoned:
            self._cordon(node, on=False)
        for queue, before in self._existing(state).items():
            if before == "None":
                # Without the field the API server sets None, and no manager owns it.
                self.cluster.apply(_queue(queue, {}))
                self.report(f"queue {queue}: admits again")
        state.delete(self.cluster)

    def _cordon(self, node: str, *, on: bool) -> None:
        from kubernetes.client import ApiException

        try:
            self.cluster.core.patch_node(node, {"spec": {"unschedulable": on or None}})
        except ApiException as error:
            if error.status != 404:
                raise
        else:
            self.report(f"node {node}: {'cordoned' if on else 'accepts Pods'}")

    def _until(
        self, remaining: Callable[[], list[str]], state: str, advice: str, seconds: float | None = None
    ) -> None:
        """Wait until nothing remains, and report what does when that changes. seconds: its limit."""
        limit = self.seconds if seconds is None else seconds
        deadline, before = time.monotonic() + limit, None
        while left := remaining():
            if left != before:
                self.report(f"{state}: {', '.join(left)}")
            if time.monotonic() > deadline:
                raise CommandError(f"{state} after {limit:.0f} s: {', '.join(left)}; {advice}")
            before = left
            time.sleep(self.interval)


def queues_of(cluster: Cluster, pool: str) -> dict[str, str]:
    """Return ClusterQueue -> its stopPolicy, of those that admit to a pool, whose flavor has its name."""
    return {
        queue["metadata"]["name"]: queue["spec"].get("stopPolicy") or "None"
        for queue in cluster.list(KUEUE, "ClusterQueue")
        if any(
            flavor["name"] == pool
            for group in queue["spec"].get("resourceGroups") or ()
            for flavor in group["flavors"]
        )
    }


def active_queues(cluster: Cluster) -> set[str]:
    """Return the ClusterQueues that Kueue reports as active."""

    def is_active(queue: Object) -> bool:
        conditions = (queue.get("status") or {}).get("conditions") or ()
        return any(item["type"] == "Active" and item["status"] == "True" for item in conditions)

    return {queue["metadata"]["name"] for queue in cluster.list(KUEUE, "ClusterQueue") if is_active(queue)}


def workloads_on(cluster: Cluster, pool: str) -> dict[str, bool]:
    """Return NAMESPACE/NAME -> whether it is active, of workloads that have quota of a pool and have not
    finished."""

    def assigned(workload: Object) -> bool:
        status: Object = workload.get("status") or {}
        conditions = {item["type"]: item["status"] for item in status.get("conditions") or ()}
        sets = (status.get("admission") or {}).get("podSetAssignments") or ()
        flavors = {flavor for item in sets for flavor in (item.get("flavors") or {}).values()}
        return pool in flavors and conditions.get("Finished") != "True"

    return {
        f"{workload['metadata']['namespace']}/{workload['metadata']['name']}": (
            (workload.get("spec") or {}).get("active") is not False
        )
        for workload in cluster.list(KUEUE, "Workload")
        if assigned(workload)
    }


def ask_to_end(cluster: Cluster, nodes: list[str]) -> None:
    """Annotate the Pods on nodes, once: one that watches the annotation can save its state and end."""
    from kubernetes.client import ApiException

    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for pod in cluster.pods_on(nodes):
        if REQUESTED in (pod.metadata.annotations or {}):
            continue
        body = {"metadata": {"annotations": {REQUESTED: stamp}}}
        try:
            cluster.core.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, body)
        except ApiException as error:
            if error.status != 404:
                raise


def evict(cluster: Cluster, pod: Any, report: Report) -> None:
    """Evict a Pod; what refuses it now, as a budget that allows no disruption, is asked again later."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    from cli.maintenance.retries import TRANSIENT

    name = {"name": pod.metadata.name, "namespace": pod.metadata.namespace}
    try:
        cluster.core.create_namespaced_pod_eviction(
            **name, body={"apiVersion": "policy/v1", "kind": "Eviction", "metadata": name}
        )
    except ApiException as error:
        # 500 also where two budgets select the Pod: then its owner has to remove one.
        if error.status not in (404, *TRANSIENT):
            raise
        if error.status >= 500:
            report(f"Pod {name['namespace']}/{name['name']} is not evicted: {message(error)}")
    except HTTPError as error:
        report(f"Pod {name['namespace']}/{name['name']} is not evicted: {error}")


def _queue(name: str, spec: Object) -> Object:
    return {"apiVersion": KUEUE, "kind": "ClusterQueue", "metadata": {"name": name}, "spec": spec}
