"""Queued capacity: a workload waits until the autoscaler has provisioned its nodes. The tests do the
autoscaler's part: the status of the ProvisioningRequest, and the nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tests.controllers.cluster import GPU, Cluster, job, node
from tests.controllers.queue_objects import SETTLED, arguments, queues, team
from tests.controllers.team import POOL
from twin.tests.waiting import eventually

REQUESTS: Final = ("autoscaling.x-k8s.io/v1", "ProvisioningRequest")
SELECTOR: Final = {"cloud.google.com/gke-nodepool": "queued"}
QUEUED_POOL: Final[dict[str, Any]] = {
    **POOL,
    "name": "queued",
    "capacity_types": ["queued"],
    "node_selector": SELECTOR,
    "taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}],
    "topology_labels": [],
    "min_nodes": 0,
    "max_nodes": 2,
}
TAINTS: Final = (
    *QUEUED_POOL["taints"],
    {"key": "cloud.google.com/gke-queued", "value": "true", "effect": "NoSchedule"},
)


@pytest.fixture(scope="module")
def queued(cluster: Cluster) -> Iterator[Cluster]:
    """A queue of a team with the quota of a pool that is grown by ProvisioningRequests only."""
    entry = {**team("vision"), "quotas": [{"pool": "queued", "accelerators": 16}]}
    with queues(cluster, arguments(entry, gpu_pools=[QUEUED_POOL])):
        yield cluster


def request_of(cluster: Cluster, workload: str) -> dict[str, Any]:
    """Return the ProvisioningRequest of the job, once Kueue has created it."""

    def request() -> dict[str, Any] | None:
        items = cluster.list(*REQUESTS, "vision")
        return next((item for item in items if f"job-{workload}-" in item["metadata"]["name"]), None)

    return eventually(f"request of {workload}", request)


def set_condition(cluster: Cluster, request: dict[str, Any], kind: str, reason: str) -> None:
    """Set a condition of the request, as the autoscaler does."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": kind, "status": "True", "reason": reason, "message": reason}
    name = request["metadata"]["name"]
    current = cluster.get({**request, "apiVersion": REQUESTS[0], "kind": REQUESTS[1]})
    conditions = (current.get("status") or {}).get("conditions") or []
    cluster.custom.patch_namespaced_custom_object_status(
        *("autoscaling.x-k8s.io", "v1", "vision", "provisioningrequests", name),
        {"status": {"conditions": [*conditions, {**condition, "lastTransitionTime": now}]}},
    )


def suspended(cluster: Cluster, name: str) -> bool:
    """Return whether a Job is suspended."""
    return cluster.batch.read_namespaced_job(name, "vision").spec.suspend


def test_a_job_waits_for_its_nodes_and_its_pods_use_the_request(queued: Cluster) -> None:
    pair = job("vision", "pair")
    pair["metadata"]["annotations"] = {"provreq.kueue.x-k8s.io/maxRunDurationSeconds": "3600"}
    pair["spec"].update(parallelism=2, completions=2)
    queued.create(pair)
    request = request_of(queued, "pair")
    assert request["spec"]["provisioningClassName"] == "queued-provisioning.gke.io"
    assert request["spec"]["parameters"]["maxRunDurationSeconds"] == "3600"
    (pod_set,) = request["spec"]["podSets"]
    assert pod_set["count"] == 2, "all Pods of the job at once"
    template = queued.core.read_namespaced_pod_template(pod_set["podTemplateRef"]["name"], "vision")
    pod = template.template.spec
    assert SELECTOR.items() <= pod.node_selector.items(), "the autoscaler grows the pool that it names"
    assert {"cloud.google.com/gke-queued", GPU} <= {entry.key for entry in pod.tolerations}
    set_condition(queued, request, "Accepted", "Accepted")
    time.sleep(SETTLED)
    assert suspended(queued, "pair"), "capacity that is searched for is not there yet"
    assert queued.core.list_namespaced_pod("vision").items == []
    machines = [
        node(f"queued-{number}", cpu=192, gpus=8, labels=SELECTOR, taints=TAINTS) for number in (0, 1)
    ]
    queued.create(*machines)
    try:
        set_condition(queued, request, "Provisioned", "CapacityIsFound")
        eventually("the job runs", lambda: "pair" in queued.jobs("vision", "Running"))
        eventually("both Pods run", lambda: _nodes(queued) == {"queued-0", "queued-1"})
        for item in queued.core.list_namespaced_pod("vision").items:
            annotations = item.metadata.annotations
            name = request["metadata"]["name"]
            assert annotations["autoscaling.x-k8s.io/consume-provisioning-request"] == name
            assert annotations["autoscaling.x-k8s.io/provisioning-class-name"] == "queued-provisioning.gke.io"
        assert "Admitted" in queued.workloads("vision")["pair"]
    finally:
        queued.delete(pair, *machines)
        eventually("its end", lambda: queued.workloads("vision") == {})


def _nodes(cluster: Cluster) -> set[str]:
    pods = cluster.core.list_namespaced_pod("vision").items
    return {pod.spec.node_name for pod in pods if pod.status.phase == "Running"}


def test_a_job_whose_request_fails_does_not_start_and_waits_for_another_attempt(queued: Cluster) -> None:
    unlucky = job("vision", "unlucky", gpus=16)
    queued.create(unlucky)
    set_condition(queued, request_of(queued, "unlucky"), "Failed", "OutOfResources")

    def check() -> dict[str, Any] | None:
        (workload,) = queued.list("kueue.x-k8s.io/v1beta2", "Workload", "vision")
        (entry,) = workload["status"]["admissionChecks"]
        return entry if entry["state"] == "Retry" else None

    entry = eventually("another attempt", check)
    assert "OutOfResources" in entry["message"]
    assert entry["requeueAfterSeconds"] == 60
    time.sleep(SETTLED)
    assert suspended(queued, "unlucky")
    of_job = "batch.kubernetes.io/job-name=unlucky"
    assert queued.core.list_namespaced_pod("vision", label_selector=of_job).items == []
    assert "QuotaReserved" in queued.workloads("vision")["unlucky"], "its quota is not free until then"
    queued.delete(unlucky)
    eventually("its end", lambda: queued.workloads("vision") == {})
