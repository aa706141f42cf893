"""gcp-prod: it stands in three zones, cannot go by accident, and is retired in two steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from aiplatform import placement
from tests.end_to_end.harness import GUARDED, Twin, eventually, gpu_pod, phase

pytestmark = pytest.mark.end_to_end

PROJECT = "acme-ml-prod"
REGION = "us-central1"
CLUSTER = "acme-prod-cluster"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/acme-prod-training/train:1"
"""Of the project's own registry."""
NOW = ("up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Twin]:
    """gcp-prod, up."""
    twin = Twin("gcp-prod", home)
    twin.up(*GUARDED)
    yield twin
    twin.remove()


def _cluster(up: Twin) -> dict[str, Any]:
    clusters = up.google("container", "v1").projects().locations().clusters()
    return clusters.get(name=f"projects/{PROJECT}/locations/{REGION}/clusters/{CLUSTER}").execute()


def _pools(up: Twin, name: str) -> dict[str, dict[str, Any]]:
    """The node pools of a pool, by their kind of capacity."""
    return {
        pool["config"]["labels"]["ai-platform/capacity"]: pool
        for pool in _cluster(up)["nodePools"]
        if pool["config"]["labels"].get("ai-platform/pool") == name
    }


def test_prod_is_private_regional_and_runs_its_own_images_alone(up: Twin) -> None:
    cluster = _cluster(up)
    assert len(cluster["locations"]) == 3, "a zone may fall"
    assert cluster["releaseChannel"]["channel"] == "STABLE", "what reaches prod has run in staging before"
    assert cluster["binaryAuthorization"]["evaluationMode"] == "PROJECT_SINGLETON_POLICY_ENFORCE"
    endpoints = cluster["controlPlaneEndpointsConfig"]
    assert endpoints["dnsEndpointConfig"]["allowExternalTraffic"], "reached by its name, which IAM guards"
    assert not endpoints["ipEndpointsConfig"].get("enablePublicEndpoint"), "and by no public address"
    window = cluster["maintenancePolicy"]["window"]["recurringWindow"]
    assert window["recurrence"] == "FREQ=WEEKLY;BYDAY=SA,SU", "upgrades wait for the weekend"
    zones = {node.metadata.labels["topology.kubernetes.io/zone"] for node in up.core().list_node().items}
    assert len(zones) == 3


def test_only_images_that_the_policy_admits_run_the_platforms_own_among_them(up: Twin) -> None:
    core, pod = up.core(), gpu_pod("stranger")
    container = pod["spec"]["containers"][0]
    container["image"] = "docker.io/library/busybox:1.37"
    with pytest.raises(kubernetes.client.ApiException, match="denied by Binary Authorization") as refused:
        core.create_namespaced_pod("default", pod)
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
    }, "the program's own Pods are not refused"


def test_training_pools_have_their_kinds_of_capacity_and_gpudirect(up: Twin) -> None:
    assert _cluster(up)["networkConfig"]["enableMultiNetworking"], "the file's pools need it"
    pools = _pools(up, "training")
    assert set(pools) == {"spot", "flex_start"}
    for pool in pools.values():
        assert pool["config"]["machineType"] == "a3-highgpu-8g", "eight H100"
        assert len(pool["networkConfig"]["additionalNodeNetworkConfigs"]) == 4, "GPUDirect-TCPX"
        assert not pool.get("initialNodeCount"), "nobody pays for what nobody asks for"
    assert pools["flex_start"]["config"]["flexStart"], "nodes come when there are some"
    assert not pools["flex_start"]["management"].get("autoRepair"), "Google refuses repair with flex-start"


def test_the_class_of_a_pool_carries_the_order_of_its_capacity(up: Twin) -> None:
    api: Any = kubernetes.client.CustomObjectsApi(up.kubernetes())
    found = api.get_cluster_custom_object("cloud.google.com", "v1", "computeclasses", "training")
    names = [each["nodepools"] for each in found["spec"]["priorities"]]
    pools = _pools(up, "training")
    assert names == [[pools["spot"]["name"]], [pools["flex_start"]["name"]]], "spot stands first in the file"


def test_a_training_pod_runs_on_spot_nodes_that_were_not_there_before(up: Twin) -> None:
    core = up.core()
    there = placement.of(up.outputs()["foundation"]["gpu_pools"]["training"])
    pod = gpu_pod("training")
    pod["spec"]["containers"][0]["image"] = IMAGE
    pod["metadata"]["annotations"] = dict(there.annotations)
    core.create_namespaced_pod("default", {**pod, "spec": there.pod(pod["spec"])})
    eventually("the Pod with eight H100 runs", lambda: phase(core, "training") == "Running", 60)
    [node] = core.list_node(label_selector="ai-platform/pool=training").items
    assert node.status.allocatable["nvidia.com/gpu"] == "8"
    assert node.metadata.labels["cloud.google.com/gke-spot"] == "true"
    core.delete_namespaced_pod("training", "default", grace_period_seconds=0)


def test_nothing_changes_when_nothing_changed(up: Twin) -> None:
    up.cli("preview", up.environment, "--refresh", "--expect-no-changes")


def test_destroy_is_refused_while_it_is_protected(up: Twin) -> None:
    before = up.inventory()
    refused = up.cli("destroy", up.environment, check=False)
    assert refused.returncode != 0, "a protected environment does not go"
    assert "teardown: true" in refused.stdout + refused.stderr, "the message says how it would"
    engine = up.pulumi("destroy", "--yes", "--stack", up.environment, check=False)
    assert engine.returncode != 0, "the engine refuses too, in the preview that it makes first"
    assert _cluster(up)["status"] == "RUNNING"
    assert up.inventory() == before, "nothing was touched"


def test_it_is_retired_in_two_steps_and_leaves_nothing(up: Twin) -> None:
    # What guards prod is lifted, and the policies that demand it stop nothing then.
    up.changed(*NOW, *GUARDED, change={"environment/teardown": "with_data"})
    up.cli("destroy", up.environment)
    assert up.inventory() == {}
