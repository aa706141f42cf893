"""The objects of the component Queues with the real Kueue: what runs, waits, is borrowed and is evicted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiplatform._shared.args import read
from aiplatform.queues import Queues, plan
from aiplatform.queues.args import QueuesSettings
from tests.controllers.cluster import GPU, LAYER, Cluster, job, node
from tests.end_to_end.harness import eventually

POOL: Final[dict[str, Any]] = {
    "name": "training",
    "resource": GPU,
    "resources_per_node": 8,
    "capacity_types": ["on_demand"],
    "node_selector": {"eks.amazonaws.com/nodegroup": "gpu"},
    "taints": [{"key": GPU, "effect": "NoSchedule"}],
    "topology_labels": [f"{LAYER}{layer}" for layer in (1, 2, 3)],
    "min_nodes": 4,
    "max_nodes": 4,
    "vcpus_per_node": 192,
    "memory_gib_per_node": 1536,
}
"""The nodes with GPUs of the cluster: 32 GPUs."""
CPU_POOL: Final[dict[str, Any]] = {
    "name": "general",
    "node_selector": {"ai-platform/pool": "general"},
    "taints": [],
    "min_nodes": 1,
    "max_nodes": 1,
    "vcpus_per_node": 16,
    "memory_gib_per_node": 128,
}
TEAMS: Final = ("vision", "language")
SETTLED: Final = 4
"""Seconds after which Kueue would have admitted or evicted something more."""


def team(name: str, gpus: int = 16, **quota: Any) -> dict[str, Any]:
    return {
        "name": name,
        "cohort": "research",
        "quotas": [{"pool": "training", "accelerators": gpus, **quota}],
        "local_queues": [{"namespace": name}],
    }


def arguments(*queues: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"gpu_pools": [POOL], "cohorts": [{"name": "research"}], "queues": list(queues), **more}


def manifests(values: dict[str, Any]) -> list[dict[str, Any]]:
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
        eventually("queues deleted", lambda: not _of_kueue(cluster) or None)


def _namespaces(cluster: Cluster) -> set[str]:
    return {item.metadata.name for item in cluster.core.list_namespace().items}


def _of_kueue(cluster: Cluster) -> list[str]:
    kinds = ("ClusterQueue", "Cohort", "ResourceFlavor", "Topology", "LocalQueue", "Workload")
    return [
        f"{kind} {item['metadata']['name']}"
        for kind in kinds
        for item in cluster.list(plan.API_VERSION, kind)
    ]


def running(cluster: Cluster, *namespaces: str) -> dict[str, int]:
    return {namespace: len(cluster.jobs(namespace, "Running")) for namespace in namespaces}


def until_running(cluster: Cluster, expected: dict[str, int]) -> None:
    """Wait for the number of running jobs of each namespace, and that it stays so."""
    eventually(f"running: {expected}", lambda: running(cluster, *expected) == expected or None)
    time.sleep(SETTLED)
    assert running(cluster, *expected) == expected


def submit(cluster: Cluster, namespace: str, count: int, **more: Any) -> None:
    prefix = more.pop("prefix", "train")
    cluster.create(*(job(namespace, f"{prefix}-{number}", **more) for number in range(count)))


def priority(name: str) -> dict[str, str]:
    return {"kueue.x-k8s.io/priority-class": name}


def test_of_ten_jobs_of_two_teams_exactly_those_run_for_which_there_are_gpus(cluster: Cluster) -> None:
    with queues(cluster, arguments(*map(team, TEAMS))):
        for name in TEAMS:
            submit(cluster, name, 5)
        until_running(cluster, {"vision": 2, "language": 2})
        pods = [
            pod
            for name in TEAMS
            for pod in cluster.core.list_namespaced_pod(name).items
            if pod.spec.node_name
        ]
        assert len({pod.spec.node_name for pod in pods}) == 4, "each uses all GPUs of a node"
        for pod in pods:
            assert pod.spec.containers[0].resources.limits[GPU] == "8"
            assert pod.spec.node_selector == POOL["node_selector"], "Kueue adds the selector of the pool"
        reasons = [
            states["Pending"]
            for name in TEAMS
            for states in cluster.workloads(name).values()
            if "Pending" in states
        ]
        assert any("insufficient" in reason and "training" in reason for reason in reasons), reasons


def test_a_job_above_all_quotas_waits_with_the_reason(cluster: Cluster) -> None:
    with queues(cluster, arguments(team("vision"))):
        large = job("vision", "large")
        large["spec"].update(parallelism=5, completions=5)
        cluster.create(large)
        reason = eventually("a reason", lambda: cluster.workloads("vision").get("large", {}).get("Pending"))
        assert "insufficient" in reason
        assert GPU in reason
        assert running(cluster, "vision") == {"vision": 0}


def test_a_team_borrows_what_the_other_does_not_use_until_it_is_reclaimed(cluster: Cluster) -> None:
    with queues(cluster, arguments(*map(team, TEAMS))):
        submit(cluster, "vision", 4)
        until_running(cluster, {"vision": 4})
        submit(cluster, "language", 2)
        until_running(cluster, {"vision": 2, "language": 2})
        evicted = [
            states["Evicted"] for states in cluster.workloads("vision").values() if "Evicted" in states
        ]
        assert len(evicted) == 2
        assert all("reclamation" in reason.lower() or "fair" in reason.lower() for reason in evicted), evicted


def test_a_borrowing_limit_limits_borrowing(cluster: Cluster) -> None:
    with queues(cluster, arguments(team("vision", borrow=8), team("language"))):
        submit(cluster, "vision", 4)
        until_running(cluster, {"vision": 3})


def test_quota_that_is_not_lent_stays_free(cluster: Cluster) -> None:
    with queues(cluster, arguments(team("vision"), team("language", lend=0))):
        submit(cluster, "vision", 4)
        until_running(cluster, {"vision": 2})


def test_shared_quota_is_divided_by_weight(cluster: Cluster) -> None:
    shared = {"name": "research", "quotas": [{"pool": "training", "accelerators": 32}]}
    values = arguments({**team("vision", gpus=0), "weight": 3}, team("language", gpus=0), cohorts=[shared])
    with queues(cluster, values):
        submit(cluster, "language", 4)
        until_running(cluster, {"language": 4})
        submit(cluster, "vision", 4)
        until_running(cluster, {"vision": 3, "language": 1})


def test_a_lowered_quota_stops_nothing_and_admits_nothing_more(cluster: Cluster) -> None:
    with queues(cluster, arguments(*map(team, TEAMS))):
        submit(cluster, "vision", 3)
        submit(cluster, "language", 2)
        until_running(cluster, {"vision": 2, "language": 2})
        (lowered,) = [
            item
            for item in manifests(arguments(team("vision", gpus=8), team("language")))
            if (item["kind"], item["metadata"]["name"]) == ("ClusterQueue", "vision")
        ]
        cluster.patch(lowered, {"spec": lowered["spec"]})
        time.sleep(SETTLED)
        assert running(cluster, *TEAMS) == {"vision": 2, "language": 2}
        (first, *_) = sorted(cluster.jobs("vision", "Running"))
        cluster.batch.delete_namespaced_job(first, "vision", propagation_policy="Background")
        until_running(cluster, {"vision": 1, "language": 2})


def test_training_of_the_highest_priority_does_not_evict_serving(cluster: Cluster) -> None:
    with queues(cluster, arguments(team("vision"))):
        cluster.create(deployment("vision", "model", labels=priority("serving")))
        eventually("the model runs", lambda: _pods_run(cluster, "vision", "model") or None)
        submit(cluster, "vision", 3, labels=priority("training-high"))
        until_running(cluster, {"vision": 1})
        assert _pods_run(cluster, "vision", "model")
        cluster.create(deployment("vision", "second", labels=priority("serving")))
        eventually("serving evicts training", lambda: _pods_run(cluster, "vision", "second") or None)
        until_running(cluster, {"vision": 0})


def test_every_kind_of_work_is_admitted_in_a_teams_namespace(cluster: Cluster) -> None:
    queue = {
        **team("vision"),
        "quotas": [{"pool": "training", "accelerators": 16}, {"pool": "general", "cpu": 8}],
    }
    machine = node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"])
    cluster.create(machine)
    try:
        with queues(cluster, arguments(queue, node_pools=[CPU_POOL])):
            step = pod("vision", "workflow-step", labels={"workflows.argoproj.io/workflow": "nightly"})
            notebook = {**deployment("vision", "notebook", gpus=0), "kind": "StatefulSet"}
            notebook["spec"]["serviceName"] = "notebook"
            unlabelled = job("vision", "prepare", gpus=0)
            del unlabelled["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]
            cluster.create(step, notebook, unlabelled, deployment("vision", "predictor"))
            expected = {"workflow-step", "notebook", "prepare", "predictor"}

            def all_run() -> bool | None:
                pods = cluster.core.list_namespaced_pod("vision").items
                run = {item.metadata.name for item in pods if item.status.phase in ("Running", "Succeeded")}
                return all(any(name.startswith(prefix) for name in run) for prefix in expected) or None

            eventually("a Pod of every kind runs", all_run)
            nodes = {
                item.metadata.name: item.spec.node_name
                for item in cluster.core.list_namespaced_pod("vision").items
            }
            for name, on in nodes.items():
                assert on.startswith("gpu-") == name.startswith("predictor"), (
                    "work without GPUs does not occupy nodes that have some"
                )
    finally:
        cluster.delete(machine)


def test_a_topology_places_the_pods_of_a_job_close_together(cluster: Cluster) -> None:
    with queues(cluster, arguments(team("vision", gpus=32), topologies={"training": "network"})):
        pair = job("vision", "pair")
        pair["spec"].update(parallelism=2, completions=2)
        annotations = pair["spec"]["template"]["metadata"]["annotations"]
        annotations["kueue.x-k8s.io/podset-required-topology"] = f"{LAYER}3"
        single = job("vision", "single")
        cluster.create(single)
        until_running(cluster, {"vision": 1})
        cluster.create(pair)
        until_running(cluster, {"vision": 2})
        pods = cluster.core.list_namespaced_pod("vision").items
        numbers = {
            int(item.spec.node_name.removeprefix("gpu-"))
            for item in pods
            if item.metadata.labels["batch.kubernetes.io/job-name"] == "pair"
        }
        assert len({number // 2 for number in numbers}) == 1, "both are below one node of the third layer"


def test_the_component_is_deployed_changed_and_destroyed_with_work_that_waits(cluster: Cluster) -> None:
    values: Any = arguments(*map(team, TEAMS), topologies={"training": "network"})
    namespaces = [cluster.team(name) for name in TEAMS]
    stack = cluster.stack("queues", lambda: Queues("queues", values))
    try:
        stack.up()
        stack.preview(expect_no_changes=True)
        stack.refresh(expect_no_changes=True)
        submit(cluster, "vision", 5)
        until_running(cluster, {"vision": 4})
        values["queues"][0]["stop_policy"] = "HoldAndDrain"
        stack.up()
        until_running(cluster, {"vision": 0})
    finally:
        stack.destroy()
        cluster.delete(*namespaces)
    assert not [entry for entry in _of_kueue(cluster) if not entry.startswith("Workload ")], (
        "work that waits keeps no queue"
    )


def pod(namespace: str, name: str, *, gpus: int = 0, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A Pod of one container with requests."""
    limits = {"cpu": "1", "memory": "1Gi", **({GPU: str(gpus)} if gpus else {})}
    container = {"name": "main", "image": "registry.example/work:1", "resources": {"limits": limits}}
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def deployment(
    namespace: str, name: str, *, gpus: int = 8, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """A Deployment of one Pod, as a predictor."""
    template = pod(namespace, name, gpus=gpus, labels={"app": name})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template["spec"]},
        },
    }


def _pods_run(cluster: Cluster, namespace: str, app: str) -> bool:
    pods = cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items
    return bool(pods) and all(item.status.phase == "Running" for item in pods)
