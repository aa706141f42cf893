"""The variants of what creates nodes on AWS: the Cluster Autoscaler, Karpenter, and pools with Karpenter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi

from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.gpu_pool import GpuPool
from aiplatform.karpenter import Karpenter
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.recording import ACCOUNT, REGION, Recording, record

GROUPS: Final = [
    {"name": "train-spot", "autoscaling_group": "eks-train-spot-1", "capacity": "spot", "priority": 90},
    {"name": "train-res", "autoscaling_group": "eks-train-res-1", "capacity": "reserved", "priority": 100},
    {"name": "train-more", "autoscaling_group": "eks-train-more-1", "capacity": "spot", "priority": 90},
]
_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_TAGS: Final = {"team": "ml"}
_POOL: Final = {
    "name": "train-spot",
    "weight": 100,
    "capacity": "spot",
    "instance_types": ["g4dn.xlarge", "g4dn.2xlarge"],
    "zones": ["euc1-az1"],
    "subnet_ids": ["subnet-1"],
    "security_group_ids": ["sg-1"],
    "labels": {"ai-platform/pool": "train"},
    "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}],
    "limits": {"nvidia.com/gpu": "8"},
}
_RESERVED: Final = {
    **_POOL,
    "name": "train-reserved",
    "weight": 99,
    "capacity": "reserved",
    "reservation_id": "cr-0123456789abcdef0",
    "volume_key_arn": _KEY,
    "efa_interfaces": 4,
    "placement_group": "close",
    "raid0": True,
    "max_pods": 100,
    "tags": _TAGS,
}
_FULL: Final = {
    "cluster": {
        **CLUSTER,
        "node_role_arn": f"arn:aws:iam::{ACCOUNT}:role/shared-nodes",
        "volume_key_arn": _KEY,
    },
    "pools": [_RESERVED, {**_POOL, "image": "bottlerocket", "volume_gib": 200}],
    "image_versions": {"al2023": "v20261110", "bottlerocket": "v1.52.0"},
    "consolidation": "balanced",
    "consolidate_after_minutes": 30,
    "disruption_budgets": [
        {"nodes": "0", "reasons": ["drifted"], "schedule": "0 6 * * mon-fri", "hours": 12},
        {"nodes": "1"},
    ],
    "expire_after_hours": 336,
    "termination_grace_hours": 24,
    "access_entry": True,
    "tags": _TAGS,
}


Variants = Mapping[str, Callable[[], Recording]]


def _recorded(
    component: Callable[..., pulumi.ComponentResource], name: str, arguments: Mapping[str, Any]
) -> Callable[[], Recording]:
    return lambda: record(lambda: component(name, {"prefix": "acme-dev", **arguments}))


CLUSTER_AUTOSCALER: Final[Variants] = {
    "aws": _recorded(ClusterAutoscaler, "autoscaler", {"cluster": CLUSTER}),
    "aws-full": _recorded(
        ClusterAutoscaler,
        "autoscaler",
        {
            "cluster": CLUSTER,
            "node_groups": GROUPS,
            "replicas": 2,
            "scale_down_after_minutes": 3,
            "mirrors": {"registry.k8s.io": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/k8s"},
            "tags": _TAGS,
        },
    ),
}
KARPENTER: Final[Variants] = {
    "aws": _recorded(Karpenter, "karpenter", {"cluster": CLUSTER, "pools": [_POOL]}),
    "aws-full": _recorded(Karpenter, "karpenter", _FULL),
}
_BLOCK: Final = {
    "type": "reserved",
    "reservation_id": "cr-0123456789abcdef0",
    "capacity_block": True,
    "zone": "euc1-az1",
}
_LOCATION: Final = {"cluster": CLUSTER, "network": NETWORK}
GPU_POOL: Final[Variants] = {
    "aws-karpenter": _recorded(
        GpuPool,
        "gpu",
        {
            **_LOCATION,
            "accelerator": "h100",
            "count": 8,
            "name": "h100",
            "capacity": [_BLOCK, {"type": "spot"}],
            "max": 4,
            "node_provisioning": "karpenter",
        },
    ),
    "aws-moving": _recorded(
        GpuPool,
        "gpu",
        {
            **_LOCATION,
            "accelerator": "t4",
            "count": 1,
            "name": "t4",
            "node_provisioning": "moving_to_karpenter",
        },
    ),
}
"""GPU pools whose nodes Karpenter creates."""
