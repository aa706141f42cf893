"""A drain of a pool with the real Kueue and a JobSet that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from aiplatform import gpu_tests
from cli.maintenance import cluster as connection
from cli.maintenance.draining import REQUESTED, Drain, State, states
from cli.output import CommandError
from tests.components.aiplatform.fabric_pools import known_outputs
from tests.controllers.cluster import Cluster, flavor, job, jobset_of, local_queue, node, queue
from tests.controllers.queue_objects import of_kueue
from twin.tests.waiting import eventually

NAMESPACE: Final = "team-drain"
POOL: Final = "drained"
QUEUE: Final = "team-drain"
OTHER: Final = "not-drained"
"""A pool with one node of 8 GPUs, for which the same queue has quota."""


@dataclass
class Pool:
    """Two nodes of 8 GPUs, and what replaces them."""

    cluster: Cluster
    generation: int = 0
    reported: list[str] = field(default_factory=list[str])

    @property
    def nodes(self) -> list[str]:
        """The names of its nodes."""
        return [f"{POOL}-{self.generation}-{number}" for number in range(2)]

    def grow(self) -> None:
        """Add its nodes."""
        for name in self.nodes:
            self.cluster.create(node(name, cpu=192, gpus=8, labels={connection.POOL: POOL}))

    def replace(self) -> None:
        """Delete its nodes, and add others."""
        for name in self.nodes:
            self.cluster.core.delete_node(name)
        self.generation += 1
        self.grow()

    def drain(self, **more: Any) -> Drain:
        """A drain of it."""
        api = connection.Cluster(self.cluster.api)
        options = {"replace": self.replace, "interval": 0.5, "seconds": 90, **more}
        return Drain(api, POOL, self.reported.append, **options)

    def stop_policy(self) -> str:
        """The policy of its queue."""
        return self.cluster.get(queue(QUEUE, 16))["spec"]["stopPolicy"]

    def state(self) -> State | None:
        """The progress of its drain."""
        return states(connection.Cluster(self.cluster.api)).get(POOL)

    def pods(self) -> dict[str, str]:
        """Name -> node of the Pods that run."""
        return {
            pod.metadata.name: pod.spec.node_name
            for pod in self.cluster.core.list_namespaced_pod(NAMESPACE).items
            if pod.status.phase == "Running" and pod.metadata.deletion_timestamp is None
        }


@pytest.fixture
def pool(cluster: Cluster) -> Iterator[Pool]:
    """A pool with a queue of 16 GPUs, in a namespace of a team; the queue has 8 of another pool, too."""
    created = Pool(cluster)
    namespace = cluster.team(NAMESPACE)
    gpus, quota = flavor(POOL, nodeLabels={connection.POOL: POOL}), queue(QUEUE, 16)
    flavors = quota["spec"]["resourceGroups"][0]["flavors"]
    flavors[0]["name"] = POOL
    flavors.append(
        {"name": OTHER, "resources": queue(QUEUE, 8)["spec"]["resourceGroups"][0]["flavors"][0]["resources"]}
    )
    others = flavor(OTHER, nodeLabels={connection.POOL: OTHER})
    try:
        created.grow()
        cluster.create(node(OTHER, cpu=192, gpus=8, labels={connection.POOL: OTHER}))
        cluster.create(gpus, others, quota, local_queue(NAMESPACE, QUEUE))
        yield created
    finally:
        cluster.delete(namespace, quota, gpus, others)
        for name in (*created.nodes, OTHER):
            cluster.core.delete_node(name)
        eventually(
            "namespace deleted",
            lambda: (
                NAMESPACE not in {item.metadata.name for item in cluster.core.list_namespace().items} or None
            ),
            180,  # its Pods have half a minute to end
        )
        # A flavor stays until no queue names it.
        eventually("queues deleted", lambda: not of_kueue(cluster) or None)


def jobset(name: str, seconds: int | None) -> dict[str, Any]:
    """A JobSet of two Jobs with 8 GPUs each."""
    return jobset_of(job(NAMESPACE, name, seconds=seconds), replicas=2)


def conditions(cluster: Cluster, item: Any) -> set[str]:
    status = cluster.get(item).get("status") or {}
    return {entry["type"] for entry in status.get("conditions") or () if entry["status"] == "True"}


def test_jobset_that_runs_ends_before_its_nodes_are_replaced(pool: Pool) -> None:
    pair = jobset("ends", seconds=8)
    pool.cluster.create(pair)
    eventually("two Pods", lambda: len(pool.pods()) == 2)
    requested: list[bool] = []

    def replace() -> None:
        assert not pool.pods(), "the nodes are empty"
        assert pool.stop_policy() == "Hold"
        pods = pool.cluster.core.list_namespaced_pod(NAMESPACE).items
        requested.extend(REQUESTED in (pod.metadata.annotations or {}) for pod in pods)
        pool.replace()

    pool.drain(replace=replace).run()
    assert requested == [True, True], "both Pods were asked to save their state and to end"
    assert "Completed" in eventually("completion", lambda: conditions(pool.cluster, pair))
    assert pool.cluster.get(pair)["status"].get("restarts", 0) == 0
    assert pool.stop_policy() == "None"
    assert pool.state() is None


def test_interrupted_drain_with_eviction_goes_on_and_the_jobset_runs_on_new_nodes(pool: Pool) -> None:
    pair, before = jobset("goes-on", seconds=None), pool.nodes
    pool.cluster.create(pair)
    eventually("two Pods", lambda: len(pool.pods()) == 2)

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.drain(evict=True, replace=killed).run()
    state = pool.state()
    assert state is not None
    assert (state.phase, sorted(state.nodes)) == ("replace", before)
    assert pool.stop_policy() == "Hold", "nothing starts while the nodes are being replaced"
    assert not pool.pods()
    (workload,) = pool.cluster.list("kueue.x-k8s.io/v1beta2", "Workload", NAMESPACE)
    assert workload["spec"]["active"], "it waits in its queue"
    assert not state.stopped
    cordoned = [pool.cluster.core.read_node(name).spec.unschedulable for name in before]
    assert cordoned == [True, True]

    pool.drain(evict=True).run()
    running = eventually("two Pods again", lambda: pool.pods() if len(pool.pods()) == 2 else None, 60)
    assert set(running.values()) == set(pool.nodes), "the same JobSet, on nodes that are not cordoned"
    assert pool.stop_policy() == "None"
    assert pool.state() is None
    # The platform's stack owns the queue's fields as before.
    managers = pool.cluster.get(queue(QUEUE, 16))["metadata"]["managedFields"]
    assert not [
        entry
        for entry in managers
        if entry["manager"] == connection.MANAGER and "f:stopPolicy" in str(entry["fieldsV1"])
    ]


def test_eviction_stops_nothing_of_the_same_queue_in_another_pool(pool: Pool) -> None:
    other = job(NAMESPACE, "other-pool")
    other["spec"]["template"]["spec"]["nodeSelector"] = {connection.POOL: OTHER}
    pool.cluster.create(other)
    before = eventually("a Pod", lambda: pool.pods() or None)
    assert set(before.values()) == {OTHER}
    pool.cluster.create(jobset("evicted", seconds=None))
    eventually("three Pods", lambda: len(pool.pods()) == 3)

    def replace() -> None:
        assert pool.pods() == before
        pool.replace()

    pool.drain(evict=True, replace=replace).run()
    running = eventually("three Pods again", lambda: pool.pods() if len(pool.pods()) == 3 else None, 60)
    assert before.items() <= running.items(), "the same Pod of the other pool"
    assert set(running.values()) == {OTHER, *pool.nodes}


def test_work_that_does_not_end_keeps_its_queue_held_until_the_drain_is_cancelled(pool: Pool) -> None:
    pool.cluster.create(jobset("stays", seconds=None))
    eventually("two Pods", lambda: len(pool.pods()) == 2)
    with pytest.raises(CommandError, match=r"running after 1 s: team-drain/.*; their queues stay held"):
        pool.drain(seconds=1).run()
    assert pool.stop_policy() == "Hold"
    assert len(pool.pods()) == 2, "it was not stopped"
    other = connection.Cluster(pool.cluster.api)
    pool.drain().cancel()
    assert pool.stop_policy() == "None"
    assert POOL not in states(other)
    with pytest.raises(CommandError, match="drained is not being drained"):
        pool.drain().cancel()


def test_bandwidth_test_of_the_examples_is_admitted_by_its_quota_and_runs(pool: Pool) -> None:
    network = {"vpc.amazonaws.com/efa": "32", "hugepages-2Mi": "10256Mi"}
    for name in pool.nodes:
        status = {"status": {"capacity": network, "allocatable": network}}
        pool.cluster.core.patch_node_status(name, status)
    outputs = {**known_outputs("efa"), "node_selector": {connection.POOL: POOL}, "taints": []}
    pool.cluster.create(
        gpu_tests.script("nccl", NAMESPACE),
        gpu_tests.bandwidth_test(outputs, "nccl", NAMESPACE, image="registry.example/torch:1"),
    )
    running = eventually("two Pods", lambda: pool.pods() if len(pool.pods()) == 2 else None)
    assert set(running.values()) == set(pool.nodes), "each uses a whole node"
    assert pool.cluster.workloads(NAMESPACE)["nccl"].get("Admitted"), "adapters and huge pages need no quota"
