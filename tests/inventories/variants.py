"""The main variants of each component, of which the inventories of components are generated.

Together the variants of a component take every branch that registers something. The variant `network/aws` is
the file tests/inventories/components/network/aws.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, Final
from unittest import mock

import pulumi

from aiplatform.cluster import Cluster
from aiplatform.compute_class import ComputeClass
from aiplatform.container_registry import ContainerRegistry
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.gpu_pool import GpuPool
from aiplatform.network import Network
from aiplatform.node_pool import NodePool
from aiplatform.runner import Runner
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    GOOGLE_NETWORK,
    NETWORK,
    machine_types,
    offering,
)
from tests.components.cloud_answers import PROJECT
from tests.components.recording import ACCOUNT, REGION, Recording, record
from tests.inventories import (
    addon_variants,
    continuous_training_variants,
    cost_variants,
    data_variants,
    function_variants,
    gateway_variants,
    guardrail_variants,
    model_monitor_variants,
    observability_variants,
    pipeline_variants,
    provisioning_variants,
    queue_variants,
    serving_variants,
    team_variants,
    training_variants,
    workflow_variants,
)

Variants = Mapping[str, Callable[[], Recording]]

_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/"
_TAGS: Final = {"team": "ml"}
_TAINTS: Final = [{"key": "batch", "value": "yes", "effect": "NoSchedule"}]
_GOOGLE: Final = {"project": PROJECT, "region": "europe-west4"}
_RESERVATION: Final = "cr-0123456789abcdef0"
_KEY: Final = f"arn:aws:kms:{REGION}:999988887777:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_CONNECTION: Final = (
    f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)


def _of(
    component: Callable[..., pulumi.ComponentResource],
    name: str,
    *,
    answers: Any = None,
    common: Mapping[str, Any],
    **variants: Mapping[str, Any],
) -> Variants:
    """Variants of a component with arguments in common; `_` in a variant's name stands for a hyphen."""

    def recorded(more: Mapping[str, Any]) -> Callable[[], Recording]:
        return lambda: record(lambda: component(name, {**common, **more}), answers=answers)

    return {variant.replace("_", "-"): recorded(more) for variant, more in variants.items()}


def _network() -> Variants:
    common: dict[str, Any] = {"prefix": "acme-dev", "cidr": "10.16.0.0/16"}
    google = {**common, "cloud": "gcp"}
    return {
        **_of(
            Network,
            "network",
            common=common,
            aws={"zone_count": 2},
            aws_without_internet={"zone_count": 3, "nat": "none", "flow_log_retention_days": 0},
            aws_nat_per_zone={
                "zone_ids": ["euc1-az3", "euc1-az1"],
                "nat": "per_zone",
                "aws": {
                    "endpoints": ["ecr.api", "eks-auth", "glue", "kinesis-firehose", "sts"],
                    "readable_buckets": ["openimages"],
                    "prefix_delegation": True,
                },
                "flow_log_retention_days": 365,
                "pods": 2000,
                "retain_data": True,
                "tags": _TAGS,
            },
        ),
        **_of(
            Network,
            "network",
            common=google,
            gcp={"gcp": _GOOGLE},
            gcp_without_internet={
                "nat": "none",
                "flow_log_retention_days": 0,
                "gcp": {**_GOOGLE, "private_services": False, "google_apis": "restricted"},
            },
            gcp_large={
                "zone_count": 2,
                "gcp": {**_GOOGLE, "nodes": 250, "pods_per_node": 32},
                "flow_log_retention_days": 365,
                "retain_data": True,
                "tags": _TAGS,
            },
        ),
    }


def _cluster() -> Variants:
    network = {
        **NETWORK,
        "private_subnet_ids": ["subnet-p1", "subnet-p2"],
        "intra_subnet_ids": ["subnet-i1", "subnet-i2"],
    }
    on_aws = _of(
        Cluster,
        "cluster",
        common={"prefix": "acme-dev", "version": "1.35", "network": network},
        aws={},
        aws_full={
            "api_access": {"mode": "cidrs", "cidrs": ["192.52.193.0/24"]},
            "log_retention_days": 365,
            "system_nodes": {
                "instance_types": ["m7g.large", "m8g.large"],
                "min": 3,
                "max": 5,
                "disk_gib": 80,
                "force_update": True,
            },
            "admins": [f"{_ROLE}platform/admins", f"{_ROLE}platform-deployer"],
            "eks": {
                "creator_is_admin": False,
                "addons": {
                    "coredns": {"version": "v1.13.2-eksbuild.4", "configuration": {"replicaCount": 3}}
                },
                "support": "extended",
                "service_cidr": "172.21.0.0/16",
                "prefix_delegation": True,
                "zonal_shift": True,
            },
            "session_manager": True,
            "protect": True,
            "deletion_protection": True,
            "retain_data": True,
            "tags": _TAGS,
        },
        aws_runner={
            "api_access": {"mode": "in_vpc", "security_group_id": "sg-4u22e4"},
            "admins": [f"{_ROLE}platform/admins"],
        },
        aws_existing_keys={"kms_key": _KEY, "volumes_kms_key": _KEY},
    )
    return {
        **on_aws,
        "gcp": lambda: gke.cluster(),
        "gcp-full": lambda: gke.full(),
        "gcp-shared-vpc": lambda: gke.cluster(
            network=gke.SHARED, kms_key=gke.KEY, volumes_kms_key=gke.KEY, session_manager=True
        ),
    }


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
        **_of(
            NodePool,
            "cpu",
            common={**common, "cluster": CLUSTER, "network": NETWORK},
            aws={"instance_types": ["m7i.2xlarge"]},
            aws_full={"instance_types": ["m7g.2xlarge", "m6g.2xlarge"], "image": "bottlerocket", **more}
            | {"zones": ["euc1-az1", "euc1-az2"], "force_update": True},
        ),
        **_of(
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
    on_aws = _of(
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
            "cluster": {**CLUSTER, "node_role_arn": f"{_ROLE}acme-dev-node", "volume_key_arn": "key"},
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
    zone = _of(
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
    return _of(
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


def _inside_the_cluster() -> dict[str, Variants]:
    mirror = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    return {
        "cluster_autoscaler": provisioning_variants.CLUSTER_AUTOSCALER,
        "karpenter": provisioning_variants.KARPENTER,
        "compute_class": _of(
            ComputeClass,
            "order",
            common={"name": "train", "cluster": GOOGLE_CLUSTER, "node_groups": provisioning_variants.GROUPS},
            gcp={},
            gcp_full={"move_up": True, "idle_minutes": 30},
        ),
        "device_plugins": _of(
            DevicePlugins,
            "plugins",
            common={},
            aws={"neuron": True},
            aws_mirrored={"mirrors": {"nvcr.io": f"{mirror}/nvidia"}},
        ),
        "efa_plugin": _of(EfaPlugin, "plugin", common={}, aws={}),
        "guardrails": guardrail_variants.GUARDRAILS,
        "gpu_checks": guardrail_variants.GPU_CHECKS,
        "teams": team_variants.TEAMS,
        "workload_identity": {
            **_of(WorkloadIdentity, "analyst", common=_WORKLOAD, aws={"cluster": CLUSTER, "tags": _TAGS}),
            **_of(
                WorkloadIdentity,
                "analyst",
                common=_WORKLOAD,
                gcp={"cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}},
            ),
        },
    }


_WORKLOAD: Final = {
    "prefix": "acme-dev",
    "name": "analyst",
    "namespace": "research",
    "service_account": "notebooks",
}


def _container_registry() -> Variants:
    hub = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/hub-AbCdEf"
    accounts = "serviceAccount:{}@acme-dev-1234.iam.gserviceaccount.com"
    secret = "projects/acme-dev-1234/secrets/hub/versions/1"
    google_hub = {"upstream": "docker.io", "username": "acme", "credential": secret}
    common = {"prefix": "acme-dev", "repositories": ["training", "serving/llm"]}
    arguments: dict[str, Any] = {"untagged_days": 30, "cached_days": 60, "protect": True, "tags": _TAGS}
    return _of(
        ContainerRegistry,
        "images",
        common=common,
        aws={
            "caches": [{"upstream": "quay.io"}, {"upstream": "docker.io", "credential": hub}],
            "readers": [f"{_ROLE}ci"],
            "writers": [f"{_ROLE}build"],
            "repository_writers": {"serving/llm": [f"{_ROLE}search-ci"]},
            "node_roles": [f"{_ROLE}acme-dev-node"],
            **arguments,
        },
        aws_bare={"repositories": ["training"], "force_destroy": True},
        gcp={
            "cloud": "gcp",
            "project": "acme-dev-1234",
            "region": "europe-west4",
            "repositories": ["training", "search-train"],
            "repository_writers": {"search-train": [accounts.format("search-ci")]},
            "caches": [{"upstream": "ghcr.io"}, google_hub],
            "readers": [accounts.format("ci")],
            "writers": [accounts.format("build")],
            **arguments,
        },
    )


def _runner() -> Variants:
    network = {"vpc_id": "vpc-1", "cidr": "10.16.0.0/16", "private_subnet_ids": ["subnet-p1", "subnet-p2"]}
    github: dict[str, Any] = {"repository": "https://github.com/acme/platform", "connection_arn": _CONNECTION}
    return _of(
        Runner,
        "runner",
        common={"prefix": "acme-dev", "network": network, "deployer_role_arn": f"{_ROLE}platform-deployer"},
        aws=github,
        aws_github_workflows={**github, "github_workflows": ["Deploy prod (2)", "Drift"]},
        aws_buildspec={
            "buildspec": "version: 0.2\nphases: {}\n",
            "environment_variables": {"STACK": "prod"},
            "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "size": "large",
            "timeout_minutes": 60,
            "concurrent_runs": 2,
            "log_retention_days": 365,
            "retain_data": True,
            "tags": _TAGS,
        },
    )


COMPONENTS: Final[Mapping[str, Variants]] = {
    "addons": addon_variants.ADDONS,
    "cluster": _cluster(),
    "continuous_training": continuous_training_variants.CONTINUOUS_TRAINING,
    "cost": cost_variants.COST,
    "workflow": workflow_variants.WORKFLOW,
    "model_monitor": model_monitor_variants.MODEL_MONITOR,
    "container_registry": _container_registry(),
    "function": function_variants.FUNCTION,
    "feature_store": data_variants.FEATURE_STORE,
    "gateway": gateway_variants.GATEWAY,
    "gpu_pool": _gpu_pool(),
    "lakehouse": data_variants.LAKEHOUSE,
    "model_registry": data_variants.MODEL_REGISTRY,
    "model_store": data_variants.MODEL_STORE,
    "network": _network(),
    "node_pool": _node_pool(),
    "observability": observability_variants.OBSERVABILITY,
    "pipelines": pipeline_variants.PIPELINES,
    "queues": queue_variants.QUEUES,
    "runner": _runner(),
    "serving": serving_variants.SERVING,
    "training": training_variants.TRAINING,
    **_inside_the_cluster(),
}
"""Entity -> variant -> what records it."""
NAMES: Final = sorted(
    f"{component}/{variant}" for component, variants in COMPONENTS.items() for variant in variants
)


@cache
def recorded(name: str) -> Recording:
    """Return the recording of a variant (`network/aws`)."""
    component, _, variant = name.partition("/")
    # A fixed date: versions of Kubernetes leave support.
    with mock.patch("aiplatform.cluster.args.today", return_value=date(2026, 11, 25)):
        return COMPONENTS[component][variant]()
