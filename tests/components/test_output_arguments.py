"""Arguments that are outputs register the same resources as plain ones."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

import pytest
from pulumi import ComponentResource, Output

from aiplatform._shared.args import ArgumentError
from aiplatform.cluster import Cluster
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerSettings
from aiplatform.compute_class import ComputeClass
from aiplatform.compute_class.args import ComputeClassSettings
from aiplatform.device_plugins import DevicePlugins
from aiplatform.device_plugins.args import DevicePluginsSettings
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.efa_plugin.args import EfaPluginSettings
from aiplatform.gpu_pool import GpuPool
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.network import Network
from aiplatform.network.args import NetworkSettings
from aiplatform.node_pool import NodePool
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.runner import Runner
from aiplatform.runner.args import RunnerSettings
from aiplatform.teams import Teams
from aiplatform.teams.args import TeamsSettings
from aiplatform.workload_identity import WorkloadIdentity
from aiplatform.workload_identity.args import WorkloadIdentitySettings
from tests.components.aiplatform.cluster.gke import NETWORK as GKE_NETWORK
from tests.components.aiplatform.pools import (
    CLUSTER,
    GOOGLE_CLUSTER,
    GOOGLE_NETWORK,
    NETWORK,
    Answers,
    machine_types,
    offering,
)
from tests.components.recording import ACCOUNT, REGION, Recording, record

TAGS: Final = {"team": "ml", "stage": "dev"}
POOL: Final[Mapping[str, Any]] = {
    "prefix": "acme-dev",
    "min": 1,
    "max": 3,
    "disk_gib": 120,
    "labels": {"team": "ml"},
    "tags": TAGS,
}
ON_AWS: Final = {"cluster": CLUSTER, "network": NETWORK, "force_update": True}
ON_GOOGLE: Final = {"cluster": GOOGLE_CLUSTER, "network": GOOGLE_NETWORK}

CASES: Final[Mapping[str, tuple[type[ComponentResource], type, Mapping[str, Any]]]] = {
    "network on AWS": (
        Network,
        NetworkSettings,
        {
            "prefix": "acme-dev",
            "cidr": "10.0.0.0/16",
            "aws": {"readable_buckets": ["commoncrawl", "open-data"]},
            "tags": TAGS,
        },
    ),
    "network on Google Cloud": (
        Network,
        NetworkSettings,
        {
            "prefix": "acme-dev",
            "cloud": "gcp",
            "cidr": "10.0.0.0/16",
            "gcp": {"project": "acme-dev-1234", "region": "europe-west4"},
            "tags": TAGS,
        },
    ),
    "cluster on AWS": (
        Cluster,
        ClusterSettings,
        {
            "prefix": "acme-dev",
            "version": "1.36",
            "network": NETWORK,
            "log_retention_days": 30,
            "deletion_protection": True,
            "system_nodes": {"min": 1, "max": 2, "disk_gib": 80, "force_update": True},
            "eks": {
                "addons": {"coredns": {"version": "v1.13.2-eksbuild.4", "configuration": {"replicas": 3}}},
                "service_cidr": "172.21.0.0/16",
                "prefix_delegation": True,
                "zonal_shift": True,
            },
            "tags": {**TAGS, "kubernetes.io/owner": "ml"},
        },
    ),
    "cluster on Google Cloud": (
        Cluster,
        ClusterSettings,
        {
            "prefix": "acme-dev",
            "version": "1.35",
            "network": GKE_NETWORK,
            "log_retention_days": 30,
            "deletion_protection": True,
            "system_nodes": {"min": 1, "max": 2, "disk_gib": 80},
            "gke": {
                "google_groups": "gke-security-groups@acme.com",
                "gateway_api": False,
                "gcs_fuse": False,
                "managed_prometheus": False,
                "workload_logs": False,
                "cost_allocation": False,
                "node_auto_provisioning": {
                    "max_cpus": 512,
                    "max_memory_gib": 4096,
                    "accelerators": {"nvidia-l4": 8},
                },
                "binary_authorization": ["europe-docker.pkg.dev/acme/**"],
            },
            "tags": TAGS,
        },
    ),
    "node pool on AWS": (
        NodePool,
        NodePoolSettings,
        {**POOL, **ON_AWS, "name": "cpu", "instance_types": ["m7i.large"], "capacity": ["spot", "on_demand"]},
    ),
    "node pool on Google Cloud": (
        NodePool,
        NodePoolSettings,
        {
            **POOL,
            **ON_GOOGLE,
            "name": "cpu",
            "instance_types": ["n2-standard-8"],
            "capacity": ["spot", "on_demand"],
        },
    ),
    "GPU pool on AWS": (
        GpuPool,
        GpuPoolSettings,
        {**POOL, **ON_AWS, "name": "t4", "accelerator": "t4", "count": 1, "max_pods": 60},
    ),
    "GPU pool on Bottlerocket": (
        GpuPool,
        GpuPoolSettings,
        {
            **POOL,
            **ON_AWS,
            "name": "t4",
            "accelerator": "t4",
            "count": 1,
            "max_pods": 60,
            "image": "bottlerocket",
            "instance_store": "none",
        },
    ),
    "GPU pool on Google Cloud": (
        GpuPool,
        GpuPoolSettings,
        {
            **POOL,
            **ON_GOOGLE,
            "name": "l4",
            "accelerator": "l4",
            "count": 1,
            "capacity": [{"type": "on_demand"}, {"type": "flex_start", "max_run_hours": 24}],
        },
    ),
    "autoscaler": (
        ClusterAutoscaler,
        ClusterAutoscalerSettings,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "node_groups": [{"autoscaling_group": "eks-t4", "priority": 100}],
            "replicas": 2,
            "scale_down_after_minutes": 20,
            "mirrors": {"registry.k8s.io": "mirror.acme.com/k8s"},
            "tags": TAGS,
        },
    ),
    "compute class": (
        ComputeClass,
        ComputeClassSettings,
        {
            "name": "batch",
            "cluster": GOOGLE_CLUSTER,
            "node_groups": [{"name": "batch-spot", "priority": 100}],
            "move_up": True,
            "idle_minutes": 20,
        },
    ),
    "device plugins": (
        DevicePlugins,
        DevicePluginsSettings,
        {
            "neuron": True,
            "mirrors": {"nvcr.io": "mirror.acme.com/nvidia"},
            "neuron_image": "acme.com/neuron:1",
        },
    ),
    "EFA plugin": (EfaPlugin, EfaPluginSettings, {"image": "acme.com/efa:1"}),
    "runner": (
        Runner,
        RunnerSettings,
        {
            "prefix": "acme-dev",
            "network": NETWORK,
            "deployer_role_arn": f"arn:aws:iam::{ACCOUNT}:role/platform-deployer",
            "repository": "https://github.com/acme/platform",
            "connection_arn": f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/"
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "revision": "main",
            "buildspec": "ci/buildspec.yml",
            "github_workflows": ["deploy (prod)"],
            "github_actors": ["583231", "9919"],
            "environment_variables": {"STACK": "acme"},
            "image": "acme.com/runner:1",
            "size": "large",
            "timeout_minutes": 60,
            "concurrent_runs": 2,
            "log_retention_days": 30,
            "tags": TAGS,
        },
    ),
    "teams": (
        Teams,
        TeamsSettings,
        {
            "prefix": "acme-dev",
            "cluster": CLUSTER,
            "secrets_role_arn": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-ext-secrets-1",
            "secret_keys": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"],
            "teams": {
                "search": {
                    "owners": [f"arn:aws:iam::{ACCOUNT}:role/owners"],
                    "readers": [f"arn:aws:iam::{ACCOUNT}:role/readers"],
                    "queue": "search",
                    "limits": {"pods": 100, "cpu": "64", "memory": "256Gi", "storage": "2Ti"},
                    "configuration": {"MLFLOW_TRACKING_URI": "https://mlflow"},
                    "secrets": {"mlflow": {"secret": "mlflow", "keys": {"password": "password"}}},
                }
            },
            "tags": TAGS,
        },
    ),
    "workload identity on AWS": (
        WorkloadIdentity,
        WorkloadIdentitySettings,
        {
            "prefix": "acme-dev",
            "name": "reader",
            "cluster": CLUSTER,
            "namespace": "models",
            "service_account": "reader",
            "tags": TAGS,
        },
    ),
    "workload identity on Google Cloud": (
        WorkloadIdentity,
        WorkloadIdentitySettings,
        {
            "prefix": "acme-dev",
            "name": "reader",
            "cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
            "namespace": "models",
            "service_account": "reader",
        },
    ),
}
REFERENCES: Final = ("cluster", "network")
LATER: Final = (get_origin(Awaitable[int]), Output)


def _as_outputs(annotation: Any, value: Any) -> Any:
    """Return a value with an output in place of each part that may be one, outputs as the engine sends
    them."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _as_outputs(arguments[0], value)
    if origin in (Union, types.UnionType):
        if any(get_origin(member) in LATER for member in arguments):
            return Output.from_input(_as_sent(value))
        [inner] = [member for member in arguments if member is not types.NoneType]
        return _as_outputs(inner, value)
    if origin is list:
        return [_as_outputs(arguments[0], entry) for entry in value]
    if origin is dict:
        return {key: _as_outputs(arguments[1], entry) for key, entry in value.items()}
    return _model_as_outputs(annotation, value) if dataclasses.is_dataclass(annotation) else value


def _model_as_outputs(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(model, localns={"Output": Output, "T": Any}, include_extras=True)
    return {
        key: value if key in REFERENCES else _as_outputs(hints[key], value) for key, value in values.items()
    }


def _as_sent(value: Any) -> Any:
    """Return a value as the engine sends it to a plugin: its protocol has only floats."""
    if isinstance(value, list):
        return [_as_sent(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _as_sent(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _answers() -> Answers:
    zones = ("euc1-az1", "euc1-az2", "euc1-az3")
    return {**machine_types(), **offering(m6i__large=zones, m7i__large=zones, g4dn__xlarge=zones)}


def _registered(recorded: Recording) -> dict[str, Any]:
    return {f"{resource.type} {resource.name}": resource.inputs for resource in recorded.resources}


@pytest.mark.parametrize("case", CASES)
def test_outputs_register_what_plain_values_register(case: str) -> None:
    component, settings, arguments = CASES[case]
    outputs = _model_as_outputs(settings, arguments)
    assert any(isinstance(value, Output) for value in outputs.values()), "the case has arguments to compare"
    create = cast(Any, component)
    plain = record(lambda: create("component", dict(arguments)), answers=_answers())
    result = record(lambda: create("component", _model_as_outputs(settings, arguments)), answers=_answers())
    assert _registered(result) == _registered(plain)


def test_a_reservation_that_is_an_output_is_named_by_its_position() -> None:
    for references, id_, prefix in (
        (ON_AWS, "cr-0123456789abcdef0", "reserved"),
        (ON_GOOGLE, "training", "res"),
    ):
        reserved = {"type": "reserved", "zone": references["network"]["zones"][0]["id"]}
        arguments: Any = {
            "prefix": "acme-dev",
            "name": "t4",
            **references,
            "accelerator": "t4",
            "count": 1,
            "capacity": [
                {**reserved, "reservation_id": id_},
                {**reserved, "reservation_id": Output.from_input(f"{id_}1")},
                {**reserved, "reservation_id": Output.from_input(f"{id_}2")},
            ],
        }
        recorded = record(lambda: GpuPool("gpu", arguments), answers=_answers())  # noqa: B023 - called at once
        names = {resource.name for resource in recorded.resources}
        assert {f"gpu-{prefix}-1", f"gpu-{prefix}-2"} <= names, "two reservations never have the same name"


@pytest.mark.parametrize(
    ("case", "arguments", "expected"),
    [
        ("network on AWS", {"aws": {"readable_buckets": ["*"]}}, "readable_buckets[0]: got '*'; expected a"),
        ("runner", {"github_actors": [".*"]}, "github_actors[0]: got '.*'; expected the numeric id"),
        (
            "cluster on Google Cloud",
            {"gke": {"binary_authorization": ["*"]}},
            "[0]: got '*'; expected an image",
        ),
    ],
)
def test_an_output_that_would_allow_too_much_is_refused_once_it_is_known(
    case: str, arguments: Mapping[str, Any], expected: str
) -> None:
    component, settings, others = CASES[case]
    create = cast(Any, component)
    with pytest.raises(Exception, match=re.escape(expected)):
        record(lambda: create("component", _model_as_outputs(settings, {**others, **arguments})))


def test_the_number_of_slices_must_be_plain() -> None:
    arguments: Any = {
        "prefix": "acme-dev",
        "name": "tpu",
        **ON_GOOGLE,
        "accelerator": "tpu-v5e",
        "count": 4,
        "topology": "4x4",
        "zones": ["europe-west4-a"],
        "max": Output.from_input(2),
    }
    with pytest.raises(ArgumentError, match=r"max: got an output .*; expected a number of slices"):
        record(lambda: GpuPool("gpu", arguments), answers=_answers())
