"""The first layer: network, runner, cluster, pools with autoscaling and device plugins, identities."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions

from aiplatform.cluster import Cluster
from aiplatform.cluster_autoscaler import ClusterAutoscaler
from aiplatform.device_plugins import DevicePlugins
from aiplatform.efa_plugin import EfaPlugin
from aiplatform.gpu_pool import GpuPool
from aiplatform.network import Network
from aiplatform.node_pool import NodePool
from aiplatform.runner import Runner
from aiplatform.workload_identity import WorkloadIdentity
from stacks import arguments, devices, network_arguments, providers
from stacks.loading import refusal
from stacks.settings import Settings
from stacks.validation import validate


@dataclass(frozen=True)
class Foundation:
    """What the layers above need: serialisable values only, so that a layer in a separate stack can read them
    by a StackReference."""

    network: dict[str, Any]
    """Network.outputs."""
    runner: dict[str, Any] | None
    """Runner.outputs, or None where the program is applied from elsewhere."""
    cluster: dict[str, Any] | None
    """Cluster.outputs, with the kubeconfig, which holds no secret. None while the file says `bootstrap`."""
    node_pools: dict[str, Any]
    """NodePool.outputs by the pool's name."""
    gpu_pools: dict[str, Any]
    """GpuPool.outputs by the pool's name."""
    workload_identities: dict[str, Any] = field(default_factory=dict[str, Any])
    """WorkloadIdentity.outputs by the identity's name."""

    @property
    def principals(self) -> dict[str, Any]:
        """The cloud's name of each workload identity."""
        return {name: identity["principal"] for name, identity in self.workload_identities.items()}

    def exported(self) -> Output[dict[str, Any]]:
        """The layer as one value, every output inside resolved."""
        # Not dataclasses.asdict: it would copy the outputs inside, which cannot be copied.
        return Output.from_input({part.name: getattr(self, part.name) for part in fields(self)})

    @classmethod
    def read(cls, text: str) -> Foundation:
        """The layer from the JSON of its exported value."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class LayerOptions:
    """Resource options of the layers above. A layer in a separate stack has those of
    stacks/layer_stacks.py."""

    cloud: ResourceOptions
    """Of components with resources in the cloud only."""
    cluster: ResourceOptions
    """Of components with objects in the cluster too: created after all of the cluster, deleted before any of
    it."""


def build(settings: Settings) -> Foundation:
    """Register the layer. Raises SettingsError, with nothing but the provider registered, where the cloud
    does not offer what the settings request."""
    return make(settings)[0]


def make(settings: Settings) -> tuple[Foundation, LayerOptions | None]:
    """As `build`, with the options of the layers above; None during `bootstrap`."""
    provider = providers.of(settings)
    problems = validate(settings, provider)
    if problems:
        raise refusal(pulumi.get_stack(), problems)
    in_cloud = ResourceOptions(provider=provider)
    network = network_arguments.existing_network(settings)
    if network is None:
        network = Network("network", arguments.network(settings), in_cloud).outputs
    runner = None
    if settings.has_runner:
        runner = Runner("runner", arguments.runner(settings, network, pulumi.get_stack()), in_cloud)
    below: dict[str, Any] = {
        "network": dict(network),
        "runner": dict(runner.outputs) if runner else None,
    }
    if settings.environment.bootstrap:
        return Foundation(**below, cluster=None, node_pools={}, gpu_pools={}), None
    group = runner.security_group_id if runner else None
    cluster = Cluster("cluster", arguments.cluster(settings, network, group), in_cloud)
    # On Google Cloud pools have Kubernetes objects too.
    in_both = ResourceOptions(providers=[provider, cluster.kubernetes])
    cpu = {
        name: NodePool(name, arguments.node_pool(settings, name, pool, cluster.outputs, network), in_both)
        for name, pool in settings.node_pools.items()
    }
    gpu = {
        name: GpuPool(name, arguments.gpu_pool(settings, name, pool, cluster.outputs, network), in_both)
        for name, pool in settings.gpu_pools.items()
    }
    if settings.environment.cloud == "aws" and "kubernetes" in settings.layers.separate:
        _refuse_nodes_of_removed_pools(settings, cluster)
    if settings.environment.cloud == "aws":
        _install_autoscaling_and_device_plugins(settings, provider, cluster, [*cpu.values(), *gpu.values()])
    identities = {
        name: WorkloadIdentity(
            f"identity-{name}", arguments.workload_identity(settings, name, cluster.outputs), in_cloud
        )
        for name in settings.identities
    }
    layer = Foundation(
        **below,
        cluster=dict(cluster.outputs),
        node_pools={name: dict(pool.outputs) for name, pool in cpu.items()},
        gpu_pools={name: dict(pool.outputs) for name, pool in gpu.items()},
        workload_identities={name: dict(identity.outputs) for name, identity in identities.items()},
    )
    return layer, LayerOptions(
        cloud=in_cloud,
        cluster=ResourceOptions(providers=[provider, cluster.kubernetes], depends_on=[cluster]),
    )


def _refuse_nodes_of_removed_pools(settings: Settings, cluster: Cluster) -> None:
    # Imported late: on Google Cloud nothing needs AWS' SDK.
    from aiplatform._shared.args import read
    from aiplatform._shared.references.cluster import ClusterReference
    from aiplatform.gpu_pool.aws.karpenter_instances import refuse_removed_pools

    reference = read(ClusterReference, cluster.outputs, "ClusterReferenceArgs")
    refuse_removed_pools(settings.gpu_pools, reference, pulumi.InvokeOptions(parent=cluster))


def _install_autoscaling_and_device_plugins(
    settings: Settings, provider: pulumi.ProviderResource, cluster: Cluster, pools: list[NodePool | GpuPool]
) -> None:
    """Install what scales pools and registers devices with the kubelet, which GKE does by itself. It runs on
    the system nodes, so it waits for the whole cluster; it and pools are deleted in any order."""
    inside = ResourceOptions(providers=[provider, cluster.kubernetes], depends_on=[cluster])
    groups = [group for pool in pools for group in pool.outputs["node_groups"]]
    ClusterAutoscaler("cluster-autoscaler", arguments.autoscaler(settings, cluster.outputs, groups), inside)
    gpu = [pool for pool in pools if isinstance(pool, GpuPool)]
    plugins = devices.installed_plugins(settings, {pool.outputs["device_plugin"] for pool in gpu})
    if plugins:
        DevicePlugins("device-plugins", arguments.device_plugins(settings, plugins), inside)
    if any(pool.outputs["efa_interfaces"] for pool in gpu):
        EfaPlugin("efa-plugin", {}, inside)
