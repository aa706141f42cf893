"""From the settings to the arguments of components. Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NotRequired, TypedDict, cast

from pulumi import Input

from aiplatform._shared.args import UNKNOWN
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.accelerators.gcp import MACHINES
from aiplatform.cluster import ApiAccessArgs, ClusterArgs
from aiplatform.cluster_autoscaler import ClusterAutoscalerArgs
from aiplatform.device_plugins import DevicePluginsArgs
from aiplatform.gpu_pool import CapacityArgs, GpuPoolArgs
from aiplatform.gpu_pool.args import CapacityType
from aiplatform.network import NetworkArgs, NetworkReferenceArgs
from aiplatform.node_pool import NodePoolArgs
from aiplatform.runner import RunnerArgs
from aiplatform.workload_identity import WorkloadIdentityArgs
from stacks import images
from stacks.settings import CapacityEntry, GpuPool, NodePool, Pool, Settings, Topic

# Keys of the file that are the component's arguments of the same name.
_PASSED_ON: Final = (
    "support",
    "release_channel",
    "control_plane",
    "maintenance_window",
    "maintenance_exclusions",
    "google_groups",
    "service_cidr",
    "prefix_delegation",
    "autoscaling_profile",
    "node_auto_provisioning",
    "gateway_api",
    "image_streaming",
    "gcs_fuse",
    "filestore",
    "managed_prometheus",
    "cost_allocation",
    "binary_authorization",
    "security_posture",
)
_OF_GPU_POOLS: Final = (
    "topology",
    "max_pods",
    "efa",
    "gpudirect",
    "gpudirect_cidr",
    "placement_group",
    "instance_store",
    "sharing",
)


def network(settings: Settings) -> NetworkArgs:
    """Arguments of the network."""
    given = settings.network
    environment = settings.environment
    args: NetworkArgs = {
        "prefix": environment.prefix,
        "cidr": given.cidr,
        "cloud": environment.cloud,
        "nat": given.nat,
        "endpoints": given.endpoints,
        "readable_buckets": given.readable_buckets,
        "flow_log_retention_days": given.flow_logs.retention_days,
        "pods": given.pods,
        "retain_data": retains_data(settings),
    }
    if isinstance(given.zones, int):
        args["zone_count"] = given.zones
    else:
        args["zone_ids"] = given.zones
    if environment.cloud == "gcp":
        args["project"] = (
            environment.project_id or ""
        )  # a missing one is reported by stacks/validation/environment.py
        args["region"] = environment.region
    elif settings.cluster.prefix_delegation:
        args["prefix_delegation"] = True
    args.update(cast(NetworkArgs, _said(given, "nodes", "pods_per_node", "google_apis", "private_services")))
    return args


def retains_data(settings: Settings) -> bool:
    """Prod's logs and keys outlive it, unless its file says that they go too."""
    return settings.environment.profile == "prod" and settings.environment.teardown != "with_data"


def runner(settings: Settings, network: NetworkReferenceArgs, stack: str) -> RunnerArgs:
    """Arguments of the runner. stack: the one that its runs are about."""
    given = settings.runner
    variables = {"STACK": stack, "COMMAND": "preview"}
    if given.state is not None:
        variables["PULUMI_BACKEND_URL"] = given.state
    args: RunnerArgs = {
        "prefix": settings.environment.prefix,
        "network": network,
        "deployer_role_arn": given.deployer
        or UNKNOWN,  # a missing one is reported by stacks/validation/runner.py
        "github_workflows": given.workflows,
        "github_actors": given.actors,
        "environment_variables": variables,
        "timeout_minutes": given.timeout_minutes,
        "log_retention_days": given.log_retention_days or settings.cluster.log_retention_days,
        "retain_data": retains_data(settings),
    }
    if given.repository is not None:
        args["repository"] = given.repository
    if given.connection is not None:
        args["connection_arn"] = given.connection
    if given.revision is not None:
        args["revision"] = given.revision
    if given.buildspec is not None:
        args["buildspec"] = given.buildspec
    if given.concurrent_runs is not None:
        args["concurrent_runs"] = given.concurrent_runs
    return args


def cluster(
    settings: Settings, network: NetworkReferenceArgs, runner_group: Input[str] | None = None
) -> ClusterArgs:
    """Arguments of the cluster. runner_group: the security group of the runner, where there is one: then it
    alone reaches the API, and the role that it works as administers the cluster."""
    given = settings.cluster
    access: ApiAccessArgs = {"mode": "in_vpc"}
    admins = given.admins
    if given.api_access == "dns":
        access = {"mode": "dns"}
    elif given.api_access != "in_vpc":
        access = {"mode": "cidrs", "cidrs": given.api_access.cidrs}
    elif runner_group is not None:
        access["security_group_id"] = runner_group
        admins = list(dict.fromkeys([*admins, str(settings.runner.deployer)]))
    kept = not settings.environment.teardown
    args: ClusterArgs = {
        "prefix": settings.environment.prefix,
        "version": given.version,
        "network": network,
        "api_access": access,
        "log_retention_days": given.log_retention_days,
        "deletion_protection": given.deletion_protection and kept,
        "protect": settings.environment.profile == "prod" and kept,
        "retain_data": retains_data(settings),
        "system_nodes": {
            "instance_types": given.system_nodes.instance_types,
            "min": given.system_nodes.min,
            "max": given.system_nodes.max,
            "disk_gib": given.system_nodes.disk_gib,
            "force_update": _evicts(settings, given.system_nodes.force_update),
        },
        "admins": admins,
        "addons": {name: {"version": version} for name, version in given.addons.items()},
    }
    args.update(cast(ClusterArgs, _said(given, *_PASSED_ON)))
    if settings.environment.cloud == "gcp":
        args["multi_networking"] = multi_networking(settings)
        runnable = runnable_images(settings)
        if runnable is not None:
            args["binary_authorization"] = runnable
    else:
        args["creator_is_admin"] = runner_group is None
        args["tags"] = settings.environment.all_tags
    return args


def multi_networking(settings: Settings) -> bool:
    """Whether Pods may have further network interfaces: as the file says, else as its GPU pools need it."""
    said = settings.cluster.multi_networking
    if said is not None:
        return said
    return any(takes_gpudirect(pool) for pool in settings.gpu_pools.values())


def takes_gpudirect(pool: GpuPool) -> bool:
    """Whether nodes of a pool on Google Cloud have the networks of GPUDirect."""
    wanted = (pool.accelerator, pool.count)
    machine = next((each for each in MACHINES if (each.accelerator, each.count) == wanted), None)
    return machine is not None and machine.fabric is not None and pool.gpudirect is not False


def runnable_images(settings: Settings) -> list[str] | None:
    """The patterns of images that may run in addition to Google's own, or None where all may: the file's, in
    prod by default those of the project's own registries in this region; and the platform's own images."""
    patterns, environment = settings.cluster.binary_authorization, settings.environment
    if patterns is None and environment.profile == "prod":
        patterns = [f"{environment.region}-docker.pkg.dev/{environment.project_id}/**"]
    return images.admitted(settings, patterns) if patterns else patterns


def node_pool(
    settings: Settings,
    name: str,
    pool: NodePool,
    cluster: ClusterReferenceArgs,
    network: NetworkReferenceArgs,
) -> NodePoolArgs:
    """Arguments of a CPU pool."""
    return {
        "prefix": settings.environment.prefix,
        "name": name,
        "cluster": cluster,
        "network": network,
        "instance_types": pool.instance_types,
        "capacity": list(pool.capacity),
        **_common(settings, pool),
    }


def gpu_pool(
    settings: Settings, name: str, pool: GpuPool, cluster: ClusterReferenceArgs, network: NetworkReferenceArgs
) -> GpuPoolArgs:
    """Arguments of a GPU pool."""
    args: GpuPoolArgs = {
        "prefix": settings.environment.prefix,
        "name": name,
        "cluster": cluster,
        "network": network,
        "accelerator": pool.accelerator,
        "count": pool.count,
        "capacity": [_capacity(entry) for entry in pool.capacity],
        **_common(settings, pool),
    }
    args.update(cast(GpuPoolArgs, _said(pool, *_OF_GPU_POOLS)))
    return args


class _Common(TypedDict):
    """What pools of both kinds take alike."""

    min: int
    max: int
    labels: dict[str, str]
    taints: list[TaintArgs]
    disk_gib: int
    force_update: bool
    tags: NotRequired[dict[str, str]]
    zones: NotRequired[list[str]]
    image: NotRequired[str]


def _common(settings: Settings, pool: Pool) -> _Common:
    args: _Common = {
        "min": pool.min,
        "max": pool.max,
        "labels": pool.labels,
        "taints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in pool.taints],
        "disk_gib": pool.disk_gib,
        "force_update": _evicts(settings, pool.force_update),
    }
    if settings.environment.cloud == "aws":
        # The provider's default tags end at what it makes itself: who pays for the instances and volumes that
        # EC2 Auto Scaling makes, their launch template has to say.
        args["tags"] = settings.environment.all_tags
    if pool.zones:
        args["zones"] = pool.zones
    if pool.image is not None:
        args["image"] = pool.image
    return args


def _evicts(settings: Settings, said: bool | None) -> bool:
    """As the file says, else only dev does so; on Google Cloud there is nothing to ask for."""
    if said is not None:
        return said
    return settings.environment.cloud == "aws" and settings.environment.profile == "dev"


def workload_identity(settings: Settings, name: str, cluster: ClusterReferenceArgs) -> WorkloadIdentityArgs:
    """Arguments of a workload identity."""
    identity = settings.identities[name]
    return {
        "prefix": settings.environment.prefix,
        "name": name,
        "cluster": cluster,
        "namespace": identity.namespace,
        "service_account": identity.service_account,
    }


def autoscaler(
    settings: Settings, cluster: ClusterReferenceArgs, node_groups: Sequence[Any]
) -> ClusterAutoscalerArgs:
    """Arguments of the Cluster Autoscaler."""
    given = settings.cluster.autoscaling
    args: ClusterAutoscalerArgs = {
        "prefix": settings.environment.prefix,
        "cluster": cluster,
        "node_groups": list(node_groups),
        "mirrors": settings.images.mirrors,
    }
    if given is not None:
        args["replicas"] = given.replicas
        args["scale_down_after_minutes"] = given.scale_down_unneeded_minutes
    return args


def device_plugins(settings: Settings, wanted: Collection[str]) -> DevicePluginsArgs:
    """Arguments of the device plugins; `wanted`: the pools' outputs `device_plugin`."""
    return {
        "nvidia": "nvidia" in wanted,
        "neuron": "neuron" in wanted,
        "mirrors": settings.images.mirrors,
    }


def _capacity(entry: str | CapacityEntry) -> CapacityArgs:
    if isinstance(entry, str):
        return {"type": cast(CapacityType, entry)}
    args: CapacityArgs = {"type": entry.type}
    if entry.capacity_block:
        args["capacity_block"] = True
    if entry.instance_types:
        args["instance_types"] = entry.instance_types
    args.update(cast(CapacityArgs, _said(entry, "reservation_id", "zone", "max_run_hours")))
    return args


def _said(topic: Topic, *names: str) -> dict[str, Any]:
    """Those of these keys that the file or its profile says, objects as plain ones: the component has the
    defaults of the others."""
    said = topic.model_dump(include=set(names), exclude_none=True)
    return {name: value for name, value in said.items() if value != []}
