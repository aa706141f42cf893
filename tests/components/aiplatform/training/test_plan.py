"""The runtimes that are planned: what Trainer and JobSet need, and what the pool's nodes have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from kubernetes.utils.quantity import parse_quantity

from aiplatform.accelerators.fabric import EFA, HUGE_PAGES, INTERFACES
from aiplatform.queues import amounts
from aiplatform.training import plan
from tests.components.aiplatform.training.example import (
    container,
    fabric_pool,
    gpu_pool,
    job_set,
    node_job,
    planned,
    pods,
    settings,
    tpu_pool,
    variables,
)

INITIALIZERS: dict[str, Any] = {"kinds": ["dataset", "model"], "storage_gib": 10, "timeout_minutes": 90}
TEMPLATES = ("torch-training", "jax-batch", "cpu", "downloads")
MORE: dict[str, Any] = {
    "runtimes": {
        "cpu": {"pool": "general", "processes_per_node": 2},
        "downloads": {"pool": "general", "initializers": INITIALIZERS},
    }
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_runtimes_have_the_names_and_labels_that_trainer_looks_for(name: str) -> None:
    manifest = planned(name, **MORE)
    assert manifest["metadata"]["labels"]["trainer.kubeflow.org/framework"] in ("torch", "jax")
    assert "trainer.kubeflow.org/webhook-validation" not in manifest["metadata"]["labels"]
    assert "podGroupPolicy" not in manifest["spec"], "Kueue starts all Pods or none"
    for job in job_set(manifest)["replicatedJobs"]:
        expected = "trainer" if job["name"] == "node" else job["name"]
        assert job["template"]["metadata"]["labels"] == {
            "trainer.kubeflow.org/trainjob-ancestor-step": expected
        }
        [first] = job["template"]["spec"]["template"]["spec"]["containers"]
        assert first["name"] == job["name"], "the container has the name of its job"
        assert "replicas" not in job, "Trainer accepts 1 alone, the default"


@pytest.mark.parametrize("name", TEMPLATES)
def test_pods_meet_the_level_restricted_and_have_a_writable_home(name: str) -> None:
    for job in job_set(planned(name, **MORE))["replicatedJobs"]:
        spec = job["template"]["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not any("hostPath" in volume for volume in spec["volumes"])
        [first] = spec["containers"]
        assert first["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        home = next(entry["value"] for entry in first["env"] if entry["name"] == "HOME")
        assert {"name": "home", "mountPath": home} in first["volumeMounts"]


def test_all_nodes_start_again_when_one_fails_and_losses_of_nodes_do_not_count() -> None:
    manifest = planned("mine", runtimes={"mine": {"pool": "training", "max_restarts": 3}})
    job = node_job(manifest)["spec"]
    policy = job_set(manifest)["failurePolicy"]
    assert job["backoffLimit"] == 0, "the JobSet restarts, not the Job"
    assert policy["maxRestarts"] == 3
    assert policy["restartStrategy"] == "BlockingRecreate"
    [rule] = policy["rules"]
    assert rule["action"] == "RestartJobSetAndIgnoreMaxRestarts"
    assert rule["onJobFailureReasons"] == ["PodFailurePolicy"]
    [of_pods] = job["podFailurePolicy"]["rules"]
    assert of_pods == {
        "action": "FailJob",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    assert pods(manifest)["spec"]["restartPolicy"] == "Never", "a podFailurePolicy needs it"


def test_pods_request_whole_nodes_of_their_pool() -> None:
    manifest = planned("torch-training")
    spec, resources = pods(manifest)["spec"], container(manifest)["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == "8"
    assert spec["nodeSelector"] == {"ai-platform/pool": "training"}
    assert [entry["key"] for entry in spec["tolerations"]] == ["nvidia.com/gpu"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert int(resources["requests"]["cpu"]) < 192
    assert manifest["spec"]["mlPolicy"] == {"numNodes": 1, "torch": {}}


def test_a_part_of_a_node_gets_the_same_part_of_cpu_and_memory() -> None:
    whole, half = (
        container(planned("mine", runtimes={"mine": {"pool": "training", "processes_per_node": number}}))
        for number in (8, 4)
    )
    assert half["resources"]["limits"]["nvidia.com/gpu"] == "4"
    assert int(half["resources"]["requests"]["cpu"]) == int(whole["resources"]["requests"]["cpu"]) // 2


def test_shared_memory_is_at_most_half_of_the_memory() -> None:
    def limit(**more: Any) -> str:
        volumes = pods(planned("mine", runtimes={"mine": {"pool": "training", **more}}))["spec"]["volumes"]
        return next(
            volume["emptyDir"]["sizeLimit"] for volume in volumes if volume["name"] == "shared-memory"
        )

    assert limit() == "64Gi"
    assert limit(memory_gib=16) == "8Gi"
    assert limit(memory_gib=3) == "1536Mi"


def test_a_pod_that_fills_the_disk_fails_before_the_disk_is_full() -> None:
    """An eviction for a limit is a failure. One for a full node is a disruption, which restarts without end:
    it begins with Pods that use more than they request."""
    for name in ("torch-training", "cpu", "downloads"):
        for job in job_set(planned(name, **MORE))["replicatedJobs"]:
            spec = job["template"]["spec"]["template"]["spec"]
            [first] = spec["containers"]
            limit = first["resources"]["limits"]["ephemeral-storage"]
            assert first["resources"]["requests"]["ephemeral-storage"] == limit
            for volume in spec["volumes"]:
                assert "emptyDir" not in volume or volume["emptyDir"].get("sizeLimit"), volume["name"]
            home = next(volume for volume in spec["volumes"] if volume["name"] == "home")
            assert home["emptyDir"] == {"sizeLimit": limit}, "where a TrainJob replaces the resources"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "16Gi"),
        ({"processes_per_node": 4}, "8Gi"),
        ({"processes_per_node": 1}, "4Gi"),
        ({"disk_gib": 200}, "200Gi"),
    ],
)
def test_a_pod_has_the_same_part_of_the_disk_as_of_the_node(more: dict[str, Any], expected: str) -> None:
    manifest = planned("mine", runtimes={"mine": {"pool": "training", **more}})
    assert container(manifest)["resources"]["limits"]["ephemeral-storage"] == expected


def test_efa_adds_devices_and_huge_pages_and_keeps_the_level() -> None:
    manifest = planned("torch-efa", gpu_pools=[fabric_pool("efa")])
    limits = container(manifest)["resources"]["limits"]
    assert limits[EFA] == "32"
    assert limits[HUGE_PAGES] == "5120Mi"
    assert variables(manifest)["NCCL_NET"] == "AWS Libfabric"
    assert pods(manifest)["spec"]["securityContext"]["runAsNonRoot"] is True
    assert "deep-learning-containers" in container(manifest)["image"], "with libfabric"


@pytest.mark.parametrize("kind", ["tcpx", "tcpxo", "rdma"])
def test_gpudirect_adds_networks_and_what_its_containers_need(kind: str) -> None:
    manifest = planned(f"torch-{kind}", "gcp", gpu_pools=[fabric_pool(kind)])
    template = pods(manifest)
    assert INTERFACES in template["metadata"]["annotations"]
    assert template["spec"]["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsUser": 0,
        "runAsGroup": 0,
    }, "its sockets and devices are root's, and the image may name another user"
    names = [entry["name"] for entry in template["spec"]["initContainers"]]
    assert names == (["fabric-wait"] if kind == "rdma" else ["fabric-wait", f"{kind}-daemon"])
    sidecars = [entry for entry in template["spec"]["initContainers"] if entry["name"].endswith("daemon")]
    assert all(entry["restartPolicy"] == "Always" for entry in sidecars), (
        "it would keep the Job from completing"
    )


def test_rdma_sets_nccls_variables_although_a_train_job_replaces_the_command() -> None:
    manifest = planned("torch-rdma", "gcp", gpu_pools=[fabric_pool("rdma")])
    assert "command" not in container(manifest)
    assert variables(manifest)["BASH_ENV"] == "/usr/local/gib/scripts/set_nccl_env.sh"


@pytest.mark.parametrize("kind", ["efa", "tcpxo"])
@pytest.mark.parametrize("more", [{"interconnect": "none"}, {"processes_per_node": 4}], ids=["none", "part"])
def test_without_its_interconnect_a_runtime_is_an_ordinary_one(kind: str, more: dict[str, Any]) -> None:
    entry = {"pool": kind, **more}
    manifest = planned("mine", gpu_pools=[fabric_pool(kind)], runtimes={"mine": entry})
    spec = pods(manifest)["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert "initContainers" not in spec
    assert EFA not in container(manifest)["resources"]["limits"]
    assert INTERFACES not in pods(manifest)["metadata"]["annotations"]


def test_a_tpu_runtime_uses_all_nodes_of_one_slice() -> None:
    manifest = planned("jax-batch", "gcp")
    assert manifest["spec"]["mlPolicy"] == {"numNodes": 4, "jax": {}}
    assert container(manifest)["resources"]["limits"]["google.com/tpu"] == "4"
    assert node_job(manifest)["metadata"]["annotations"] == {
        "alpha.jobset.sigs.k8s.io/exclusive-topology": "cloud.google.com/gke-nodepool"
    }
    assert variables(manifest)["JAX_PLATFORMS"] == "tpu,cpu"
    single = planned("jax-batch", "gcp", gpu_pools=[tpu_pool(topology="2x2")])
    assert single["spec"]["mlPolicy"]["numNodes"] == 1
    assert "annotations" not in node_job(single)["metadata"], "a node is a slice"


@pytest.mark.parametrize(
    ("kind", "level"),
    [("network", "topology.k8s.aws/network-node-layer-3"), ("host", "kubernetes.io/hostname"), (None, None)],
)
def test_pods_are_placed_close_together_where_the_pool_has_a_topology(
    kind: str | None, level: str | None
) -> None:
    manifest = planned("torch-training", topologies={"training": kind} if kind else {})
    assert pods(manifest)["metadata"]["annotations"].get("kueue.x-k8s.io/podset-preferred-topology") == level


def test_autoscalers_do_not_move_pods() -> None:
    annotations = pods(planned("torch-training"))["metadata"]["annotations"]
    assert annotations["karpenter.sh/do-not-disrupt"] == "true"
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    on_google = pods(planned("torch-training", "gcp"))["metadata"]["annotations"]
    assert "karpenter.sh/do-not-disrupt" not in on_google


def test_nodes_without_accelerators_request_a_cpu_for_each_process() -> None:
    manifest = planned("cpu", **MORE)
    assert container(manifest)["resources"]["requests"]["cpu"] == "2"
    assert set(container(manifest)["resources"]["limits"]) == {"memory", "cpu", "ephemeral-storage"}, (
        "the Kubeflow SDK looks for a device or CPU"
    )


def test_initializers_end_before_kueue_would_evict_and_nodes_wait_for_them() -> None:
    spec = job_set(planned("downloads", **MORE))
    dataset, model, node = spec["replicatedJobs"]
    assert node["dependsOn"] == [
        {"name": "dataset-initializer", "status": "Complete"},
        {"name": "model-initializer", "status": "Complete"},
    ]
    for job in (dataset, model):
        assert job["template"]["spec"]["activeDeadlineSeconds"] == 90 * 60
        [first] = job["template"]["spec"]["template"]["spec"]["containers"]
        assert {"name": "initializer", "mountPath": "/workspace"} in first["volumeMounts"]
    [policy] = spec["volumeClaimPolicies"]
    assert policy["retentionPolicy"] == {"whenDeleted": "Delete"}, (
        "JobSet adds it at the creation alone, and refuses the change by which Trainer resumes a TrainJob"
    )
    [template] = policy["templates"]
    assert template["metadata"]["name"] == "initializer"
    rules = {rule["name"]: rule["action"] for rule in spec["failurePolicy"]["rules"]}
    assert rules["download"] == "FailJobSet", "the next download would take as long"


@pytest.mark.parametrize("kinds", [["dataset"], ["model"], ["model", "dataset"]])
def test_rules_of_failures_name_jobs_that_are_there(kinds: list[str]) -> None:
    """JobSet's webhook refuses others: no TrainJob with a single initializer would start."""
    spec = job_set(planned("mine", runtimes=downloads(kinds=kinds)))
    rules = {rule["name"]: rule["targetReplicatedJobs"] for rule in spec["failurePolicy"]["rules"]}
    names = [job["name"] for job in spec["replicatedJobs"]]
    assert rules == {"download": names[:-1], "disruption": names[-1:]}


def initializer(kind: str = "model", cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """The template of Pods of an initializer."""
    manifest = planned("mine", cloud, **more)
    [job] = [job for job in job_set(manifest)["replicatedJobs"] if job["name"] == f"{kind}-initializer"]
    return job["template"]["spec"]["template"]


def downloads(**more: Any) -> dict[str, Any]:
    return {"mine": {"pool": "training", "initializers": {**INITIALIZERS, **more}}}


def test_a_volume_of_one_node_is_created_in_a_zone_of_the_pool() -> None:
    template = initializer(runtimes=downloads())
    assert template["spec"]["nodeSelector"] == {"ai-platform/pool": "training"}, (
        "the first Pod that mounts it decides its zone, and CPU nodes are in others"
    )
    assert [entry["key"] for entry in template["spec"]["tolerations"]] == ["nvidia.com/gpu"]
    [first] = template["spec"]["containers"]
    assert set(first["resources"]["limits"]) == {"memory", "ephemeral-storage"}, "it uses no accelerator"
    assert template["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    shared = initializer(runtimes=downloads(shared=True, storage_class="efs"))
    assert "nodeSelector" not in shared["spec"], "several nodes mount it, wherever it is"


@pytest.mark.parametrize(("topologies", "expected"), [({"training": "host"}, "true"), ({}, None)])
def test_initializers_fit_flavors_with_a_topology(topologies: dict[str, str], expected: str | None) -> None:
    template = initializer(runtimes=downloads(), topologies=topologies)
    assert template["metadata"]["annotations"].get("kueue.x-k8s.io/podset-unconstrained-topology") == expected


def test_initializers_and_the_node_fit_a_small_node_together() -> None:
    small = gpu_pool(vcpus_per_node=4, memory_gib_per_node=16.0, resources_per_node=1)
    manifest = planned("mine", gpu_pools=[small], runtimes=downloads())
    requests = [
        job["template"]["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        for job in job_set(manifest)["replicatedJobs"]
    ]
    cpu, memory = (sum(parse_quantity(request[key]) for request in requests) for key in ("cpu", "memory"))
    assert cpu <= Decimal(amounts.usable_cpu(4)) / amounts.MILLI, "Kueue counts them at once"
    assert memory <= amounts.usable_memory(16.0) * 1024**2


def test_initializers_have_the_identity_and_the_configuration_of_the_team() -> None:
    template = initializer(runtimes=downloads(), service_account="workloads")
    assert template["spec"]["serviceAccountName"] == "workloads", "it may read the team's buckets"
    [first] = template["spec"]["containers"]
    assert first["envFrom"] == [{"configMapRef": {"name": "platform", "optional": True}}]


def test_images_come_from_mirrors_with_their_digests() -> None:
    manifest = plan.runtimes(settings(), {"docker.io": "registry.acme.com/hub"})["torch-training"]
    assert container(manifest)["image"].startswith("registry.acme.com/hub/pytorch/pytorch:")
    assert "@sha256:" in container(manifest)["image"]


def test_the_configuration_and_the_identity_of_the_namespace_reach_the_nodes() -> None:
    manifest = planned("torch-training", service_account="workloads")
    assert container(manifest)["envFrom"] == [
        {"configMapRef": {"name": "platform", "optional": True}},
        {"secretRef": {"name": "mlflow", "optional": True}},
    ]
    assert {"name": "files", "mountPath": "/etc/platform", "readOnly": True} in container(manifest)[
        "volumeMounts"
    ]
    assert pods(manifest)["spec"]["serviceAccountName"] == "workloads"
    assert "serviceAccountName" not in pods(planned("torch-training"))["spec"]


def test_long_names_of_pools_give_valid_names_of_runtimes() -> None:
    names = settings(gpu_pools=[gpu_pool(name="p" * 63)]).defaults
    assert all(len(name) <= 63 for name in names)
