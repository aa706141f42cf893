"""The objects of the component Queues with the real Kueue: what runs, waits, is borrowed and is evicted."""

from __future__ import annotations

import time
from typing import Any

from aiplatform.queues import Queues
from tests.controllers.cluster import GPU, LAYER, Cluster, job
from tests.controllers.queue_objects import (
    SETTLED,
    arguments,
    manifests,
    of_kueue,
    priority,
    queues,
    running,
    submit,
    team,
    until_running,
)
from tests.controllers.team import POOL, TEAMS
from twin.tests.waiting import eventually


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
    assert not [entry for entry in of_kueue(cluster) if not entry.startswith("Workload ")], (
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
