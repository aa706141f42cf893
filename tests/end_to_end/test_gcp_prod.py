"""gcp-prod: three zones, protection against deletion, and retirement in two steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from aiplatform import placement
from tests.end_to_end.harness import GUARDED, Twin, gpu_pod, phase
from tests.end_to_end.policy_report import assert_no_violation
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

PROJECT = "acme-ml-prod"
REGION = "us-central1"
CLUSTER = "acme-prod-cluster"
DIGEST = f"@sha256:{'0' * 64}"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/acme-prod-training/train:1{DIGEST}"
"""An image of the project's registry."""
GPUDIRECT = {"training-nccl-tcpx-installer", "training-device-injector"}
NOW = ("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def prod(home: Path) -> Iterator[Twin]:
    """The twin of gcp-prod, before its first `up`."""
    twin = Twin("gcp-prod", home, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def up(prod: Twin) -> Twin:
    """The twin of gcp-prod, deployed."""
    prod.up(*GUARDED)
    return prod


def _cluster(up: Twin) -> dict[str, Any]:
    clusters = up.google("container", "v1").projects().locations().clusters()
    return clusters.get(name=f"projects/{PROJECT}/locations/{REGION}/clusters/{CLUSTER}").execute()


def _pools(up: Twin, name: str) -> dict[str, dict[str, Any]]:
    """Return the node pools of a pool, by their capacity."""
    return {
        pool["config"]["labels"]["ai-platform/capacity"]: pool
        for pool in _cluster(up)["nodePools"]
        if pool["config"]["labels"].get("ai-platform/pool") == name
    }


@pytest.mark.nightly
def test_environment_has_no_violation_before_it_exists(prod: Twin, tmp_path: Path) -> None:
    assert_no_violation(prod, tmp_path)


def test_prod_is_private_regional_and_enforces_binary_authorization(up: Twin) -> None:
    cluster = _cluster(up)
    assert len(cluster["locations"]) == 3, "it survives the loss of a zone"
    assert cluster["releaseChannel"]["channel"] == "STABLE", (
        "a version runs in staging before it is used in prod"
    )
    assert cluster["binaryAuthorization"]["evaluationMode"] == "PROJECT_SINGLETON_POLICY_ENFORCE"
    endpoints = cluster["controlPlaneEndpointsConfig"]
    assert endpoints["dnsEndpointConfig"]["allowExternalTraffic"], "the DNS endpoint, which IAM protects"
    assert not endpoints["ipEndpointsConfig"].get("enablePublicEndpoint"), "no public address"
    window = cluster["maintenancePolicy"]["window"]["recurringWindow"]
    assert window["recurrence"] == "FREQ=WEEKLY;BYDAY=SA,SU", "upgrades run on weekends"
    zones = {node.metadata.labels["topology.kubernetes.io/zone"] for node in up.core().list_node().items}
    assert len(zones) == 3


def test_binary_authorization_denies_foreign_images_and_admits_the_platforms(up: Twin) -> None:
    core, pod = up.core(), gpu_pod("stranger")
    container = pod["spec"]["containers"][0]
    # Accelerators would need a queue, too.
    container["resources"] = {"limits": {"cpu": "1", "memory": "1Gi"}}
    container["image"] = "docker.io/library/busybox:1.37"
    # Both refuse it, and the API server reports the one that it evaluated first.
    refusals = "ai-platform: image: (its registry|no digest)|denied by Binary Authorization"
    with pytest.raises(kubernetes.client.ApiException, match=refusals):
        core.create_namespaced_pod("default", pod)
    container["image"] += DIGEST
    with pytest.raises(kubernetes.client.ApiException, match="denied by Binary Authorization") as refused:
        # The guardrails evaluate no Pods here.
        core.create_namespaced_pod("kube-system", pod)
    assert refused.value.status == 403
    container["image"] = IMAGE
    core.create_namespaced_pod("default", pod, dry_run="All")
    images = {
        container.image
        for namespace in ("feature-store", "model-registry")
        for pod in core.list_namespaced_pod(namespace).items
        for container in pod.spec.containers
        if pod.status.phase == "Running"
    }
    assert {image.partition(":")[0] for image in images} >= {
        "quay.io/feastdev/feature-server",
        "ghcr.io/mlflow/mlflow",
    }, "the platform's Pods are admitted"


def test_training_pools_have_their_capacity_and_gpudirect(up: Twin) -> None:
    assert _cluster(up)["networkConfig"]["enableMultiNetworking"], "GPUDirect needs it"
    pools = _pools(up, "training")
    assert set(pools) == {"spot", "flex_start"}
    for pool in pools.values():
        assert pool["config"]["machineType"] == "a3-highgpu-8g", "eight H100"
        assert len(pool["networkConfig"]["additionalNodeNetworkConfigs"]) == 4, "GPUDirect-TCPX"
        assert not pool.get("initialNodeCount"), "no node before a Pod requests one"
    assert pools["flex_start"]["config"]["flexStart"], "nodes are created when capacity is available"
    assert not pools["flex_start"]["management"].get("autoRepair"), "Google refuses repair with flex-start"


def test_compute_class_of_a_pool_has_the_order_of_its_capacity(up: Twin) -> None:
    api: Any = kubernetes.client.CustomObjectsApi(up.kubernetes())
    compute_class = api.get_cluster_custom_object("cloud.google.com", "v1", "computeclasses", "training")
    names = [priority["nodepools"] for priority in compute_class["spec"]["priorities"]]
    pools = _pools(up, "training")
    assert names == [[pools["spot"]["name"]], [pools["flex_start"]["name"]]], (
        "spot is the first capacity in the file"
    )


def test_a_training_pod_runs_on_new_spot_nodes(up: Twin) -> None:
    core = up.core()
    there = placement.of(up.outputs()["foundation"]["gpu_pools"]["training"])
    pod = gpu_pod("training")
    pod["spec"]["containers"][0]["image"] = IMAGE
    pod["metadata"]["annotations"] = dict(there.annotations)
    # The guardrails evaluate no Pods there: elsewhere accelerators need a queue of a team.
    space = "kube-system"
    core.create_namespaced_pod(space, {**pod, "spec": there.pod(pod["spec"])})
    eventually("the Pod with eight H100 runs", lambda: phase(core, "training", space) == "Running", 60)
    [node] = core.list_node(label_selector="ai-platform/pool=training").items
    assert node.status.allocatable["nvidia.com/gpu"] == "8"
    assert node.metadata.labels["cloud.google.com/gke-spot"] == "true"
    eventually("GPUDirect's software on the node", lambda: _daemons(core, node) >= GPUDIRECT)
    core.delete_namespaced_pod("training", space, grace_period_seconds=0)


def _daemons(core: Any, node: Any) -> set[str]:
    """Return the DaemonSets of kube-system with a Pod that runs on a node."""
    on_node = f"spec.nodeName={node.metadata.name},status.phase=Running"
    pods = core.list_namespaced_pod("kube-system", field_selector=on_node).items
    return {owner.name for pod in pods for owner in pod.metadata.owner_references or ()}


def test_destroy_is_refused_while_it_is_protected(up: Twin) -> None:
    before = _without_instances(up.inventory())
    refused = up.cli("destroy", up.environment, check=False)
    assert refused.returncode != 0, "a protected environment is not destroyed"
    assert "teardown: true" in refused.stdout + refused.stderr, "the message names the setting that allows it"
    engine = up.pulumi("destroy", "--yes", "--stack", up.environment, check=False)
    assert engine.returncode != 0, "the engine refuses, too, in its preview"
    assert _cluster(up)["status"] == "RUNNING"
    assert _without_instances(up.inventory()) == before, "nothing was changed"


def _without_instances(inventory: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the program created: GKE adds and removes nodes by itself."""
    return {kind: names for kind, names in inventory.items() if kind != "compute.instances"}


def test_it_is_retired_in_two_steps_and_leaves_nothing(up: Twin) -> None:
    # The protection of prod is removed; the policies that require it are exempt during a teardown.
    up.changed(*NOW, *GUARDED, change={"environment/teardown": "with_data"})
    up.cli("destroy", up.environment)
    assert up.inventory() == {}
