"""The component Training with the real Trainer, JobSet and Kueue: what becomes of a TrainJob of its
runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
from kubernetes import client
from pulumi import ResourceOptions

from aiplatform._shared.kubernetes.pod_fabric import SHARED_MEMORY
from aiplatform.queues import Queues
from aiplatform.training import Training, plan
from tests.controllers.cluster import GPU, LAYER, Addons, Cluster, node
from tests.controllers.team import CPU_POOL, POOL
from twin.kubernetes import kwok
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

TEAM: Final = "vision"
EFA: Final = "vpc.amazonaws.com/efa"
RUNTIMES: Final[dict[str, Any]] = {
    "torch-cpu": {"pool": "general", "memory_gib": 1},
    "torch-pair": {"pool": "training", "nodes": 2, "interconnect": "required", "max_restarts": 1},
    "torch-data": {
        "pool": "general",
        "memory_gib": 1,
        "initializers": {"kinds": ["dataset"], "storage_gib": 1, "timeout_minutes": 1},
    },
}
FABRIC: Final[dict[str, Any]] = {
    "fabric": "efa",
    "limits": {EFA: "4", "hugepages-2Mi": "64Mi"},
    "environment": {"FI_PROVIDER": "efa"},
}


def program(base_cluster: str) -> None:
    """Register the add-ons, queues and training."""
    addons = Addons()
    after = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
        lambda known: [resource for resources in known for resource in resources]
    )
    ready = ResourceOptions(depends_on=after)
    quotas: Any = [{"pool": "training", "accelerators": 32}, {"pool": "general", "cpu": 6}]
    local: Any = [{"namespace": TEAM}]
    pools: Any = {"gpu_pools": [POOL], "node_pools": [CPU_POOL]}
    topologies: Any = {"training": "network"}
    entries: Any = [{"name": TEAM, "quotas": quotas, "local_queues": local}]
    of_queues: Any = {**pools, "queues": entries, "topologies": topologies}
    Queues("queues", of_queues, ready)
    keys = ("name", "node_selector", "taints", "vcpus_per_node", "memory_gib_per_node")
    gpu_pool = {**{key: POOL[key] for key in (*keys, "resource", "resources_per_node", "topology_labels")}}
    arguments: Any = {
        "cluster": {"name": base_cluster, "security_group_id": "sg-1"},
        "gpu_pools": [{**gpu_pool, "efa_interfaces": 4, "pod_requirements": FABRIC}],
        "node_pools": [{key: CPU_POOL[key] for key in keys}],
        "runtimes": RUNTIMES,
        "topologies": topologies,
        "charts": str(ensure_charts()),
    }
    Training("training", arguments, ready)


@pytest.fixture(scope="module")
def trainer(home: Path) -> Iterator[Cluster]:
    """A cluster with four nodes of 8 GPUs, one without, and training."""
    cluster = Cluster(home, "trainer", "kueue,jobset,trainer")
    try:
        cluster.add_nodes()
        cluster.create(node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"]))
        for number in range(4):
            more = {
                "capacity": {EFA: "4", "hugepages-2Mi": "1Gi"},
                "allocatable": {EFA: "4", "hugepages-2Mi": "1Gi"},
            }
            cluster.core.patch_node_status(f"gpu-{number}", {"status": more})
        cluster.team(TEAM)
        cluster.stack("training", lambda: program(cluster.base.cluster)).up()
        # Kueue ran before there were TrainJobs, and looks for their kind every two minutes at the latest.
        eventually("queues for TrainJobs", lambda: _accepted(cluster), 200)
        yield cluster
    finally:
        cluster.remove()


def _accepted(cluster: Cluster) -> bool:
    """Return whether Kueue accepts TrainJobs."""
    probe = train_job("probe", "torch-cpu")
    if "unsupported runtime" in cluster.refusal(probe):
        return False
    cluster.delete(probe)
    return True


def train_job(name: str, runtime: str, *, seconds: int = 600, **trainer_spec: Any) -> dict[str, Any]:
    """Return a TrainJob. seconds: how long its Pods run."""
    patch = {"metadata": {"annotations": {kwok.RUN_FOR: f"{seconds}s"}}}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "namespace": TEAM, "labels": {"kueue.x-k8s.io/queue-name": "default"}},
        "spec": {
            "runtimeRef": {"name": runtime},
            "trainer": trainer_spec,
            "runtimePatches": [
                {
                    "manager": "tests.ai-platform/run-for",
                    "trainingRuntimeSpec": {
                        "template": {
                            "spec": {
                                "replicatedJobs": [
                                    {"name": "node", "template": {"spec": {"template": patch}}}
                                ]
                            }
                        }
                    },
                }
            ],
        },
    }


def pods(cluster: Cluster, name: str, phase: str = "Running") -> list[Any]:
    """Return the Pods of a TrainJob in a phase, by rank."""
    items = cluster.core.list_namespaced_pod(
        TEAM, label_selector=f"jobset.sigs.k8s.io/jobset-name={name}"
    ).items
    index = "batch.kubernetes.io/job-completion-index"
    chosen = [item for item in items if item.status.phase == phase and not item.metadata.deletion_timestamp]
    return sorted(chosen, key=lambda item: item.metadata.annotations.get(index, ""))


def conditions(cluster: Cluster, item: Any) -> dict[str, str]:
    """Return the conditions of an object that are true, with their reasons."""
    status = cluster.get(item).get("status") or {}
    return {
        entry["type"]: entry["reason"]
        for entry in status.get("conditions") or ()
        if entry["status"] == "True"
    }


def restarts(cluster: Cluster, name: str) -> tuple[int, int]:
    """Return the restarts of a TrainJob's JobSet, and those that count."""
    item = {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": TEAM},
    }
    status = cluster.get(item).get("status") or {}
    return status.get("restarts") or 0, status.get("restartsCountTowardsMax") or 0


def test_each_pool_has_a_runtime_that_trainer_accepts(trainer: Cluster) -> None:
    runtimes = trainer.list("trainer.kubeflow.org/v1alpha1", "ClusterTrainingRuntime")
    names = {item["metadata"]["name"] for item in runtimes}
    assert names == {"torch-training", *RUNTIMES}
    assert all(item["metadata"]["labels"]["trainer.kubeflow.org/framework"] == "torch" for item in runtimes)


def test_nodes_of_a_train_job_get_whole_machines_close_together_and_their_variables(trainer: Cluster) -> None:
    job = train_job("pair", "torch-pair", seconds=8)
    trainer.create(job)
    both = eventually("two Pods", lambda: _exactly(pods(trainer, "pair"), 2), 90)
    nodes = [trainer.core.read_node(pod.spec.node_name) for pod in both]
    assert len({item.metadata.labels[f"{LAYER}3"] for item in nodes}) == 1, "in one place of the network"
    for pod in both:
        container = pod.spec.containers[0]
        assert container.resources.limits[GPU] == "8"
        assert container.resources.limits[EFA] == "4"
        variables = {entry.name: entry.value for entry in container.env}
        assert variables["PET_NNODES"] == "2"
        assert variables["PET_NPROC_PER_NODE"] == "auto", "torchrun takes the number of GPUs"
        assert variables["PET_MASTER_ADDR"] == "pair-node-0-0.pair"
        assert variables["FI_PROVIDER"] == "efa"
        assert variables["HOME"] == plan.HOME
        assert {mount.mount_path for mount in container.volume_mounts} >= {SHARED_MEMORY, plan.HOME}
    eventually("completion", lambda: "Complete" in conditions(trainer, job), 90)
    trainer.delete(job)


def test_a_failed_process_restarts_all_nodes_until_there_are_no_restarts_left(trainer: Cluster) -> None:
    job = train_job("failing", "torch-pair")
    trainer.create(job)
    first = eventually("two Pods", lambda: _exactly(pods(trainer, "failing"), 2), 90)
    _fail(trainer, first[1])
    before = {pod.metadata.uid for pod in first}
    second = eventually(
        "new Pods",
        lambda: _exactly([pod for pod in pods(trainer, "failing") if pod.metadata.uid not in before], 2),
        90,
    )
    assert restarts(trainer, "failing") == (1, 1)
    _fail(trainer, second[0])
    eventually("failure", lambda: "Failed" in conditions(trainer, job), 90)
    trainer.delete(job)


def test_a_pod_that_is_lost_with_its_node_does_not_count_as_a_failure(trainer: Cluster) -> None:
    job = train_job("evicted", "torch-pair")
    trainer.create(job)
    known: set[str] = set()
    for number in (1, 2):
        current = eventually(
            "Pods of this start",
            lambda known=known: _exactly(
                [pod for pod in pods(trainer, "evicted") if pod.metadata.uid not in known], 2
            ),
            90,
        )
        known = {pod.metadata.uid for pod in current}
        metadata = client.V1ObjectMeta(name=current[0].metadata.name, namespace=TEAM)
        trainer.core.create_namespaced_pod_eviction(
            current[0].metadata.name, TEAM, client.V1Eviction(metadata=metadata)
        )
        eventually("a restart", lambda number=number: restarts(trainer, "evicted") == (number, 0), 90)
    assert "Failed" not in conditions(trainer, job), "more restarts than max_restarts"
    trainer.delete(job)


def test_a_pod_that_is_evicted_for_its_use_of_the_disk_counts_as_a_failure(trainer: Cluster) -> None:
    job = train_job("full", "torch-pair")
    trainer.create(job)
    known: set[str] = set()
    for number in (0, 1):
        current = eventually(
            "Pods of this start",
            lambda known=known: _exactly(
                [pod for pod in pods(trainer, "full") if pod.metadata.uid not in known], 2
            ),
            90,
        )
        assert restarts(trainer, "full") == (number, number)
        known = {pod.metadata.uid for pod in current}
        # As the kubelet evicts for a limit: without a condition (eviction_manager.go, localStorageEviction).
        message = "Pod ephemeral local storage usage exceeds the total limit of containers 16Gi. "
        status = {"phase": "Failed", "reason": "Evicted", "message": message}
        trainer.core.patch_namespaced_pod_status(current[0].metadata.name, TEAM, {"status": status})
    eventually("failure", lambda: "Failed" in conditions(trainer, job), 90)
    trainer.delete(job)


def test_nodes_without_accelerators_start_a_process_for_each_cpu_that_they_request(trainer: Cluster) -> None:
    job = train_job("small", "torch-cpu", numNodes=2)
    trainer.create(job)
    both = eventually("two Pods", lambda: _exactly(pods(trainer, "small"), 2), 90)
    variables = {entry.name: entry.value for entry in both[0].spec.containers[0].env}
    assert variables["PET_NPROC_PER_NODE"] == "1"
    assert both[0].spec.security_context.run_as_non_root is True
    trainer.delete(job)


def test_a_train_job_of_an_unknown_runtime_is_refused(trainer: Cluster) -> None:
    assert "not found" in trainer.refusal(train_job("none", "torch-none")).lower()


def _exactly(items: list[Any], number: int) -> list[Any] | None:
    return items if len(items) == number else None


def _fail(cluster: Cluster, pod: Any) -> None:
    """Let the process of a Pod end as by kill -9."""
    state = {"terminated": {"exitCode": 137, "reason": "Error"}}
    status = {"name": "node", "state": state, "ready": False, "restartCount": 0, "image": "x", "imageID": "x"}
    cluster.core.patch_namespaced_pod_status(
        pod.metadata.name, TEAM, {"status": {"phase": "Failed", "containerStatuses": [status]}}
    )
