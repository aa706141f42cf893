"""Pools and arguments that the tests of serving share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiplatform._shared.args import read
from aiplatform.serving import runtimes
from aiplatform.serving.args import ServingSettings
from tests.components.aiplatform.training import example as training

ROOT = Path(__file__).parents[4]
DIGEST = "@sha256:" + "1" * 64
LOADER = f"registry.example/platform/model-release{DIGEST}"
SERVER = f"registry.example/platform/model-server{DIGEST}"
STORES: dict[str, dict[str, Any]] = {
    "aws": {
        "checkpoints_bucket": "acme-dev-checkpoints",
        "releases_bucket": "acme-dev-releases",
        "kms_key": "arn:aws:kms:eu-central-1:111122223333:key/releases",
        "checkpoints_key": "arn:aws:kms:eu-central-1:111122223333:key/checkpoints",
    },
    "gcp": {
        "cloud": "gcp",
        "checkpoints_bucket": "acme-dev-checkpoints",
        "releases_bucket": "acme-dev-releases",
    },
}
CLUSTERS = {
    "aws": training.CLUSTERS["aws"],
    "gcp": {**training.CLUSTERS["gcp"], "workload_pool": "acme.svc.id.goog"},
}


ROLLOUTS = f"registry.example/platform/model-rollout{DIGEST}"


def rollouts(**more: Any) -> dict[str, Any]:
    """Arguments with rollouts."""
    return {"rollouts": {"image": ROLLOUTS, "operators": ["ai-platform:release"], **more}}


def gpu_pool(**more: Any) -> dict[str, Any]:
    """At most four nodes with eight GPUs."""
    pool = training.gpu_pool(**{"name": "inference", "max_nodes": 4, **more})
    pool.pop("topology_labels")
    return pool


def cpu_pool(**more: Any) -> dict[str, Any]:
    """Nodes without accelerators."""
    return training.cpu_pool(**more)


def arguments(cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """Arguments with a pool of each kind, a runtime of each engine, and a team with two services."""
    return {
        "prefix": "acme-dev",
        "cluster": CLUSTERS[cloud],
        "model_store": STORES[cloud],
        "image": LOADER,
        "server_image": SERVER,
        "gpu_pools": [gpu_pool()],
        "node_pools": [cpu_pool()],
        "runtimes": {
            "sklearn": {"pool": "general", "engine": "sklearn"},
            "xgboost": {"pool": "general", "engine": "xgboost"},
        },
        "teams": {
            "search": {
                "services": {
                    "chat": {"model": "assistant", "runtime": "vllm-inference", "max_replicas": 3},
                    "fares": {"model": "fares", "runtime": "sklearn"},
                }
            }
        },
        "prometheus_url": "http://prometheus.monitoring.svc:9090",
        **more,
    }


def settings(cloud: str = "aws", **more: Any) -> ServingSettings:
    """The checked arguments."""
    return read(ServingSettings, arguments(cloud, **more), "ServingArgs")


def planned(runtime: str, cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """The manifest of a runtime."""
    return runtimes.runtimes(settings(cloud, **more), {})[runtime]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    """The container of a runtime."""
    [only] = manifest["spec"]["containers"]
    return only


def service(**more: Any) -> dict[str, Any]:
    """Arguments with one service."""
    stated = {"model": "assistant", "runtime": "vllm-inference", **more}
    return {"teams": {"search": {"services": {"chat": stated}}}}
