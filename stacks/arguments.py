"""From the settings to the arguments of components. Pure: no resource, no call.

The component is the judge of its arguments. `faults` asks it before anything is registered and tells each
fault by the key of the environment file that caused it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from pulumi import Input

from aiplatform._args import ArgumentError, read
from aiplatform._kubernetes import TaintArgs
from aiplatform._references import ClusterReferenceArgs
from aiplatform.cluster import ApiAccessArgs, ClusterArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster_autoscaler import ClusterAutoscalerArgs
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerSettings
from aiplatform.device_plugins import DevicePluginsArgs
from aiplatform.gpu_pool import CapacityArgs, GpuPoolArgs
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.naming import tightest
from aiplatform.network import NetworkArgs, NetworkReferenceArgs
from aiplatform.network.args import NetworkSettings
from aiplatform.node_pool import NodePoolArgs
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.runner import RunnerArgs
from aiplatform.runner.args import RunnerSettings
from stacks.settings import CapacityEntry, GpuPool, NodePool, Pool, Settings

# Where a component's argument has another name than the key of the file.
_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "network": {
        "zone_count": "zones",
        "zone_ids": "zones",
        "flow_log_retention_days": "flow_logs.retention_days",
    },
    "cluster": {"scale_down_after_minutes": "autoscaling.scale_down_unneeded_minutes"},
    "runner": {
        "deployer_role_arn": "deployer",
        "connection_arn": "connection",
        "github_workflows": "workflows",
    },
}
# Arguments that the file does not have: whatever is wrong under one of them is this key's to change.
_CAUSED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "cluster": {"mirrors": "images.mirrors"},
    "node_pools": {"name": "{topic}", "network": "{topic}.instance_types"},
    "gpu_pools": {"name": "{topic}", "network": "{topic}.accelerator"},
}
_ROLE_TO_BE: Final = "arn:aws:iam::000000000000:role/to-be"
_PREFIX: Final = "environment.name"
"""The key behind every component's `prefix`, together with environment.org."""


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
        args["project"] = environment.project_id or ""  # Settings.faults tells of a missing one
        args["region"] = environment.region
    if given.nodes is not None:
        args["nodes"] = given.nodes
    if given.pods_per_node is not None:
        args["pods_per_node"] = given.pods_per_node
    if given.google_apis is not None:
        args["google_apis"] = given.google_apis
    if given.private_services is not None:
        args["private_services"] = given.private_services
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
        "deployer_role_arn": given.deployer or _ROLE_TO_BE,  # Settings.faults tells of a missing one
        "github_workflows": given.workflows,
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
    if given.api_access != "in_vpc":
        access = {"mode": "cidrs", "cidrs": given.api_access.cidrs}
    elif runner_group is not None:
        access["security_group_id"] = runner_group
        admins = list(dict.fromkeys([*admins, str(settings.runner.deployer)]))
    kept = not settings.environment.teardown
    return {
        "prefix": settings.environment.prefix,
        "version": given.version,
        "network": network,
        "api_access": access,
        "log_retention_days": given.log_retention_days,
        "deletion_protection": given.deletion_protection and kept,
        "protect": settings.environment.profile == "prod" and kept,
        "retain_data": retains_data(settings),
        "support": given.support,
        "system_nodes": {
            "instance_types": given.system_nodes.instance_types,
            "min": given.system_nodes.min,
            "max": given.system_nodes.max,
            "disk_gib": given.system_nodes.disk_gib,
        },
        "admins": admins,
        "creator_is_admin": runner_group is None,
        "addons": {name: {"version": version} for name, version in given.addons.items()},
        "service_cidr": given.service_cidr,
    }


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
        **_common(pool),
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
        **_common(pool),
    }
    if pool.efa is not None:
        args["efa"] = pool.efa
    if pool.placement_group is not None:
        args["placement_group"] = pool.placement_group
    if pool.instance_store is not None:
        args["instance_store"] = pool.instance_store
    if pool.sharing is not None:
        args["sharing"] = {"strategy": pool.sharing.strategy}
        if pool.sharing.replicas is not None:
            args["sharing"]["replicas"] = pool.sharing.replicas
        if pool.sharing.profile is not None:
            args["sharing"]["profile"] = pool.sharing.profile
    return args


class _Common(TypedDict):
    """What pools of both kinds take alike."""

    min: int
    max: int
    labels: dict[str, str]
    taints: list[TaintArgs]
    disk_gib: int
    zones: NotRequired[list[str]]
    image: NotRequired[str]


def _common(pool: Pool) -> _Common:
    args: _Common = {
        "min": pool.min,
        "max": pool.max,
        "labels": pool.labels,
        "taints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in pool.taints],
        "disk_gib": pool.disk_gib,
    }
    if pool.zones:
        args["zones"] = pool.zones
    if pool.image is not None:
        args["image"] = pool.image
    return args


def autoscaler(
    settings: Settings, cluster: ClusterReferenceArgs, node_groups: Sequence[Any]
) -> ClusterAutoscalerArgs:
    """Arguments of the Cluster Autoscaler."""
    given = settings.cluster.autoscaling
    return {
        "prefix": settings.environment.prefix,
        "cluster": cluster,
        "node_groups": list(node_groups),
        "replicas": given.replicas,
        "scale_down_after_minutes": given.scale_down_unneeded_minutes,
        "mirrors": settings.images.mirrors,
    }


def device_plugins(settings: Settings, wanted: Collection[str]) -> DevicePluginsArgs:
    """Arguments of the device plugins; `wanted`: the pools' outputs `device_plugin`."""
    return {
        "nvidia": "nvidia" in wanted,
        "neuron": "neuron" in wanted,
        "mirrors": settings.images.mirrors,
    }


def faults(settings: Settings) -> list[tuple[str, str]]:
    """(dotted key, reason) of everything that a component would refuse."""
    there = network_to_be(settings, zones_to_be(settings))
    here = cluster_to_be(settings)
    found = [
        *_asked("network", NetworkSettings, lambda: network(settings)),
        *_asked("cluster", ClusterSettings, lambda: cluster(settings, there)),
        *_asked("cluster", ClusterAutoscalerSettings, lambda: autoscaler(settings, here, [])),
    ]
    if settings.has_runner:
        found += _asked("runner", RunnerSettings, lambda: runner(settings, there, "to-be"))
    for name, pool in settings.node_pools.items():
        arguments = node_pool(settings, name, pool, here, there)
        found += _asked(f"node_pools.{name}", NodePoolSettings, lambda given=arguments: given)
    for name, pool in settings.gpu_pools.items():
        arguments = gpu_pool(settings, name, pool, here, there)
        found += _asked(f"gpu_pools.{name}", GpuPoolSettings, lambda given=arguments: given)
    too_long = [reason for key, reason in found if key == _PREFIX]
    if too_long:
        # Every component knows a limit of its own; the tightest is the one to tell.
        reason = f"with environment.org it is the prefix of all names: {tightest(too_long)}"
        found = [(_PREFIX, reason), *((key, reason) for key, reason in found if key != _PREFIX)]
    return list(dict.fromkeys(found))


def key_of(topic: str, path: str) -> str:
    """The key of the file behind a component's argument (`cluster.version` of `ClusterArgs.version`)."""
    argument = path.partition(".")[2]
    argument = argument.removeprefix("cluster.") if topic == "cluster" else argument
    head = re.split(r"\W", argument, maxsplit=1)[0]
    if head == "prefix":
        return _PREFIX
    first = topic.partition(".")[0]
    cause = _CAUSED_BY.get(first, {}).get(head)
    if cause is not None:
        return cause.format(topic=topic)
    renamed = _RENAMED.get(first, {}).get(head, head)
    return ".".join(filter(None, [topic, renamed + argument[len(head) :]]))


def _asked(topic: str, model: type[Any], arguments: Callable[[], Any]) -> list[tuple[str, str]]:
    try:
        read(model, arguments(), "Args")
    except ArgumentError as error:
        return [(key_of(topic, fault.path), fault.reason) for fault in error.faults]
    return []


def _capacity(entry: str | CapacityEntry) -> CapacityArgs:
    if isinstance(entry, str):
        return {"type": entry}
    args: CapacityArgs = {"type": entry.type}
    if entry.reservation_id:
        args["reservation_id"] = entry.reservation_id
    if entry.capacity_block:
        args["capacity_block"] = True
    if entry.zone:
        args["zone"] = entry.zone
    if entry.instance_types:
        args["instance_types"] = entry.instance_types
    return args


def cluster_to_be(settings: Settings) -> ClusterReferenceArgs:
    """A cluster in the shape of one that is there, to ask about arguments that refer to it."""
    return {
        "name": "to-be",
        "security_group_id": "sg-0",
        "version": settings.cluster.version,
        "node_role_arn": _ROLE_TO_BE,
    }


def zones_to_be(settings: Settings) -> Sequence[str]:
    """Where the file gives a number of zones, which they are is the cloud's to say: those that pools name
    stand for them."""
    given = settings.network.zones
    if not isinstance(given, int):
        return given
    named = [zone for pool in settings.gpu_pools.values() for zone in _zones_named(pool)]
    return list(dict.fromkeys(named)) or ["xx-az1", "xx-az2"]


def network_to_be(settings: Settings, zones: Sequence[str]) -> NetworkReferenceArgs:
    """A network in the shape of one that is there, over these zones."""
    subnets = [f"subnet-{zone}" for zone in zones]
    while len(subnets) < 2:  # the cluster asks for two
        subnets.append("subnet-other")
    return {
        "vpc_id": "vpc-0",
        "cidr": settings.network.cidr,
        "private_subnet_ids": subnets,
        "intra_subnet_ids": subnets,
        "zones": [{"id": zone, "name": zone, "private_subnet_id": f"subnet-{zone}"} for zone in zones],
    }


def _zones_named(pool: GpuPool) -> list[str]:
    entries = [entry.zone for entry in pool.capacity if isinstance(entry, CapacityEntry) and entry.zone]
    return [*pool.zones, *entries]
