"""Pools and arguments that the tests of the queues share."""

from __future__ import annotations

from typing import Any

from aiplatform._shared.args import read
from aiplatform.queues.args import QueuesSettings

POOL_LABEL = "ai-platform/pool"
COMPUTE_CLASS = "cloud.google.com/compute-class"
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
EKS_LEVELS = [f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3)]


def cpu_pool(**more: Any) -> dict[str, Any]:
    """A pool of m7i.2xlarge, at most ten."""
    return {
        "name": "general",
        "node_selector": {POOL_LABEL: "general"},
        "taints": [],
        "min_nodes": 0,
        "max_nodes": 10,
        "vcpus_per_node": 8,
        "memory_gib_per_node": 32.0,
        **more,
    }


def gpu_pool(**more: Any) -> dict[str, Any]:
    """Exactly four nodes of p5.48xlarge: 32 accelerators."""
    name = more.get("name", "training")
    return {
        "name": name,
        "resource": "nvidia.com/gpu",
        "resources_per_node": 8,
        "capacity_types": ["on_demand"],
        "node_selector": {POOL_LABEL: name},
        "taints": [GPU_TAINT],
        "topology_labels": EKS_LEVELS,
        "min_nodes": 4,
        "max_nodes": 4,
        "vcpus_per_node": 192,
        "memory_gib_per_node": 2048.0,
        **more,
    }


def queued_pool(**more: Any) -> dict[str, Any]:
    """A pool of GKE whose nodes are requested for each workload."""
    return gpu_pool(
        **{
            "name": "queued",
            "capacity_types": ["queued"],
            "node_selector": {POOL_LABEL: "queued", "ai-platform/capacity": "queued"},
            "taints": [{**GPU_TAINT, "value": "present"}],
            "topology_labels": [f"cloud.google.com/gce-topology-{x}" for x in ("block", "subblock", "host")],
            "min_nodes": 0,
            **more,
        }
    )


def queue(name: str, *quotas: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "quotas": list(quotas), **more}


def arguments(**more: Any) -> dict[str, Any]:
    """Two teams with 16 accelerators each, which share what they do not use."""
    half = {"pool": "training", "accelerators": 16}
    cpu = {"pool": "general", "cpu": 32}
    return {
        "node_pools": [cpu_pool()],
        "gpu_pools": [gpu_pool()],
        "cohorts": [{"name": "research"}],
        "queues": [
            queue("vision", half, cpu, cohort="research", local_queues=[{"namespace": "vision"}]),
            queue("language", half, cpu, cohort="research", local_queues=[{"namespace": "language"}]),
        ],
        **more,
    }


def settings(**more: Any) -> QueuesSettings:
    """The checked arguments."""
    return read(QueuesSettings, arguments(**more), "QueuesArgs")


def everything() -> dict[str, Any]:
    """Arguments by which every kind is registered, with every field that it can have."""
    return arguments(
        gpu_pools=[gpu_pool(), queued_pool()],
        topologies={"training": "network", "queued": "host"},
        cohorts=[
            {"name": "company", "quotas": [{"pool": "general", "cpu": 8}]},
            {"name": "research", "parent": "company", "weight": 2},
        ],
        queues=[
            queue(
                "vision",
                {"pool": "training", "accelerators": 12, "borrow": 8, "lend": 4},
                {"pool": "queued", "accelerators": 8},
                {"pool": "general", "cpu": 32, "memory_gib": 64},
                cohort="research",
                weight=0.5,
                queueing_strategy="StrictFIFO",
                stop_policy="HoldAndDrain",
                local_queues=[{"namespace": "vision"}],
                preemption={
                    "within_cluster_queue": "LowerOrNewerEqualPriority",
                    "reclaim_within_cohort": "LowerPriority",
                },
            )
        ],
    )
