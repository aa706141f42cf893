"""Pools and arguments that the tests of training share."""

from __future__ import annotations

from typing import Any

from aiplatform._shared.args import read
from aiplatform.training import plan
from aiplatform.training.args import TrainingSettings
from tests.components.aiplatform import fabric_pools

CLUSTERS: dict[str, dict[str, Any]] = {
    "aws": {"name": "acme", "security_group_id": "sg-1"},
    "gcp": {
        "name": "acme",
        "cloud": "gcp",
        "project": "acme",
        "region": "us-central1",
        "node_service_account": "nodes@acme.iam.gserviceaccount.com",
    },
}


def gpu_pool(**more: Any) -> dict[str, Any]:
    """Nodes with eight GPUs and no network between those of several nodes."""
    name = more.get("name", "training")
    return {
        "name": name,
        "resource": "nvidia.com/gpu",
        "resources_per_node": 8,
        "node_selector": {"ai-platform/pool": name},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}],
        "topology_labels": [f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3)],
        "vcpus_per_node": 192,
        "memory_gib_per_node": 2048.0,
        **more,
    }


def tpu_pool(**more: Any) -> dict[str, Any]:
    """Slices of sixteen TPUs, four on a node."""
    return gpu_pool(
        **{
            "name": "batch",
            "resource": "google.com/tpu",
            "resources_per_node": 4,
            "topology": "4x4",
            "topology_labels": [],
            "vcpus_per_node": 180,
            "memory_gib_per_node": 720.0,
            "node_selector": {
                "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
                "cloud.google.com/gke-tpu-topology": "4x4",
            },
            "taints": [{"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}],
            **more,
        }
    )


def fabric_pool(kind: str) -> dict[str, Any]:
    """The outputs of a pool with a network between accelerators, named after it."""
    return {**fabric_pools.outputs(kind), "name": kind}


def cpu_pool(**more: Any) -> dict[str, Any]:
    """Nodes without accelerators."""
    return {
        "name": "general",
        "node_selector": {"ai-platform/pool": "general"},
        "taints": [],
        "vcpus_per_node": 8,
        "memory_gib_per_node": 32.0,
        **more,
    }


def arguments(cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """Arguments with a pool of each kind."""
    return {
        "cluster": CLUSTERS[cloud],
        "gpu_pools": [gpu_pool(), tpu_pool()],
        "node_pools": [cpu_pool()],
        **more,
    }


def settings(cloud: str = "aws", **more: Any) -> TrainingSettings:
    """The checked arguments."""
    return read(TrainingSettings, arguments(cloud, **more), "TrainingArgs")


def planned(runtime: str, cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """The manifest of a runtime."""
    return plan.runtimes(settings(cloud, **more), {})[runtime]


def job_set(manifest: dict[str, Any]) -> dict[str, Any]:
    """The specification of the JobSet of a runtime."""
    return manifest["spec"]["template"]["spec"]


def node_job(manifest: dict[str, Any]) -> dict[str, Any]:
    """The Job with the nodes of a runtime."""
    [node] = [job for job in job_set(manifest)["replicatedJobs"] if job["name"] == "node"]
    return node["template"]


def pods(manifest: dict[str, Any]) -> dict[str, Any]:
    """The template of Pods of the nodes of a runtime."""
    return node_job(manifest)["spec"]["template"]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    """The container of the nodes of a runtime."""
    return pods(manifest)["spec"]["containers"][0]


def variables(manifest: dict[str, Any]) -> dict[str, str]:
    """The variables of the container."""
    return {entry["name"]: entry["value"] for entry in container(manifest)["env"]}
