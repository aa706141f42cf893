"""Pools with Karpenter, as the tests of its component need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pulumi import ComponentResource, ResourceOptions

from aiplatform.gpu_pool import GpuPool
from aiplatform.karpenter import Karpenter
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.recording import Recording, record

KEY: Final = "arn:aws:kms:eu-central-1:111122223333:key/0f1e2d3c"
CLUSTER_WITH_KEY: Final[Mapping[str, Any]] = {**CLUSTER, "volume_key_arn": KEY}
RESERVATION: Final = "cr-0123456789abcdef0"
BLOCK: Final = "cr-0fedcba9876543210"
T4: Final[Mapping[str, Any]] = {
    "accelerator": "t4",
    "count": 1,
    "name": "t4",
    "max": 3,
    "capacity": [{"type": "spot"}, {"type": "on_demand"}],
    "labels": {"team": "ml"},
    "taints": [{"key": "batch", "effect": "NoSchedule", "value": "yes"}],
    "tags": {"cost-center": "ml"},
}
H100: Final[Mapping[str, Any]] = {
    "accelerator": "h100",
    "count": 8,
    "name": "train",
    "max": 2,
    "zones": ["euc1-az1"],
    "capacity": [
        {"type": "reserved", "reservation_id": BLOCK, "capacity_block": True},
        {"type": "reserved", "reservation_id": RESERVATION},
        {"type": "on_demand"},
    ],
}
BOTTLEROCKET: Final[Mapping[str, Any]] = {
    "accelerator": "l4",
    "count": 1,
    "name": "serve",
    "image": "bottlerocket",
    "disk_gib": 200,
    "max_pods": 30,
}
POOLS: Final = (T4, H100, BOTTLEROCKET)


class Program(ComponentResource):
    """Pools, and Karpenter for them."""

    def __init__(self, pools: tuple[Mapping[str, Any], ...], **more: Any) -> None:
        super().__init__("tests:index:Program", "program")
        child = ResourceOptions(parent=self)
        references: list[Any] = []
        for pool in pools:
            arguments: Any = {
                "prefix": "acme-dev",
                "cluster": CLUSTER_WITH_KEY,
                "network": NETWORK,
                "node_provisioning": "karpenter",
                **pool,
            }
            references += GpuPool(pool["name"], arguments, child).outputs["karpenter_pools"]
        arguments = {"prefix": "acme-dev", "cluster": CLUSTER_WITH_KEY, "pools": references, **more}
        self.karpenter = Karpenter("karpenter", arguments, child)


def recorded(*pools: Mapping[str, Any], **more: Any) -> Recording:
    """Return what a program with these pools registers. more: arguments of Karpenter."""
    return record(lambda: Program(pools or POOLS, **more))


def specs(recording: Recording, kind: str) -> dict[str, dict[str, Any]]:
    """Return the specs of Karpenter's objects of a kind, by name."""
    return {
        entry.inputs["metadata"]["name"]: entry.inputs["spec"]
        for entry in recording.resources
        if entry.type.startswith("kubernetes:karpenter.") and entry.type.endswith(f":{kind}")
    }
