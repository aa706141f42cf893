"""The main variants of each component, of which the inventories of components are generated.

Together the variants of a component take every branch that registers something. The variant `network/aws` is
the file tests/inventories/components/network/aws.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final
from unittest import mock

from aiplatform.cluster import Cluster
from aiplatform.compute_class import ComputeClass
from aiplatform.container_registry import ContainerRegistry
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.log_bucket import LogBucket
from aiplatform.network import Network
from aiplatform.runner import Runner
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    NETWORK,
)
from tests.components.cloud_answers import PROJECT
from tests.components.recording import ACCOUNT, REGION, Recording
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
    pool_variants,
    provisioning_variants,
    queue_variants,
    serving_variants,
    team_variants,
    training_variants,
    workflow_variants,
)
from tests.inventories.building import Variants, variants_of

_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/"
_TAGS: Final = {"team": "ml"}
_GOOGLE: Final = {"project": PROJECT, "region": "europe-west4"}
_KEY: Final = f"arn:aws:kms:{REGION}:999988887777:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
_CONNECTION: Final = (
    f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)


def _network() -> Variants:
    common: dict[str, Any] = {"prefix": "acme-dev", "cidr": "10.16.0.0/16"}
    google = {**common, "cloud": "gcp"}
    return {
        **variants_of(
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
        **variants_of(
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
    on_aws = variants_of(
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


def _inside_the_cluster() -> dict[str, Variants]:
    mirror = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    return {
        "cluster_autoscaler": provisioning_variants.CLUSTER_AUTOSCALER,
        "karpenter": provisioning_variants.KARPENTER,
        "compute_class": variants_of(
            ComputeClass,
            "order",
            common={"name": "train", "cluster": GOOGLE_CLUSTER, "node_groups": provisioning_variants.GROUPS},
            gcp={},
            gcp_full={"move_up": True, "idle_minutes": 30},
        ),
        "device_plugins": variants_of(
            DevicePlugins,
            "plugins",
            common={},
            aws={"neuron": True},
            aws_mirrored={"mirrors": {"nvcr.io": f"{mirror}/nvidia"}},
        ),
        "efa_plugin": variants_of(EfaPlugin, "plugin", common={}, aws={}),
        "guardrails": guardrail_variants.GUARDRAILS,
        "gpu_checks": guardrail_variants.GPU_CHECKS,
        "teams": team_variants.TEAMS,
        "workload_identity": {
            **variants_of(
                WorkloadIdentity, "analyst", common=_WORKLOAD, aws={"cluster": CLUSTER, "tags": _TAGS}
            ),
            **variants_of(
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
    return variants_of(
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
    return variants_of(
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
    "gpu_pool": pool_variants.GPU_POOL,
    "lakehouse": data_variants.LAKEHOUSE,
    "log_bucket": variants_of(
        LogBucket,
        "logs",
        common={"prefix": "acme-dev", "cloud": "gcp", **_GOOGLE},
        gcp={},
        gcp_full={
            "retention_days": 30,
            "excluded_functions": ["audit", "billing"],
            "excluded_workflows": ["scoring"],
            "kms_key": "projects/acme-security/locations/europe-west4/keyRings/ring/cryptoKeys/key",
            "retain_data": True,
            "tags": _TAGS,
        },
    ),
    "model_registry": data_variants.MODEL_REGISTRY,
    "model_store": data_variants.MODEL_STORE,
    "network": _network(),
    "node_pool": pool_variants.NODE_POOL,
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
