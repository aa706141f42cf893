"""The steps of a drain, and what an interrupted one does when it goes on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException

from cli.maintenance.cluster import KUEUE, MANAGER, Cluster
from cli.maintenance.draining import REQUESTED, Drain, states
from cli.output import CommandError


class KilledError(BaseException):
    """The process ends here."""


class FakeCluster(Cluster):
    """A cluster in memory: two nodes of the pool `training`, a Pod on each, and queues."""

    def __init__(self) -> None:
        self.core = self
        self.maps: dict[str, dict[str, str]] = {}
        self.policies = {"team-a": "None", "team-b": "None", "cpu": "None"}
        self.flavors = {"team-a": ["training"], "team-b": ["general", "training"], "cpu": ["general"]}
        self.node_names = ["n0", "n1"]
        self.cordoned: set[str] = set()
        self.pods = {"n0": "p0", "n1": "p1"}
        self.workloads = {"w": "training", "other": "general"}
        """Workload -> the flavor in which it runs."""
        self.inactive: set[str] = set()
        self.looks_until_held = 0
        """Looks at the queues until Kueue knows that they are held."""
        self.late = ""
        """A workload that is admitted when the first node is cordoned."""
        self.annotated: list[str] = []
        self.budget = 0
        """Evictions that are refused, by default by a PodDisruptionBudget."""
        self.refusal = 429
        self.log: list[str] = []
        """Steps that changed the cluster."""
        self.reports: list[str] = []
        self.kill_before: str | None = None

    def _step(self, text: str) -> None:
        if text == self.kill_before:
            self.kill_before = None
            raise KilledError
        self.log.append(text)

    def nodes(self, pool: str) -> list[Any]:
        return [
            SimpleNamespace(
                metadata=SimpleNamespace(name=name),
                spec=SimpleNamespace(unschedulable=True if name in self.cordoned else None),
            )
            for name in self.node_names
        ]

    def list(self, api_version: str, kind: str) -> list[Any]:
        assert api_version == KUEUE
        if kind == "ClusterQueue":
            self.looks_until_held -= 1
            return [
                {
                    "metadata": {"name": name},
                    "spec": {
                        "stopPolicy": self.policies[name],
                        "resourceGroups": [{"flavors": [{"name": flavor} for flavor in flavors]}],
                    },
                    "status": {"conditions": [{"type": "Active", "status": self._active(name)}]},
                }
                for name, flavors in self.flavors.items()
            ]
        return [
            {
                "metadata": {"name": name, "namespace": "team"},
                "spec": {"active": name not in self.inactive},
                "status": {"admission": {"podSetAssignments": [{"flavors": {"nvidia.com/gpu": flavor}}]}},
            }
            for name, flavor in self.workloads.items()
        ]

    def _active(self, queue: str) -> str:
        return str(self.policies[queue] == "None" or self.looks_until_held > 0)

    def set_active(self, workload: str, *, active: bool) -> None:
        name = workload.removeprefix("team/")
        self._step(f"{'activate' if active else 'stop'} {name}")
        if active:
            self.inactive.discard(name)
        else:
            self.inactive.add(name)
            del self.workloads[name]

    def apply(self, item: Any, manager: str = MANAGER) -> None:
        assert manager == MANAGER, "the command owns what it sets"
        name = item["metadata"]["name"]
        if item["kind"] == "ConfigMap":
            self._step(f"record {item['data']['phase']}")
            self.maps[name] = item["data"]
            return
        policy = item["spec"].get("stopPolicy", "None")
        self._step(f"{name}: {policy}")
        self.policies[name] = policy

    def list_namespaced_config_map(self, namespace: str, label_selector: str) -> Any:
        return SimpleNamespace(
            items=[
                SimpleNamespace(metadata=SimpleNamespace(name=name), data=data)
                for name, data in self.maps.items()
            ]
        )

    def delete_namespaced_config_map(self, name: str, namespace: str) -> None:
        self._step("forget")
        del self.maps[name]

    def patch_node(self, name: str, body: Any) -> None:
        if name not in self.node_names:
            raise ApiException(status=404)
        on = body["spec"]["unschedulable"]
        self._step(f"{'cordon' if on else 'uncordon'} {name}")
        (self.cordoned.add if on else self.cordoned.discard)(name)
        if self.late:
            self.workloads[self.late], self.late = "training", ""

    def pods_on(self, nodes: Any) -> Any:
        for node in nodes:
            if node in self.pods:
                metadata = SimpleNamespace(name=self.pods[node], namespace="team", annotations={})
                yield SimpleNamespace(metadata=metadata)

    def patch_namespaced_pod(self, name: str, namespace: str, body: Any) -> None:
        assert REQUESTED in body["metadata"]["annotations"]
        self.annotated.append(name)

    def create_namespaced_pod_eviction(self, name: str, namespace: str, body: Any) -> None:
        if self.budget:
            self.budget -= 1
            raise ApiException(status=self.refusal)
        self._step(f"evict {name}")
        self.pods = {node: pod for node, pod in self.pods.items() if pod != name}

    def replace_nodes(self) -> None:
        self._step("replace")
        self.node_names, self.cordoned = ["n2", "n3"], set()


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def drain(cluster: FakeCluster, **more: Any) -> Drain:
    replace: Callable[[], None] = cluster.replace_nodes
    return Drain(
        cluster,
        "training",
        cluster.reports.append,
        **{"replace": replace, "interval": 0, "seconds": 3, **more},
    )


def released(cluster: FakeCluster) -> bool:
    policies = set(cluster.policies.values())
    return policies == {"None"} and not (cluster.maps or cluster.cordoned or cluster.inactive)


def test_queues_of_the_pool_are_held_until_its_nodes_are_replaced(cluster: FakeCluster) -> None:
    drain(cluster, evict=True).run()
    steps = [step for step in cluster.log if not step.startswith("record")]
    assert steps == [
        *("team-a: Hold", "team-b: Hold", "stop w", "activate w"),
        *("cordon n0", "cordon n1", "evict p0", "evict p1"),
        "replace",
        *("team-a: None", "team-b: None"),
        "forget",
    ]
    assert cluster.annotated == ["p0", "p1"]
    assert released(cluster)


def test_eviction_stops_nothing_in_other_pools(cluster: FakeCluster) -> None:
    cluster.flavors["cpu"].append("training")
    drain(cluster, evict=True).run()
    assert cluster.workloads == {"other": "general"}, "its queue has quota of the pool, too"
    assert "HoldAndDrain" not in str(cluster.log)


def test_workload_that_its_owner_deactivates_stays_inactive(cluster: FakeCluster) -> None:
    cluster.inactive.add("w")
    with pytest.raises(CommandError, match="running after 0 s: team/w"):
        drain(cluster, evict=True, seconds=0.05).run()
    del cluster.workloads["w"]
    drain(cluster, evict=True).run()
    assert cluster.inactive == {"w"}


def test_cancel_activates_what_was_stopped(cluster: FakeCluster) -> None:
    cluster.kill_before = "activate w"
    with pytest.raises(KilledError):
        drain(cluster, evict=True).run()
    assert states(cluster)["training"].stopped == ["team/w"], "recorded before it is stopped"
    drain(cluster).cancel()
    assert released(cluster)


def test_nothing_is_evicted_until_kueue_knows_that_its_queues_are_held(cluster: FakeCluster) -> None:
    cluster.looks_until_held = 10**9
    with pytest.raises(CommandError, match=r"admitting still after 0 s: team-a, team-b; .* Kueue to run"):
        drain(cluster, seconds=0.05).run()
    cluster.looks_until_held = 5
    cluster.workloads.clear()
    drain(cluster).run()
    assert released(cluster)


def test_work_admitted_late_is_awaited_before_its_pods_are_evicted(cluster: FakeCluster) -> None:
    cluster.workloads.clear()
    cluster.late = "late"
    with pytest.raises(CommandError, match="not evicted yet after 0 s: team/late"):
        drain(cluster, seconds=0.05).run()
    assert set(cluster.pods.values()) == {"p0", "p1"}
    drain(cluster, evict=True).run()
    assert released(cluster)
    assert {"stop late", "activate late"} <= set(cluster.log)


def test_queue_released_by_another_during_the_drain_is_held_again(cluster: FakeCluster) -> None:
    with pytest.raises(CommandError):
        drain(cluster, evict=True, replace=None, seconds=0.05).run()
    cluster.policies["team-a"] = "None"

    def replace() -> None:
        assert cluster.policies["team-a"] == "Hold"
        cluster.replace_nodes()

    drain(cluster, replace=replace).run()
    assert released(cluster)


@pytest.mark.parametrize("evict", [False, True])
def test_pool_of_accelerators_without_a_queue_is_refused(cluster: FakeCluster, evict: bool) -> None:
    cluster.flavors = {"cpu": ["general"]}
    cluster.workloads.clear()
    with pytest.raises(CommandError, match=r"no ClusterQueue admits to training: .*, or --no-queue"):
        drain(cluster, evict=evict).run()
    assert not cluster.log, "nothing was changed"
    drain(cluster, evict=evict, queued=False).run()
    assert cluster.reports[0] == "no ClusterQueue admits to training: no work is held or awaited"


def test_node_that_another_user_cordoned_stays_cordoned(cluster: FakeCluster) -> None:
    cluster.cordoned.add("n1")
    with pytest.raises(CommandError):
        drain(cluster, evict=True, replace=None, seconds=0.05).run()
    assert not cluster.pods, "it is emptied, too"
    drain(cluster).cancel()
    assert cluster.cordoned == {"n1"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_eviction_refused_for_now_is_tried_again(cluster: FakeCluster, status: int) -> None:
    cluster.budget, cluster.refusal = 2, status
    drain(cluster, evict=True).run()
    assert released(cluster)


def test_work_is_awaited_and_not_stopped_by_default(cluster: FakeCluster) -> None:
    with pytest.raises(CommandError, match=r"running after 0 s: team/w; their queues stay held"):
        drain(cluster, seconds=0.05).run()
    assert cluster.policies == {"team-a": "Hold", "team-b": "Hold", "cpu": "None"}
    assert not cluster.cordoned
    cluster.workloads.clear()
    drain(cluster).run()
    assert released(cluster)


def test_a_drain_killed_before_any_step_goes_on_to_its_end(cluster: FakeCluster) -> None:
    complete = FakeCluster()
    drain(complete, evict=True).run()
    for step in dict.fromkeys(complete.log):
        interrupted = FakeCluster()
        interrupted.kill_before = step
        with pytest.raises(KilledError):
            drain(interrupted, evict=True).run()
        drain(interrupted, evict=True).run()
        assert released(interrupted), f"killed before {step!r}"
        assert interrupted.node_names == ["n2", "n3"], f"killed before {step!r}"
        assert not interrupted.cordoned, "new nodes are not cordoned"


def test_a_queue_that_its_owner_holds_stays_held(cluster: FakeCluster) -> None:
    cluster.policies["team-b"] = "Hold"
    cluster.workloads.clear()
    drain(cluster).run()
    assert cluster.policies == {"team-a": "None", "team-b": "Hold", "cpu": "None"}


def test_a_queue_that_was_deleted_since_is_not_created_again(cluster: FakeCluster) -> None:
    def replace() -> None:
        cluster.replace_nodes()
        del cluster.policies["team-a"], cluster.flavors["team-a"]

    drain(cluster, evict=True, replace=replace).run()
    assert cluster.policies == {"team-b": "None", "cpu": "None"}


def test_pods_that_a_budget_protects_are_tried_again(cluster: FakeCluster) -> None:
    cluster.budget = 3
    drain(cluster, evict=True).run()
    assert released(cluster)
    blocked = FakeCluster()
    blocked.budget = 10**9
    with pytest.raises(
        CommandError, match=r"not evicted yet after 0 s: team/p0, team/p1; expected PodDisrup"
    ):
        drain(blocked, evict=True, seconds=0.05).run()


def test_without_a_command_the_autoscaler_removes_the_nodes(cluster: FakeCluster) -> None:
    with pytest.raises(CommandError, match=r"not removed yet after 0 s: n0, n1; .*--replace COMMAND"):
        drain(cluster, evict=True, replace=None, seconds=0.05).run()
    cluster.node_names, cluster.cordoned = [], set()
    drain(cluster, evict=True, replace=None, seconds=0.05).run()
    assert released(cluster)


def test_a_second_drain_with_a_shared_queue_is_refused(cluster: FakeCluster) -> None:
    with pytest.raises(CommandError):
        drain(cluster, seconds=0.05).run()
    other = Drain(cluster, "general", cluster.reports.append)
    with pytest.raises(CommandError, match="training is being drained, and has the queue team-b too"):
        other.run()
    assert states(cluster).keys() == {"training"}, "nothing of it was recorded"


def test_cancel_releases_queues_and_nodes(cluster: FakeCluster) -> None:
    with pytest.raises(CommandError):
        drain(cluster, evict=True, replace=None, seconds=0.05).run()
    assert cluster.cordoned == {"n0", "n1"}
    drain(cluster).cancel()
    assert released(cluster)
    with pytest.raises(CommandError, match="training is not being drained"):
        drain(cluster).cancel()
