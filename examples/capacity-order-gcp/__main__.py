"""Node pools of an existing GKE cluster: their order, queues, and tests of GPUs.

Generated from Pulumi.yaml by `make generate`.
"""

import pulumi
import pulumi_kubernetes as kubernetes

from aiplatform.compute_class import ComputeClass
from aiplatform.gpu_checks import GpuChecks
from aiplatform.queues import Queues

kubernetes_provider = kubernetes.Provider("kubernetes", context="team-dev")
batch = ComputeClass(
    "batch",
    {
        "name": "batch",
        "cluster": {
            "cloud": "gcp",
            "project": "acme-dev-1234",
            "region": "europe-west4",
            "name": "team-dev",
            "node_service_account": "nodes@acme-dev-1234.iam.gserviceaccount.com",
        },
        "node_groups": [
            {"name": "batch-spot", "priority": 100},
            {"name": "batch-on-demand", "priority": 90},
        ],
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
queues = Queues(
    "queues",
    {
        "gpu_pools": [
            {
                "name": "training",
                "resource": "nvidia.com/gpu",
                "resources_per_node": 8,
                "capacity_types": ["reserved"],
                "node_selector": {"cloud.google.com/gke-nodepool": "training"},
                "taints": [
                    {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"},
                ],
                "topology_labels": [],
                "min_nodes": 0,
                "max_nodes": 4,
                "vcpus_per_node": 208,
                "memory_gib_per_node": 1872,
            },
        ],
        "cohorts": [
            {"name": "research"},
        ],
        "queues": [
            {
                "name": "vision",
                "cohort": "research",
                "quotas": [
                    {"pool": "training", "accelerators": 16},
                ],
                "local_queues": [
                    {"namespace": "vision"},
                ],
            },
            {
                "name": "language",
                "cohort": "research",
                "quotas": [
                    {"pool": "training", "accelerators": 16, "borrow": 8},
                ],
                "local_queues": [
                    {"namespace": "language"},
                ],
            },
            {
                "name": "gpu-check-training",
                "cohort": "research",
                "weight": 0,
                "quotas": [
                    {"pool": "training", "accelerators": 0},
                ],
                "preemption": {"within_cluster_queue": "Never", "reclaim_within_cohort": "Never"},
                "namespaces": ["gpu-check"],
            },
        ],
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider]),
)
checks = GpuChecks(
    "checks",
    {
        "cloud": "gcp",
        "queues": {"training": "gpu-check-training"},
    },
    pulumi.ResourceOptions(providers=[kubernetes_provider], depends_on=[queues]),
)
pulumi.export("class_name", batch.name)
pulumi.export("cluster_queues", queues.cluster_queues)
