"""What components refuse of the arguments that an environment file leads to.

A component states the rules of its arguments. Here they are evaluated before anything is registered, and each
problem is mapped to the key of the file that caused it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from aiplatform._shared.args import UNKNOWN, ArgumentError, Problem, got, read
from aiplatform._shared.kubernetes import image_versions
from aiplatform.addons.args import AddonsSettings
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerSettings
from aiplatform.container_registry.args import ContainerRegistrySettings
from aiplatform.continuous_training.args import ContinuousTrainingSettings
from aiplatform.cost.args import CostSettings
from aiplatform.feature_store.args import FeatureStoreSettings
from aiplatform.function.args import FunctionSettings
from aiplatform.gateway.args import GatewaySettings
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.planned import planned as planned_gpu_pool
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.karpenter.args import KarpenterSettings
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.log_bucket.args import LogBucketSettings
from aiplatform.model_monitor.args import ModelMonitorSettings
from aiplatform.model_registry.args import ModelRegistrySettings
from aiplatform.model_store.args import ModelStoreSettings
from aiplatform.naming import tightest
from aiplatform.network.args import NetworkReference, NetworkSettings
from aiplatform.node_pool.args import NodePoolSettings
from aiplatform.node_pool.planned import planned as planned_node_pool
from aiplatform.observability.args import ObservabilitySettings
from aiplatform.pipelines.args import PipelinesSettings
from aiplatform.queues.args import QueuesSettings
from aiplatform.runner.args import RunnerSettings
from aiplatform.serving.args import ServingSettings
from aiplatform.teams.args import TeamsSettings
from aiplatform.training.args import TrainingSettings
from aiplatform.workflow.args import WorkflowSettings
from aiplatform.workload_identity.args import WorkloadIdentitySettings
from stacks import (
    arguments,
    continuous_training_arguments,
    cost_arguments,
    data_arguments,
    function_arguments,
    gateway_arguments,
    log_bucket_arguments,
    model_monitor_arguments,
    network_arguments,
    serving_arguments,
    serving_images,
    team_arguments,
    workflow_arguments,
)
from stacks.settings import Settings
from stacks.settings.generated import stated
from stacks.settings.kubernetes import CHARTS_VARIABLE
from stacks.validation import continuous_training, environment, placeholders, team_keys
from stacks.validation.placeholders import Placeholders

_LOCATION: Final = {"project": "environment.project_id", "region": "environment.region"}
_CAUSED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "addons": {"mirrors": "images.mirrors"},
    "karpenter": {"pools": "gpu_pools"},
    "cluster_autoscaler": {"mirrors": "images.mirrors", "cluster": "cluster"},
    "network": {f"gcp.{argument}": key for argument, key in _LOCATION.items()},
    "node_pools": {"name": "{topic}", "network": "{topic}.instance_types"},
    "gpu_pools": {"name": "{topic}", "network": "{topic}.accelerator", "mirrors": "images.mirrors"},
    "gateway": {"charts": "addons.charts", "mirrors": "images.mirrors", "teams": "teams"},
    "queues": {"node_pools": "node_pools", "gpu_pools": "gpu_pools"},
    "observability": {
        "addons": "addons",
        "charts": "addons.charts",
        "gpu_pools": "gpu_pools",
        "mirrors": "images.mirrors",
        "node_pools": "node_pools",
        "secrets_role_arn": "addons.options.external-secrets.enabled",
    },
    "training": {
        "charts": "addons.charts",
        "gpu_pools": "gpu_pools",
        "mirrors": "images.mirrors",
        "node_pools": "node_pools",
        "topologies": "queues.topologies",
    },
    "cost": {"prometheus_url": "observability"},
    "continuous_training": {"release_image": "model_store.image"},
    "pipelines": {"charts": "addons.charts", "mirrors": "images.mirrors"},
    "serving": {
        "gpu_pools": "gpu_pools",
        "image": "model_store.image",
        "mirrors": "images.mirrors",
        "node_pools": "node_pools",
        "prometheus_url": "observability",
        "request_logs": "model_monitor",
    },
    "workflows": {"name": "{topic}", **_LOCATION},
    "workload_identities": {"name": "{topic}"},
    "lakehouse": _LOCATION,
    "log_bucket": {**_LOCATION, "excluded_functions": "functions", "excluded_workflows": "workflows"},
    "feature_store": {"mirrors": "images.mirrors"},
    "container_registry": _LOCATION,
    "functions": {**_LOCATION, "name": "{topic}", "network": "{topic}.in_network"},
    "model_registry": {"mirrors": "images.mirrors", "network": "network.gcp.private_services"},
}
"""Topic -> argument that the topic does not have -> key that decides it."""
_EXISTING: Final = "network.existing"
_OF_MACHINES: Final = ("name", "accelerator", "count")
"""The arguments of a GPU pool that decide its machines."""
_PREFIX: Final = "environment.name"
"""The key that, with environment.org, decides every component's `prefix`."""


def problems(settings: Settings) -> list[Problem]:
    """Return everything that a component would refuse."""
    references = placeholders.of(settings)
    existing = network_arguments.existing_network(settings)
    if existing is not None:
        # Components that refer to it would report its problems again.
        reported = _problems_of(_EXISTING, NetworkReference, existing)
        if reported:
            return reported
    collected = _problems_of("network", NetworkSettings, arguments.network(settings)) if not existing else []
    if any(problem.path == "network.cidr" for problem in collected):
        # Components that refer to the network would report its range again.
        references = replace(references, network={**references.network, "cidr": UNKNOWN})
    for topic, model, args in _components(settings, references):
        collected += _problems_of(topic, model, args)
    collected += _problems_of_pool_users(settings, references)
    # `environment` has rules for project, region and tags, which reach every component.
    reported = environment.invalid_keys(settings)
    collected = [
        problem
        for problem in collected
        if problem.path not in reported and not problem.path.endswith(".tags")
    ]
    collected = [_with_cause_of_release(settings, problem) for problem in collected]
    collected = [problem for problem in collected if not _is_derived_entry(settings, problem)]
    collected = [team_keys.with_cause(settings, problem) for problem in collected]
    collected += _images_of_other_cloud(settings)
    return list(dict.fromkeys(_with_one_prefix_problem(_with_one_version_problem(collected))))


def unknown_machines(settings: Settings) -> list[Problem]:
    """Return the problems of the names, accelerators and counts of GPU pools: without them nothing else of a
    file can be derived from its pools."""
    references = placeholders.of(settings)
    location = (references.cluster, references.network)
    collected: list[Problem] = []
    for name, pool in settings.gpu_pools.items():
        try:
            read(GpuPoolSettings, arguments.gpu_pool(settings, name, pool, *location), "Args")
        except ArgumentError as error:
            decisive = [p for p in error.problems if p.path.partition(".")[2] in _OF_MACHINES]
            collected += [Problem(_key(f"gpu_pools.{name}", p.path), p.reason) for p in decisive]
    return collected


def _components(
    settings: Settings, references: Placeholders
) -> Iterator[tuple[str, type[Any], Mapping[str, Any]]]:
    """Yield topic, model and arguments of each component that the file asks for."""
    cluster, network = references.cluster, references.network
    yield "cluster", ClusterSettings, arguments.cluster(settings, network)
    if settings.cluster_autoscaler is not None:
        yield "cluster_autoscaler", ClusterAutoscalerSettings, arguments.autoscaler(settings, cluster, [])
    if settings.has_runner:
        yield "runner", RunnerSettings, arguments.runner(settings, network, UNKNOWN)
    for name, node_pool in settings.node_pools.items():
        args = arguments.node_pool(settings, name, node_pool, cluster, network)
        yield f"node_pools.{name}", NodePoolSettings, args
    for name, gpu_pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, gpu_pool, cluster, network)
        yield f"gpu_pools.{name}", GpuPoolSettings, args
    for name in settings.workload_identities:
        args = arguments.workload_identity(settings, name, cluster)
        yield f"workload_identities.{name}", WorkloadIdentitySettings, args
    if settings.addons is not None:
        yield "addons", AddonsSettings, arguments.addons(settings, cluster)
    # A profile states the topic for every environment on AWS.
    if settings.karpenter_pools or (settings.karpenter is not None and settings.environment.cloud != "aws"):
        args = arguments.karpenter(settings, cluster, placeholders.karpenter_pools(settings))
        yield "karpenter", KarpenterSettings, args
    if settings.guardrails is not None:
        yield "guardrails", GuardrailsSettings, arguments.guardrails(settings)
    yield from _data_and_models(settings, references)
    if settings.teams:
        offered = placeholders.offered_to_teams(settings, references)
        yield "teams", TeamsSettings, team_arguments.teams(settings, offered)
    if settings.gateway is not None:
        yield "gateway", GatewaySettings, gateway_arguments.gateway(settings, cluster)
    # Other teams are reported by cross_references.
    if settings.pipelines is not None and settings.pipelines.teams.keys() <= settings.teams.keys():
        yield "pipelines", PipelinesSettings, data_arguments.pipelines(settings, references)
    yield from _continuous_training(settings, references)
    yield from _model_monitor(settings, references)
    yield from _functions(settings, references)


def _functions(
    settings: Settings, references: Placeholders
) -> Iterator[tuple[str, type[Any], Mapping[str, Any]]]:
    lakehouse = placeholders.offered_lakehouse(settings, references)
    offered = function_arguments.Offered(
        references.network, lakehouse, references.principals, _log_bucket(settings)
    )
    for name in settings.functions:
        args = function_arguments.function(settings, name, offered)
        yield f"functions.{name}", FunctionSettings, args


def _log_bucket(settings: Settings) -> Any:
    """Return the log bucket that functions and workflows share; AWS has none, which its component reports."""
    return UNKNOWN if settings.log_bucket is not None and settings.environment.cloud == "gcp" else None


def _model_monitor(
    settings: Settings, references: Placeholders
) -> Iterator[tuple[str, type[Any], Mapping[str, Any]]]:
    # What it lacks of other topics is reported by stacks/validation/model_monitor.py.
    monitored = model_monitor_arguments.declared(settings)
    if monitored and monitored.keys() <= settings.teams.keys():
        args = model_monitor_arguments.model_monitor(
            settings, placeholders.offered_to_model_monitor(references)
        )
        yield "model_monitor", ModelMonitorSettings, args


def _continuous_training(
    settings: Settings, references: Placeholders
) -> Iterator[tuple[str, type[Any], Mapping[str, Any]]]:
    # What it lacks of other topics is reported by stacks/validation/continuous_training.py.
    teams = continuous_training_arguments.declared(settings)
    if teams and teams.keys() <= settings.teams.keys() and serving_images.release_image(settings):
        of_layers = placeholders.offered_to_continuous_training(references)
        args = continuous_training_arguments.continuous_training(settings, of_layers)
        yield "continuous_training", ContinuousTrainingSettings, args


def _data_and_models(
    settings: Settings, references: Placeholders
) -> Iterator[tuple[str, type[Any], Mapping[str, Any]]]:
    """Yield topic, model and arguments of the components of data and models, of costs and of workflows."""
    if settings.lakehouse is not None:
        yield "lakehouse", LakehouseSettings, data_arguments.lakehouse(settings, references)
    if settings.feature_store is not None:
        args = data_arguments.feature_store(settings, references, references.lakehouse)
        yield "feature_store", FeatureStoreSettings, args
    if settings.controls_costs:
        url = placeholders.PROMETHEUS if settings.observability is not None else None
        yield "cost", CostSettings, cost_arguments.cost(settings, references.cluster, url)
    if settings.log_bucket is not None:
        yield "log_bucket", LogBucketSettings, log_bucket_arguments.log_bucket(settings)
    for name in settings.workflows:
        args = workflow_arguments.workflow(settings, name, _log_bucket(settings))
        yield f"workflows.{name}", WorkflowSettings, args
    if settings.container_registry is not None:
        args = data_arguments.container_registry(settings, references)
        yield "container_registry", ContainerRegistrySettings, args
    if settings.model_registry is not None:
        args = data_arguments.model_registry(settings, references)
        yield "model_registry", ModelRegistrySettings, args
    if settings.model_store is not None:
        registry = placeholders.model_registry(settings)
        yield "model_store", ModelStoreSettings, data_arguments.model_store(settings, references, registry)


def _problems_of_pool_users(settings: Settings, references: Placeholders) -> list[Problem]:
    """Return the problems of queues, training, serving and observability; none where a pool has one: quotas
    are parts of pools."""
    users = (settings.queues, settings.observability, settings.training, settings.serving)
    if all(user is None for user in users):
        return []
    location = (references.cluster, references.network)
    if settings.node_pools.keys() & settings.gpu_pools.keys():
        return []  # reported by cross_references
    try:
        cpus = [
            read(NodePoolSettings, arguments.node_pool(settings, name, pool, *location), "Args")
            for name, pool in settings.node_pools.items()
        ]
        gpus = [
            read(GpuPoolSettings, arguments.gpu_pool(settings, name, pool, *location), "Args")
            for name, pool in settings.gpu_pools.items()
        ]
        node_pools = [planned_node_pool(pool) for pool in cpus]
        gpu_pools = [planned_gpu_pool(pool) for pool in gpus]
    except ArgumentError:
        return []
    collected: list[Problem] = []
    if settings.queues is not None:
        args: Any = arguments.queues(settings, node_pools, gpu_pools)
        collected += _problems_of("queues", QueuesSettings, args)
    if settings.training is not None:
        of_training: Any = arguments.training(settings, references.cluster, node_pools, gpu_pools)
        collected += _problems_of("training", TrainingSettings, of_training)
        collected += continuous_training.runtime_problems(settings, of_training)
    # What it lacks of other topics is reported by stacks/validation/serving.py.
    if settings.serving is not None and serving_images.release_image(settings) is not None:
        offered = placeholders.offered_to_serving(settings, references, node_pools, gpu_pools)
        args = serving_arguments.serving(settings, offered)
        collected += _problems_of("serving", ServingSettings, args)
    # Without add-ons cross_references reports it.
    if settings.observability is not None and settings.addons is not None:
        addons = placeholders.installed_addons(settings, references)
        args = arguments.observability(
            settings, references.cluster, addons, (node_pools, gpu_pools), settings.queue_names
        )
        collected += _problems_of("observability", ObservabilitySettings, args)
    return collected


def _problems_of(topic: str, model: type[Any], args: Mapping[str, Any]) -> list[Problem]:
    try:
        read(model, args, "Args")
    except ArgumentError as error:
        return by_key(topic, error)
    return []


def by_key(topic: str, error: ArgumentError) -> list[Problem]:
    """Return a component's problems by the keys of the file that caused them."""
    return [Problem(_key(topic, problem.path), problem.reason) for problem in error.problems]


def _key(topic: str, path: str) -> str:
    """Return the key that decides a component's argument: `cluster.version` for `ClusterArgs.version`."""
    argument = path.partition(".")[2]
    if topic == "cluster_autoscaler" and argument.startswith("cluster."):
        return argument
    head = re.split(r"\W", argument, maxsplit=1)[0]
    if topic == "teams" and head == "teams":
        return argument
    if (
        topic in ("addons", "gateway", "observability", "serving", "training")
        and head == "charts"
        and os.environ.get(CHARTS_VARIABLE)
    ):
        return CHARTS_VARIABLE
    if head == "prefix":
        return _PREFIX
    if topic == "cluster" and head == "network":
        # Of a network that is created there is no problem.
        return _EXISTING + argument.removeprefix("network")
    causes = _CAUSED_BY.get(topic.partition(".")[0], {})
    cause = causes.get(argument) or causes.get(head)
    return cause.format(topic=topic) if cause is not None else ".".join(filter(None, [topic, argument]))


def _images_of_other_cloud(settings: Settings) -> list[Problem]:
    on_google = settings.environment.cloud == "gcp"
    return [
        Problem(f"node_images.{image}", f"{got(release)}; expected none: these nodes are of the other cloud")
        for image, release in stated(settings.node_images).items()
        if (image == image_versions.GKE) != on_google
    ]


def _is_derived_entry(settings: Settings, problem: Problem) -> bool:
    """Return whether a problem is of an entry that the platform adds to a list of the guardrails, for an
    image of another topic. That topic reports the image."""
    match = re.fullmatch(r"guardrails\.(allowed_registries|digest_exceptions)\[(\d+)\]", problem.path)
    if match is None or settings.guardrails is None:
        return False
    return int(match.group(2)) >= len(stated(settings.guardrails).get(match.group(1), []))


def _with_cause_of_release(settings: Settings, problem: Problem) -> Problem:
    """Return a problem of a release with the key that states it: of the nodes, or the default of all."""
    nodes, _, argument = problem.path.rpartition(".")
    if argument != "image_version":
        return problem
    topic, _, name = nodes.partition(".")
    stating: Any = settings.cluster.system_nodes if topic == "cluster" else getattr(settings, topic)[name]
    if stating.image_version is not None:
        return problem
    image = "al2023" if topic == "cluster" else arguments.node_image(stating)
    return Problem(f"node_images.{image_versions.kind(settings.environment.cloud, image)}", problem.reason)


def _with_one_version_problem(collected: list[Problem]) -> list[Problem]:
    """Return the problems without those of the autoscaler and of releases of nodes that only follow from a
    version that the cluster refuses."""
    first = next((problem for problem in collected if problem.path == "cluster.version"), None)
    return [
        problem
        for problem in collected
        if first is None
        or problem is first
        or not (problem.path == "cluster.version" or problem.path.startswith("node_images."))
    ]


def _with_one_prefix_problem(collected: list[Problem]) -> list[Problem]:
    """Return the problems with one of the prefix: each component has a limit, and the tightest applies."""
    reasons = [problem.reason for problem in collected if problem.path == _PREFIX]
    if not reasons:
        return collected
    reason = f"together with environment.org it is the prefix of all names; {tightest(reasons)}"
    others = [
        problem
        for problem in collected
        if problem.path != _PREFIX
        and not _is_identity_name(problem.path)
        and " after prefix " not in problem.reason
    ]
    return [Problem(_PREFIX, reason), *others]


def _is_identity_name(path: str) -> bool:
    """Return whether a problem is of an identity's name, which the prefix begins."""
    return path.startswith("workload_identities.") and path.count(".") == 1


def valid_gpu_pools(settings: Settings) -> dict[str, GpuPoolSettings]:
    """Return the GPU pools whose arguments the component accepts, by name."""
    references = placeholders.of(settings)
    pools: dict[str, GpuPoolSettings] = {}
    for name, pool in settings.gpu_pools.items():
        args = arguments.gpu_pool(settings, name, pool, references.cluster, references.network)
        try:
            pools[name] = read(GpuPoolSettings, args, "GpuPoolArgs")
        except ArgumentError:
            continue  # reported by `problems`
    return pools
