"""The arguments of components, from the settings. Pure: no resource, no call.

A topic's keys are the arguments of its component (stacks/settings/generated.py), so the functions here add
only what the environment supplies: prefix, cloud, references, tags, and defaults that depend on other topics.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from pulumi import Input

from aiplatform._shared.args import UNKNOWN
from aiplatform._shared.kubernetes.names import COST_NAMESPACE
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.addons.args import AddonsArgs
from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.pods_ready import PodsReady
from aiplatform.cluster import ClusterArgs
from aiplatform.cluster_autoscaler import ClusterAutoscalerArgs
from aiplatform.device_plugins import DevicePluginsArgs
from aiplatform.feature_store.args import NAMESPACE as FEATURE_STORE
from aiplatform.gpu_checks.args import GpuChecksArgs
from aiplatform.gpu_pool import CapacityArgs, GpuPoolArgs
from aiplatform.guardrails.args import GuardrailsArgs
from aiplatform.karpenter.args import KarpenterArgs
from aiplatform.model_registry.args import NAMESPACE as MODEL_REGISTRY
from aiplatform.network import NetworkArgs, NetworkReferenceArgs
from aiplatform.node_pool import NodePoolArgs
from aiplatform.observability.args import ObservabilityArgs
from aiplatform.queues.args import QueuesArgs
from aiplatform.runner import RunnerArgs
from aiplatform.training.args import Initializers, TrainingArgs
from aiplatform.workload_identity import WorkloadIdentityArgs
from stacks import (
    addon_options,
    devices,
    fabrics,
    gpu_check_queues,
    images,
    price_list,
    repositories,
    team_parts,
)
from stacks.key_grants import with_key_grants
from stacks.settings import GpuPool, NodePool, Pool, Settings
from stacks.settings.generated import stated
from stacks.settings.kubernetes import CHARTS_VARIABLE
from stacks.settings.runner import ENVIRONMENT_KEYS
from stacks.settings.teams import SERVICE_ACCOUNT

_ROOT: Final = Path(__file__).resolve().parents[1]
START_MINUTES: Final = 30
"""Minutes for new nodes and images, in addition to what a workload downloads: as by default of
`pods_ready`."""


def network(settings: Settings) -> NetworkArgs:
    """Arguments of the network."""
    environment = settings.environment
    args = with_key_grants(settings, stated(settings.network))
    args.pop("existing", None)
    args.update(prefix=environment.prefix, cloud=environment.cloud, retain_data=retains_data(settings))
    if environment.cloud == "gcp":
        # A missing project is reported by stacks/validation/environment.py.
        location = {"project": environment.project_id or "", "region": environment.region}
        args["gcp"] = {**args.get("gcp", {}), **location}
    elif settings.cluster.eks.prefix_delegation:
        args["aws"] = {**args.get("aws", {}), "prefix_delegation": True}
    return cast(NetworkArgs, args)


def retains_data(settings: Settings) -> bool:
    """Whether logs and keys stay in the cloud after `destroy`: in prod, unless teardown is `with_data`."""
    return settings.environment.profile == "prod" and settings.environment.teardown != "with_data"


def runner(settings: Settings, network: NetworkReferenceArgs, stack: str) -> RunnerArgs:
    """Arguments of the runner. stack: the stack that its runs deploy."""
    args = stated(settings.runner)
    for key in ENVIRONMENT_KEYS:
        args.pop(key, None)
    variables = {**args.get("environment_variables", {}), "STACK": stack, "COMMAND": "preview"}
    if settings.runner.state is not None:
        variables["PULUMI_BACKEND_URL"] = settings.runner.state
    # A missing role is reported by stacks/validation/runner.py.
    args.setdefault("deployer_role_arn", UNKNOWN)
    args.setdefault("log_retention_days", settings.cluster.log_retention_days)
    args.update(
        prefix=settings.environment.prefix,
        network=network,
        environment_variables=variables,
        retain_data=retains_data(settings),
    )
    return cast(RunnerArgs, args)


def cluster(
    settings: Settings, network: NetworkReferenceArgs, runner_group: Input[str] | None = None
) -> ClusterArgs:
    """Arguments of the cluster. runner_group: the security group of the runner, where there is one: then only
    the runner reaches the API, and the role that its runs work as administers the cluster."""
    environment, topic = settings.environment, settings.cluster
    args = with_key_grants(settings, stated(topic))
    keep = not environment.teardown
    args.update(
        prefix=environment.prefix,
        network=network,
        deletion_protection=topic.deletion_protection and keep,
        protect=environment.profile == "prod" and keep,
        retain_data=retains_data(settings),
    )
    system_nodes = args["system_nodes"]
    system_nodes["force_update"] = _force_update(settings, system_nodes)
    release = settings.node_images.of(environment.cloud, "al2023")
    if release is not None:
        system_nodes.setdefault("image_version", release)
    if environment.cloud == "gcp":
        gke = {**args.get("gke", {}), "multi_networking": multi_networking(settings)}
        if settings.observability is not None:
            # Both would collect and store everything, and be paid for.
            gke["managed_prometheus"] = False
            if settings.observability.logs is not None:
                gke["workload_logs"] = False
        if settings.gateway_class == "envoy":
            # The add-on gateway-api brings the kinds, in the version that Envoy Gateway needs.
            gke["gateway_api"] = False
        runnable = runnable_images(settings)
        if runnable is not None:
            gke["binary_authorization"] = runnable
        return cast(ClusterArgs, {**args, "gke": gke})
    args["eks"] = {**args.get("eks", {}), "creator_is_admin": runner_group is None}
    args["tags"] = environment.all_tags
    if runner_group is not None:
        args["api_access"]["security_group_id"] = runner_group
        args["admins"] = list(dict.fromkeys([*topic.admins, str(settings.runner.deployer_role_arn)]))
    return cast(ClusterArgs, args)


def multi_networking(settings: Settings) -> bool:
    """Whether Pods may have further network interfaces: as the file states, or else as its GPU pools need."""
    if settings.cluster.multi_networking is not None:
        return settings.cluster.multi_networking
    return any(devices.gpudirect(pool) is not None for pool in settings.gpu_pools.values())


def runnable_images(settings: Settings) -> list[str] | None:
    """The patterns of images that may run in addition to Google's own, or None where all may: the file's, in
    prod by default those of the project's own registries in this region; and the platform's own images."""
    patterns, environment = settings.cluster.binary_authorization, settings.environment
    if patterns is None and environment.profile == "prod":
        # Without a project, which is reported, the file's own patterns are checked alone.
        project = environment.project_id
        patterns = [] if project is None else [f"{environment.region}-docker.pkg.dev/{project}/**"]
    return images.admitted(settings, patterns) if patterns else patterns


def node_pool(
    settings: Settings,
    name: str,
    pool: NodePool,
    cluster: ClusterReferenceArgs,
    network: NetworkReferenceArgs,
) -> NodePoolArgs:
    """Arguments of a CPU pool."""
    return cast(NodePoolArgs, _pool(settings, name, pool, cluster, network))


def gpu_pool(
    settings: Settings, name: str, pool: GpuPool, cluster: ClusterReferenceArgs, network: NetworkReferenceArgs
) -> GpuPoolArgs:
    """Arguments of a GPU pool."""
    args = _pool(settings, name, pool, cluster, network)
    if "capacity" in args:
        args["capacity"] = [_capacity(entry) for entry in args["capacity"]]
    if settings.environment.cloud == "gcp" and settings.images.mirrors:
        args["mirrors"] = settings.images.mirrors
    return cast(GpuPoolArgs, args)


def _pool(
    settings: Settings,
    name: str,
    pool: Pool,
    cluster: ClusterReferenceArgs,
    network: NetworkReferenceArgs,
) -> dict[str, Any]:
    """Arguments that pools of both kinds have in common, and those that the file states."""
    args = stated(pool)
    args.update(prefix=settings.environment.prefix, name=name, cluster=cluster, network=network)
    args["force_update"] = _force_update(settings, args)
    release = settings.node_images.of(settings.environment.cloud, node_image(pool))
    # Karpenter's topic states the releases of its nodes.
    if release is not None and args.get("node_provisioning") != "karpenter":
        args.setdefault("image_version", release)
    if settings.environment.cloud == "aws":
        # The provider's default tags do not reach the instances and volumes that EC2 Auto Scaling creates:
        # the launch template has to tag them with the cost center.
        args["tags"] = settings.environment.all_tags
    if not pool.zones:
        args.pop("zones", None)
    return args


def node_image(pool: Pool) -> str:
    """Return the image of a pool's nodes on AWS, with the default of the argument."""
    args = stated(pool)
    mig = args.get("sharing", {}).get("strategy") == "mig"
    return args.get("image") or ("bottlerocket" if mig else "al2023")


def _force_update(settings: Settings, nodes: dict[str, Any]) -> bool:
    """Whether updates of nodes evict protected Pods: as the file states, or else in dev on AWS."""
    default = settings.environment.cloud == "aws" and settings.environment.profile == "dev"
    return nodes.get("force_update", default)


def _capacity(entry: str | CapacityArgs) -> CapacityArgs:
    return cast(CapacityArgs, {"type": entry}) if isinstance(entry, str) else entry


def workload_identity(settings: Settings, name: str, cluster: ClusterReferenceArgs) -> WorkloadIdentityArgs:
    """Arguments of a workload identity."""
    args = stated(settings.identities[name])
    args.update(prefix=settings.environment.prefix, name=name, cluster=cluster)
    return cast(WorkloadIdentityArgs, args)


def autoscaler(
    settings: Settings, cluster: ClusterReferenceArgs, node_groups: Sequence[Any]
) -> ClusterAutoscalerArgs:
    """Arguments of the Cluster Autoscaler."""
    args = stated(settings.cluster_autoscaler) if settings.cluster_autoscaler is not None else {}
    args.update(
        prefix=settings.environment.prefix,
        cluster=cluster,
        node_groups=list(node_groups),
        mirrors=settings.images.mirrors,
    )
    return cast(ClusterAutoscalerArgs, args)


def device_plugins(settings: Settings, plugins: Collection[str]) -> DevicePluginsArgs:
    """Arguments of the device plugins. plugins: those that are installed."""
    return {
        "nvidia": "nvidia" in plugins,
        "neuron": "neuron" in plugins,
        "mirrors": settings.images.mirrors,
    }


def addons(settings: Settings, cluster: Mapping[str, Any]) -> AddonsArgs:
    """Arguments of the add-ons. cluster: Cluster.outputs, or a reference."""
    assert settings.addons is not None, "called only where there are add-ons"  # noqa: S101
    args = stated(settings.addons)
    if options := addon_options.options(settings):
        args["options"] = options
    if settings.training is not None:
        args["pods_ready"] = _pods_ready(settings, args.get("pods_ready", {}))
        args["ray"] = bool(stated(settings.training).get("ray"))
    args.update(
        prefix=settings.environment.prefix,
        cluster=cluster,
        charts=charts(settings),
        mirrors=settings.images.mirrors,
    )
    return cast(AddonsArgs, args)


def _pods_ready(settings: Settings, topic: dict[str, Any]) -> dict[str, Any]:
    """Return how long Kueue gives workloads to start and to recover, with the time in which TrainJobs
    download: it counts until all Pods are ready, also those of jobs that wait for others
    (kubernetes-sigs/kueue 6796). A restart of a JobSet runs all of its jobs again."""
    runtimes: dict[str, Any] = stated(settings.training).get("runtimes", {}) if settings.training else {}
    known = (runtime.get("initializers") for runtime in runtimes.values())
    minutes = [entry.get("timeout_minutes", Initializers.timeout_minutes) for entry in known if entry]
    if not minutes:
        return topic
    required = max(minutes) + START_MINUTES
    start = topic.get("timeout_minutes", PodsReady.timeout_minutes)
    recovery = topic.get("recovery_minutes", PodsReady.recovery_minutes)
    return {
        **topic,
        "timeout_minutes": max(start, required),
        # 0 is unlimited.
        "recovery_minutes": max(recovery, required) if recovery else 0,
    }


def charts(settings: Settings) -> str:
    """Return where charts come from: as the machine states, or else the file."""
    topic = stated(settings.addons) if settings.addons is not None else {}
    source: str = os.environ.get(CHARTS_VARIABLE) or topic.get("charts", UPSTREAM)
    if source and source != UPSTREAM and "://" not in source:
        # The engine runs the program in stacks/: a folder is meant from the repository.
        return str(_ROOT / source)
    return source


def karpenter(
    settings: Settings, cluster: Mapping[str, Any], gpu_pools: Mapping[str, Mapping[str, Any]]
) -> KarpenterArgs:
    """Arguments of Karpenter's nodes. cluster, gpu_pools: outputs, or references."""
    args = stated(settings.karpenter) if settings.karpenter is not None else {}
    args.update(
        prefix=settings.environment.prefix,
        cluster=cluster,
        # A foundation in another stack may be older than this output.
        pools=[entry for pool in gpu_pools.values() for entry in pool.get("karpenter_pools", [])],
        tags=settings.environment.all_tags,
    )
    return cast(KarpenterArgs, args)


def guardrails(settings: Settings) -> GuardrailsArgs:
    """Arguments of the guardrails. The platform's own workloads are evaluated as those of users are."""
    assert settings.guardrails is not None, "called only where there are guardrails"  # noqa: S101
    args = stated(settings.guardrails)
    if settings.environment.profile == "prod":
        # What the environment's own builds push, as Binary Authorization does on Google Cloud.
        args.setdefault("allowed_registries", list(repositories.urls(settings).values()))
    if args.get("allowed_registries"):
        args["allowed_registries"] = [*args["allowed_registries"], *images.repositories(settings)]
    if args.get("require_digests"):
        args["digest_exceptions"] = [
            *args.get("digest_exceptions", []),
            *images.without_digests(settings),
        ]
    args["cloud"] = settings.environment.cloud
    if devices.claimed(settings):
        args["device_claims"] = True
    adapters = devices.adapters(settings)
    if adapters:
        args["adapters"] = adapters
    derived = fabrics.namespaces(settings)
    if derived:
        args["fabric_namespaces"] = {**args.get("fabric_namespaces", {}), **derived}
    return cast(GuardrailsArgs, args)


def queues(settings: Settings, node_pools: Sequence[Any], gpu_pools: Sequence[Any]) -> QueuesArgs:
    """Arguments of the queues. node_pools, gpu_pools: outputs of the pools, or references."""
    assert settings.queues is not None, "called only where there are queues"  # noqa: S101
    args = gpu_check_queues.with_tests(settings, stated(settings.queues))
    args.update(node_pools=list(node_pools), gpu_pools=list(gpu_pools))
    return cast(QueuesArgs, args)


def training(
    settings: Settings,
    cluster: Mapping[str, Any],
    node_pools: Sequence[Any],
    gpu_pools: Sequence[Any],
) -> TrainingArgs:
    """Arguments of training. cluster, node_pools, gpu_pools: outputs, or references."""
    assert settings.training is not None, "called only where there is training"  # noqa: S101
    queues: dict[str, Any] = stated(settings.queues) if settings.queues is not None else {}
    args = stated(settings.training)
    shared = [name for name, pool in settings.gpu_pools.items() if stated(pool).get("sharing")]
    if shared and "default_runtimes" not in args:
        # A device plugin refuses several parts of an accelerator for one container.
        args["default_runtimes"] = [name for name in settings.gpu_pools if name not in shared]
        parts = {f"torch-{name}": {"pool": name, "processes_per_node": 1} for name in shared}
        args["runtimes"] = {**parts, **args.get("runtimes", {})}
    args.update(
        cluster=cluster,
        node_pools=list(node_pools),
        gpu_pools=list(gpu_pools),
        topologies=queues.get("topologies", {}),
        # Each team has it.
        service_account=SERVICE_ACCOUNT,
        charts=charts(settings),
        mirrors=settings.images.mirrors,
    )
    return cast(TrainingArgs, args)


def observability(
    settings: Settings,
    cluster: Mapping[str, Any],
    addons: Mapping[str, Any],
    pools: tuple[Sequence[Any], Sequence[Any]],
    cluster_queues: Sequence[str],
) -> ObservabilityArgs:
    """Arguments of observability. cluster, addons, pools: outputs, or references; of CPU and GPU pools."""
    assert settings.observability is not None, "called only where there is observability"  # noqa: S101
    args = stated(settings.observability)
    if "logs" in args:
        args["logs"] = with_key_grants(settings, args["logs"])
    node_pools, gpu_pools = pools
    args.update(
        prefix=settings.environment.prefix,
        cluster=cluster,
        addons={**addons["versions"], **_other_addons(settings)},
        node_pools=list(node_pools),
        gpu_pools=list(gpu_pools),
        cluster_queues=list(cluster_queues),
        charts=charts(settings),
        mirrors=settings.images.mirrors,
        retain_data=retains_data(settings),
    )
    owners = {slo["owner"] for slo in args.get("slos", [])}
    notifications = team_parts.notifications(settings, args.get("notifications", {}), owners)
    if notifications:
        args["notifications"] = notifications
    if settings.teams:
        args["teams"] = team_parts.observed(settings)
    if "reaper" in stated(settings.cost):
        clients = args.get("client_namespaces", [])
        args["client_namespaces"] = list(dict.fromkeys([*clients, COST_NAMESPACE]))
    registry, features = settings.model_registry, settings.feature_store
    if registry is not None and stated(registry).get("metrics", True):
        args["model_registry"] = stated(registry).get("namespace", MODEL_REGISTRY)
    if features is not None and stated(features).get("server", {}).get("metrics", True):
        args["feature_store"] = FEATURE_STORE
    if "opencost" in args:
        args["opencost"] = price_list.opencost(settings.environment.cloud)
    if settings.environment.cloud == "aws":
        args.update(
            secrets_role_arn=addons["secrets_role_arn"],
            cluster_autoscaler=True,
            tags=settings.environment.all_tags,
        )
    return cast(ObservabilityArgs, args)


def _other_addons(settings: Settings) -> dict[str, str]:
    """Return the add-ons that other components install, with their versions."""
    return {name: catalog()[name].version for name in images.component_addons(settings)}


def gpu_checks(settings: Settings) -> GpuChecksArgs | None:
    """Arguments of the checks of GPUs; None where no queue lends GPUs to them."""
    queues = gpu_check_queues.queues_of(settings)
    if not queues:
        return None
    args: dict[str, Any] = {"queues": queues, "cloud": settings.environment.cloud}
    fabric = gpu_check_queues.fabric_of(settings)
    if fabric:
        args["fabric"] = fabric
    return cast(GpuChecksArgs, args)
