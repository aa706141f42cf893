"""The variants of NodePool and GpuPool."""

from __future__ import annotations

from typing import Any, Final

from aiplatform.gpu_pool import GpuPool
from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    GOOGLE_NETWORK,
    NETWORK,
    machine_types,
    offering,
)
from tests.components.recording import ACCOUNT
from tests.inventories import provisioning_variants
from tests.inventories.building import Variants, variants_of

_TAGS: Final = {"team": "ml"}
_TAINTS: Final = [{"key": "batch", "value": "yes", "effect": "NoSchedule"}]
_RESERVATION: Final = "cr-0123456789abcdef0"


def _node_pool() -> Variants:
    more: dict[str, Any] = {
        "capacity": ["spot", "on_demand"],
        "min": 1,
        "max": 5,
        "disk_gib": 120,
        "labels": {"team": "web"},
        "taints": _TAINTS,
        "tags": _TAGS,
    }
    common: dict[str, Any] = {"prefix": "acme-dev", "name": "general"}
    return {
        **variants_of(
            NodePool,
            "cpu",
            common={**common, "cluster": CLUSTER, "network": NETWORK},
            aws={"instance_types": ["m7i.2xlarge"]},
            aws_full={"instance_types": ["m7g.2xlarge", "m6g.2xlarge"], "image": "bottlerocket", **more}
            | {"zones": ["euc1-az1", "euc1-az2"], "force_update": True},
        ),
        **variants_of(
            NodePool,
            "cpu",
            answers=machine_types(),
            common={**common, "cluster": GOOGLE_CLUSTER, "network": GOOGLE_NETWORK},
            gcp={"instance_types": ["n2-standard-8"]},
            gcp_full={"instance_types": ["c4a-standard-8"], **more} | {"zones": ["europe-west4-b"]},
        ),
    }


def _gpu_pool() -> Variants:
    common: dict[str, Any] = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK}
    block = {"type": "reserved", "reservation_id": _RESERVATION, "capacity_block": True, "zone": "euc1-az1"}
    h100: dict[str, Any] = {"accelerator": "h100", "count": 8, "name": "h100"}
    l4: dict[str, Any] = {"accelerator": "l4", "name": "l4"}
    on_aws = variants_of(
        GpuPool,
        "gpu",
        common=common,
        aws={"accelerator": "t4", "count": 1, "name": "t4"},
        aws_efa_capacity_block={**h100, "capacity": [block, {"type": "spot"}], "max": 4},
        aws_reserved={
            **h100,
            "capacity": [
                {"type": "reserved", "reservation_id": _RESERVATION, "zone": "euc1-az3"},
                {"type": "on_demand"},
            ],
            "cluster": {
                **CLUSTER,
                "node_role_arn": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-node",
                "volume_key_arn": "key",
            },
            "efa": False,
            "placement_group": False,
            "sharing": {"strategy": "mig", "profile": "1g.10gb"},
            "max_pods": 60,
            "force_update": True,
        },
        aws_claims={**h100, "device_allocation": "dra", "min": 2, "max": 2},
        aws_bottlerocket={
            **l4,
            "count": 4,
            "image": "bottlerocket",
            "sharing": {"strategy": "time_slicing", "replicas": 4},
            "disk_gib": 200,
            "min": 1,
            "max": 6,
            "labels": {"team": "vision"},
            "taints": _TAINTS,
            "tags": _TAGS,
        },
        aws_without_instance_store={
            **l4,
            "count": 1,
            "instance_store": "none",
            "sharing": {"strategy": "time_slicing", "replicas": 2},
            "zones": ["euc1-az2"],
        },
        aws_trainium={"accelerator": "trainium", "count": 16, "name": "trn", "capacity": [{"type": "spot"}]},
        aws_inferentia={"accelerator": "inferentia2", "count": 1, "name": "inf2"},
    )
    zone = variants_of(
        GpuPool,
        "gpu",
        answers=offering(p5__48xlarge=("euc1-az3",)),
        common=common,
        aws_offered_in_one_zone={**h100, "capacity": [{"type": "on_demand"}]},
    )
    return {**on_aws, **zone, **provisioning_variants.GPU_POOL, **_google_gpu_pool()}


def _google_gpu_pool() -> Variants:
    many: list[dict[str, Any]] = [
        {"type": "reserved", "reservation_id": "calendar", "zone": "europe-west4-a"},
        {"type": "spot"},
        {"type": "flex_start", "max_run_hours": 24},
        {"type": "queued"},
    ]
    return variants_of(
        GpuPool,
        "gpu",
        answers=machine_types(),
        common={"prefix": "acme-dev", "name": "train", "cluster": GOOGLE_CLUSTER, "network": GOOGLE_NETWORK},
        gcp={"accelerator": "l4", "count": 1},
        gcp_options={
            "accelerator": "l4",
            "count": 4,
            "capacity": [{"type": "spot"}, {"type": "on_demand"}],
            "instance_store": "raid0",
            "sharing": {"strategy": "time_slicing", "replicas": 4},
            "disk_gib": 300,
            "min": 2,
            "max": 6,
            "zones": ["europe-west4-a", "europe-west4-b"],
            "labels": {"team": "research"},
            "taints": _TAINTS,
            "tags": _TAGS,
        },
        gcp_mig={"accelerator": "a100", "count": 2, "sharing": {"strategy": "mig", "profile": "2g.10gb"}},
        gcp_rdma={"accelerator": "h200", "count": 8, "capacity": many, "max": 4},
        gcp_tcpx={"accelerator": "h100", "count": 8, "capacity": [{"type": "spot"}]},
        gcp_without_gpudirect={
            "accelerator": "h200",
            "count": 8,
            "capacity": [{"type": "spot"}],
            "gpudirect": False,
        },
        gcp_tpu={"accelerator": "tpu-v6e", "count": 8},
        gcp_tpu_slice={
            "accelerator": "tpu-v6e",
            "count": 4,
            "topology": "4x4",
            "min": 0,
            "max": 8,
            "capacity": [{"type": "spot"}],
        },
    )


NODE_POOL: Final = _node_pool()
GPU_POOL: Final = _gpu_pool()
