"""What the components say of the arguments that an environment file leads to. Pure: no resource, no call.

The component is the judge of its arguments. `faults` asks it before anything is registered and tells each
fault by the key of the environment file that caused it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from aiplatform._args import ArgumentError, read
from aiplatform._google import first_zones
from aiplatform._references import ClusterReferenceArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerSettings
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.naming import tightest
from aiplatform.network import NetworkReferenceArgs
from aiplatform.network.args import NetworkSettings
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.runner.args import RunnerSettings
from aiplatform.workload_identity.args import WorkloadIdentitySettings
from stacks import arguments, data_arguments
from stacks.settings import CapacityEntry, GpuPool, NodePool, Settings

# Where a component's argument has another name than the key of the file.
_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "network": {
        "zone_count": "zones",
        "zone_ids": "zones",
        "flow_log_retention_days": "flow_logs.retention_days",
    },
    "cluster.autoscaling": {"scale_down_after_minutes": "scale_down_unneeded_minutes"},
    "runner": {
        "deployer_role_arn": "deployer",
        "connection_arn": "connection",
        "github_workflows": "workflows",
    },
}
# Arguments that the file does not have: whatever is wrong under one of them is this key's to change.
_CAUSED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "cluster.autoscaling": {"mirrors": "images.mirrors", "version": "cluster.version"},
    # Who reads a file of Google Cloud's knows the environment's keys.
    "network": {"project": "environment.project_id", "region": "environment.region"},
    "node_pools": {"name": "{topic}", "network": "{topic}.instance_types"},
    "gpu_pools": {"name": "{topic}", "network": "{topic}.accelerator"},
    "workload_identities": {"name": "{topic}"},
    "lakehouse": {"project": "environment.project_id", "region": "environment.region"},
}
_GOOD_CIDR: Final = "10.0.0.0/16"
"""Stands for a range that the network refuses, so that nobody else refuses it once more."""
_PREFIX: Final = "environment.name"
"""The key behind every component's `prefix`, together with environment.org."""


def faults(settings: Settings) -> list[tuple[str, str]]:
    """(dotted key, reason) of everything that a component would refuse."""
    there = network_to_be(settings, zones_to_be(settings))
    here = cluster_to_be(settings)
    told = {f"environment.{name}" for name, _ in settings.environment.faults()}
    asked = _asked("network", NetworkSettings, lambda: arguments.network(settings))
    # The environment's rules for project and region are the network's: told once.
    found = [(key, reason) for key, reason in asked if key not in told]
    if "network.cidr" in dict(found):
        there["cidr"] = _GOOD_CIDR
    found += _asked("cluster", ClusterSettings, lambda: arguments.cluster(settings, there))
    if settings.cluster.autoscaling is not None:
        told = dict(found)
        judged = ClusterAutoscalerSettings
        asked = _asked("cluster.autoscaling", judged, lambda: arguments.autoscaler(settings, here, []))
        # A version that the cluster refuses is told once.
        found += [(key, reason) for key, reason in asked if key not in told]
    if settings.has_runner:
        found += _asked("runner", RunnerSettings, lambda: arguments.runner(settings, there, "to-be"))
    for name, pool in settings.node_pools.items():
        args = arguments.node_pool(settings, name, pool, here, there)
        found += _asked(f"node_pools.{name}", NodePoolSettings, lambda given=args: given)
    for name, pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, pool, here, there)
        found += _asked(f"gpu_pools.{name}", GpuPoolSettings, lambda given=args: given)
    for name in settings.workload_identities:
        args = arguments.workload_identity(settings, name, here)
        found += _asked(f"workload_identities.{name}", WorkloadIdentitySettings, lambda given=args: given)
    if settings.lakehouse is not None:
        principals = data_arguments.principals_to_be(settings)
        args = data_arguments.lakehouse(settings, principals)
        found += _asked("lakehouse", LakehouseSettings, lambda given=args: given)
    # Every component's tags are those of the environment, which Settings.faults judges.
    found = [(key, reason) for key, reason in found if not key.endswith(".tags")]
    too_long = [reason for key, reason in found if key == _PREFIX]
    if too_long:
        # Every component knows a limit of its own; the tightest is the one to tell.
        reason = f"with environment.org it is the prefix of all names: {tightest(too_long)}"
        found = [(_PREFIX, reason), *((key, reason) for key, reason in found if key != _PREFIX)]
    return list(dict.fromkeys(found))


def key_of(topic: str, path: str) -> str:
    """The key of the file behind a component's argument (`cluster.version` of `ClusterArgs.version`)."""
    argument = path.partition(".")[2]
    argument = argument.removeprefix("cluster.") if topic.startswith("cluster") else argument
    head = re.split(r"\W", argument, maxsplit=1)[0]
    if head == "prefix":
        return _PREFIX
    first = topic if topic in _RENAMED else topic.partition(".")[0]
    cause = _CAUSED_BY.get(first, {}).get(head)
    if cause is not None:
        return cause.format(topic=topic)
    renamed = _RENAMED.get(first, {}).get(head, head)
    return ".".join(filter(None, [topic, renamed + argument[len(head) :]]))


def _asked(topic: str, model: type[Any], given: Callable[[], Any]) -> list[tuple[str, str]]:
    try:
        read(model, given(), "Args")
    except ArgumentError as error:
        return [(key_of(topic, fault.path), fault.reason) for fault in error.faults]
    return []


def cluster_to_be(settings: Settings) -> ClusterReferenceArgs:
    """A cluster in the shape of one that is there, to ask about arguments that refer to it."""
    if settings.environment.cloud == "gcp":
        return {
            **_place(settings),
            "name": "to-be",
            "version": settings.cluster.version,
            "node_service_account": "to-be@to-be.iam.gserviceaccount.com",
            "workload_pool": "to-be.svc.id.goog",
            "multi_networking": arguments.multi_networking(settings),
        }
    return {
        "name": "to-be",
        "security_group_id": "sg-0",
        "version": settings.cluster.version,
        "node_role_arn": arguments.ROLE_TO_BE,
    }


class _Place(TypedDict):
    """What a reference on Google Cloud says of where it is."""

    cloud: NotRequired[str]
    project: NotRequired[str]
    region: NotRequired[str]


def _place(settings: Settings) -> _Place:
    environment = settings.environment
    if environment.cloud != "gcp":
        return {}
    # A faulty one is told under `environment`, once, and not of every component.
    told = {name for name, _ in environment.faults()}
    project = None if "project_id" in told else environment.project_id
    region = "us-central1" if "region" in told else environment.region
    return {"cloud": "gcp", "project": project or "to-be-0", "region": region}


def zones_to_be(settings: Settings) -> Sequence[str]:
    """Where the file gives a number of zones, which they are is the cloud's to say: those that pools name
    stand for them."""
    given = settings.network.zones
    if not isinstance(given, int):
        return given
    if settings.environment.cloud == "gcp":
        # The network takes them from the same table.
        return first_zones(settings.environment.region, given if given in (2, 3) else 2)
    pools = [*settings.node_pools.values(), *settings.gpu_pools.values()]
    named = [zone for pool in pools for zone in _zones_named(pool)]
    return list(dict.fromkeys(named)) or ["xx-aza", "xx-azb"]


def network_to_be(settings: Settings, zones: Sequence[str]) -> NetworkReferenceArgs:
    """A network in the shape of one that is there, over these zones."""
    subnets = [f"subnet-{zone}" for zone in zones]
    while len(subnets) < 2:  # the cluster asks for two
        subnets.append("subnet-other")
    return {
        **_place(settings),
        "vpc_id": "vpc-0",
        "cidr": settings.network.cidr,
        "private_subnet_ids": subnets,
        "intra_subnet_ids": subnets,
        "zones": [{"id": zone, "name": zone, "private_subnet_id": f"subnet-{zone}"} for zone in zones],
    }


def _zones_named(pool: NodePool | GpuPool) -> list[str]:
    entries = [entry.zone for entry in pool.capacity if isinstance(entry, CapacityEntry) and entry.zone]
    return [*pool.zones, *entries]
