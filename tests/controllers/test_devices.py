"""Claims of GPUs (dynamic resource allocation) in a quota: NVIDIA's driver and the real Kueue, as an `up` of
the component Addons installs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_aws as aws
import pytest
from kubernetes import client
from pulumi import automation

from aiplatform._shared.args import read
from aiplatform._shared.kubernetes.node_labels import (
    CLAIMED_GPU,
    DEVICE_ALLOCATION,
    DRA,
    GPU_CLASS,
    GPU_PRESENT,
)
from aiplatform.addons import Addons
from aiplatform.queues import plan
from aiplatform.queues.args import QueuesSettings
from aiplatform.teams import claims
from tests.addon_options import only
from tests.controllers.cluster import GPU, Objects
from tests.controllers.team import POOL
from tests.end_to_end.plain import Base, Plain
from twin.kubernetes import kwok
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

NAMES: Final = ("kueue", "dra-driver-nvidia-gpu")
NAMESPACE: Final = "claims"
QUOTA: Final = 2
"""GPUs that Pods of the namespace claim at a time, of four of the node."""
CLAIMS: Final[dict[str, Any]] = {
    **POOL,
    "name": "claims",
    "resource": CLAIMED_GPU,
    "resources_per_node": 4,
    "node_selector": {DEVICE_ALLOCATION: DRA},
    "taints": [],
    "topology_labels": [],
    "min_nodes": 1,
    "max_nodes": 1,
}


class Claims(Objects):
    """The twin with a node whose GPUs are claimed, and the add-ons."""

    def __init__(self, home: Path) -> None:
        self.plain = Plain(home, "devices", "--controllers", "kueue")
        self.base = self.plain.base()
        self.plain.stack("nodes", lambda: _nodes(self.base)).up()
        stack = self.plain.stack("addons", lambda: _addons(self.base))
        stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(self.plain.instance.kubeconfig)))
        stack.set_config("aws:region", automation.ConfigValue(self.plain.instance.region))
        self.ready = stack.up().outputs["ready"].value
        super().__init__(kubernetes.config.new_client_from_config(str(self.plain.instance.kubeconfig)))
        self.core: Any = client.CoreV1Api(self.api)

    def pod(self, job: str) -> Any:
        """Return the Pod of a Job; None where there is none."""
        pods = self.core.list_namespaced_pod(NAMESPACE, label_selector=f"job-name={job}").items
        return pods[0] if pods else None

    def runs(self, job: str) -> Any:
        """Return the Pod of a Job where it runs; None otherwise."""
        pod = self.pod(job)
        return pod if pod is not None and pod.status.phase == "Running" else None

    def workload(self, job: str) -> dict[str, Any]:
        """Return Kueue's Workload of a Job."""
        return next(
            item
            for item in self.list(plan.API_VERSION, "Workload", NAMESPACE)
            if item["metadata"]["ownerReferences"][0]["name"] == job
        )


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[Claims]:
    """A queue of two GPUs, in the namespace whose Pods claim one or two."""
    created = Claims(home)
    labels = dict(plan.MANAGED_NAMESPACE)
    queue = {
        "name": "claims",
        "quotas": [{"pool": "claims", "accelerators": QUOTA}],
        "local_queues": [{"namespace": NAMESPACE}],
    }
    settings = read(QueuesSettings, {"gpu_pools": [CLAIMS], "queues": [queue]}, "QueuesArgs")
    try:
        created.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}},
            *(item.manifest for item in plan.objects(settings)),
            *(template(number) for number in (1, 2)),
        )
        yield created
    finally:
        created.plain.remove()


def template(number: int) -> dict[str, Any]:
    """Return the ResourceClaimTemplate by which a Pod claims so many GPUs."""
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": f"gpu-{number}", "namespace": NAMESPACE},
        "spec": {"spec": {"devices": {"requests": [claims.request(number)]}}},
    }


def job(name: str, number: int) -> dict[str, Any]:
    """Return a Job of one Pod that claims so many GPUs, and runs as long as the test."""
    container = {
        "name": "main",
        "image": "registry.example/training:1",
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "claims": [{"name": "gpus"}]},
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "resourceClaims": [{"name": "gpus", "resourceClaimTemplateName": f"gpu-{number}"}],
    }
    annotations = {kwok.RUN_FOR: "3600s"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"kueue.x-k8s.io/queue-name": "default"},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {"metadata": {"annotations": annotations}, "spec": spec},
        },
    }


def test_driver_publishes_the_gpus_of_a_node_without_a_device_plugin(cluster: Claims) -> None:
    assert set(cluster.ready) == set(NAMES)
    (node,) = cluster.core.list_node(label_selector=f"{DEVICE_ALLOCATION}={DRA}").items
    assert GPU not in node.status.allocatable, "a plugin would hand out the GPUs, too"
    (published,) = eventually(
        "a ResourceSlice", lambda: cluster.list("resource.k8s.io/v1", "ResourceSlice") or None
    )
    assert published["spec"]["nodeName"] == node.metadata.name
    assert len(published["spec"]["devices"]) == 4


def test_claim_counts_in_the_quota_and_gets_gpus_of_the_node(cluster: Claims) -> None:
    cluster.create(job("first", 2))
    pod = eventually("a Pod that runs", lambda: cluster.runs("first"))
    assert cluster.core.read_node(pod.spec.node_name).metadata.labels[DEVICE_ALLOCATION] == DRA
    (assignment,) = cluster.workload("first")["status"]["admission"]["podSetAssignments"]
    assert assignment["resourceUsage"][CLAIMED_GPU] == "2"
    (claim,) = cluster.list("resource.k8s.io/v1", "ResourceClaim", NAMESPACE)
    assert len(claim["status"]["allocation"]["devices"]["results"]) == 2
    assert claim["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] == GPU_CLASS


def test_claim_above_the_quota_waits_although_the_node_has_free_gpus(cluster: Claims) -> None:
    cluster.create(job("second", 1))

    def reason() -> str | None:
        conditions = (cluster.workload("second").get("status") or {}).get("conditions") or ()
        return next((entry["message"] for entry in conditions if entry["type"] == "QuotaReserved"), None)

    message = eventually("a reason", reason)
    assert CLAIMED_GPU in message
    assert "insufficient" in message
    assert cluster.pod("second") is None, "its Job stays suspended"
    cluster.delete(job("first", 2))
    assert eventually("its turn", lambda: cluster.runs("second"))


def _nodes(base: Base) -> None:
    common: Any = {
        "cluster_name": base.cluster,
        "node_role_arn": base.node_role_arn,
        "subnet_ids": base.subnet_ids,
        "scaling_config": aws.eks.NodeGroupScalingConfigArgs(min_size=1, desired_size=1, max_size=1),
    }
    taint = aws.eks.NodeGroupTaintArgs(key="CriticalAddonsOnly", value="true", effect="NO_SCHEDULE")
    aws.eks.NodeGroup("system", instance_types=["m7i.large"], taints=[taint], **common)
    aws.eks.NodeGroup(
        "claims",
        instance_types=["g5.12xlarge"],
        ami_type="AL2023_x86_64_NVIDIA",
        labels={DEVICE_ALLOCATION: DRA, GPU_PRESENT: "true"},
        **common,
    )


def _addons(base: Base) -> None:
    addons = Addons(
        "addons",
        {
            "prefix": "acme-dev",
            "cluster": {"name": base.cluster, "security_group_id": "sg-1", "vpc_id": base.vpc_id},
            "charts": str(ensure_charts()),
            "options": only(NAMES),
        },
    )
    pulumi.export("ready", addons.ready)
