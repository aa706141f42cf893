"""What the components say of the arguments that an environment file leads to. Pure: no resource, no call.

The component is the judge of its arguments. `problems` asks it before anything is registered and tells each
problem by the key of the environment file that caused it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform._shared.args import ArgumentError, read
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerSettings
from aiplatform.container_registry.args import ContainerRegistrySettings
from aiplatform.feature_store.args import FeatureStoreSettings
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.model_registry.args import ModelRegistrySettings
from aiplatform.naming import tightest
from aiplatform.network.args import NetworkSettings
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.runner.args import RunnerSettings
from aiplatform.workload_identity.args import WorkloadIdentitySettings
from stacks import arguments, data_arguments
from stacks.settings import Settings
from stacks.to_be import (
    FoundationToBe,
    cluster_to_be,
    foundation_to_be,
    lakehouse_to_be,
    network_to_be,
    zones_to_be,
)

_OF_ENVIRONMENT: Final = {"project": "environment.project_id", "region": "environment.region"}
# Arguments that the file does not have: whatever is wrong under one of them is this key's to change.
_CAUSED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "cluster_autoscaler": {"mirrors": "images.mirrors", "cluster": "cluster"},
    "network": {f"gcp.{key}": place for key, place in _OF_ENVIRONMENT.items()},
    "node_pools": {"name": "{topic}", "network": "{topic}.instance_types"},
    "gpu_pools": {"name": "{topic}", "network": "{topic}.accelerator"},
    "workload_identities": {"name": "{topic}"},
    "lakehouse": _OF_ENVIRONMENT,
    "feature_store": {"mirrors": "images.mirrors"},
    "container_registry": _OF_ENVIRONMENT,
    "model_registry": {"mirrors": "images.mirrors", "network": "network.gcp.private_services"},
}
_GOOD_CIDR: Final = "10.0.0.0/16"
"""Stands for a range that the network refuses, so that nobody else refuses it once more."""
_PREFIX: Final = "environment.name"
"""The key behind every component's `prefix`, together with environment.org."""


def problems(settings: Settings) -> list[tuple[str, str]]:
    """(dotted key, reason) of everything that a component would refuse."""
    there = network_to_be(settings, zones_to_be(settings))
    here = cluster_to_be(settings)
    found = _asked("network", NetworkSettings, lambda: arguments.network(settings))
    if "network.cidr" in dict(found):
        there["cidr"] = _GOOD_CIDR
    found += _asked("cluster", ClusterSettings, lambda: arguments.cluster(settings, there))
    if settings.cluster_autoscaler is not None:
        known = dict(found)
        model = ClusterAutoscalerSettings
        asked = _asked("cluster_autoscaler", model, lambda: arguments.autoscaler(settings, here, []))
        # A version that the cluster refuses is told once.
        found += [(key, reason) for key, reason in asked if key not in known]
    if settings.has_runner:
        found += _asked("runner", RunnerSettings, lambda: arguments.runner(settings, there, "to-be"))
    for name, pool in settings.node_pools.items():
        args = arguments.node_pool(settings, name, pool, here, there)
        found += _asked(f"node_pools.{name}", NodePoolSettings, lambda given=args: given)
    for name, pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, pool, here, there)
        found += _asked(f"gpu_pools.{name}", GpuPoolSettings, lambda given=args: given)
    found += _above(settings, foundation_to_be(settings, there))
    # Every component's tags are those of the environment, which Settings.problems judges, as it does project
    # and region: told once.
    told = {f"environment.{name}" for name, _ in settings.environment.problems()}
    found = [(key, reason) for key, reason in found if key not in told and not key.endswith(".tags")]
    too_long = [reason for key, reason in found if key == _PREFIX]
    if too_long:
        # Every component knows a limit of its own; the tightest is the one to tell.
        reason = f"with environment.org it is the prefix of all names: {tightest(too_long)}"
        rest = [(key, reason) for key, reason in found if key != _PREFIX and not _is_identity(key)]
        found = [(_PREFIX, reason), *rest]
    return list(dict.fromkeys(found))


def _is_identity(key: str) -> bool:
    """Return whether a problem is about an identity's own name."""
    return key.startswith("workload_identities.") and key.count(".") == 1


def _above(settings: Settings, below: FoundationToBe) -> list[tuple[str, str]]:
    """Of the layers above the first."""
    found: list[tuple[str, str]] = []
    for name in settings.workload_identities:
        args = arguments.workload_identity(settings, name, cluster_to_be(settings))
        found += _asked(f"workload_identities.{name}", WorkloadIdentitySettings, lambda given=args: given)
    if settings.lakehouse is not None:
        lakehouse = data_arguments.lakehouse(settings, below)
        found += _asked("lakehouse", LakehouseSettings, lambda: lakehouse)
    if settings.feature_store is not None:
        store = data_arguments.feature_store(settings, below, lakehouse_to_be(settings))
        found += _asked("feature_store", FeatureStoreSettings, lambda: store)
    if settings.container_registry is not None:
        images = data_arguments.container_registry(settings, below)
        found += _asked("container_registry", ContainerRegistrySettings, lambda: images)
    if settings.model_registry is not None:
        models = data_arguments.model_registry(settings, below)
        found += _asked("model_registry", ModelRegistrySettings, lambda: models)
    return found


def key_of(topic: str, path: str) -> str:
    """The key of the file behind a component's argument (`cluster.version` of `ClusterArgs.version`)."""
    argument = path.partition(".")[2]
    if topic == "cluster_autoscaler" and argument.startswith("cluster."):
        return argument
    head = re.split(r"\W", argument, maxsplit=1)[0]
    if head == "prefix":
        return _PREFIX
    causes = _CAUSED_BY.get(topic.partition(".")[0], {})
    cause = causes.get(argument) or causes.get(head)
    return cause.format(topic=topic) if cause is not None else ".".join(filter(None, [topic, argument]))


def _asked(topic: str, model: type[Any], given: Callable[[], Any]) -> list[tuple[str, str]]:
    try:
        read(model, given(), "Args")
    except ArgumentError as error:
        return [(key_of(topic, problem.path), problem.reason) for problem in error.problems]
    return []
