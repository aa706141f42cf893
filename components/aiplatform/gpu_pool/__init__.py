"""Nodes with accelerators."""

from collections.abc import Iterable
from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.kubernetes.names import Taint, TaintArgs
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform.gpu_pool.args import CapacityArgs, GpuPoolArgs, GpuPoolSettings, SharingArgs
from aiplatform.gpu_pool.aws import nodes
from aiplatform.gpu_pool.gcp import nodes as gcp_nodes
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "CapacityArgs",
    "ClusterReferenceArgs",
    "GpuPool",
    "GpuPoolArgs",
    "GpuPoolOutputs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "NodeGroupReferenceArgs",
    "SharingArgs",
    "TaintArgs",
]


class GpuPoolOutputs(TypedDict):
    """What others need to know of a GPU pool. `aiplatform.placement` makes of it how a Pod asks for one."""

    cloud: str
    """`aws` or `gcp`."""
    name: str
    """The pool's name: the value of the node label `ai-platform/pool`."""
    resource: str
    """What a Pod asks for: `nvidia.com/gpu`, `aws.amazon.com/neuron` or `google.com/tpu`."""
    resources_per_node: int
    """How many of it a node has, as it is shared."""
    efa_interfaces: int
    """How many `vpc.amazonaws.com/efa` a node has."""
    network_interfaces: list[str]
    """Google Cloud: the Kubernetes Networks of GPUDirect, in the order of a node's further interfaces."""
    topology: str | None
    """Of a TPU slice."""
    device_plugin: str
    """`nvidia` or `neuron`: the cluster must run that device plugin; `image`: the machine image brings it;
    `gke`: GKE runs its own."""
    taints: list[TaintArgs]
    """What a Pod must tolerate."""
    node_selector: dict[str, str]
    """Labels that lead a Pod to the pool."""
    compute_class: str | None
    """Google Cloud: the ComputeClass of the node pools, where an ordinary Pod makes them grow."""
    node_groups: list[NodeGroupReferenceArgs]
    """One for each entry of `capacity`, in that order; of slices with several nodes one each."""
    node_role_arn: Input[str] | None
    """AWS: the role of the nodes."""
    security_group_id: Input[str] | None
    """AWS: the security group of EFA's traffic, where there is EFA."""
    placement_group: Input[str] | None
    """The name of the cluster placement group or of the compact placement policy, where there is one."""


class GpuPool(ComponentResource):
    """Nodes with accelerators: for each entry of `capacity` a managed node group of EKS or a node pool of
    GKE, with common labels and taints, ordered by priority for the autoscaler, which grows and shrinks them.
    On Google Cloud it takes the cluster's Kubernetes provider, too, through `opts.providers`: for the
    ComputeClass, and for the networks of GPUDirect."""

    cloud: Output[str]
    """`aws` or `gcp`."""
    name: Output[str]
    """The pool's name: the value of the node label `ai-platform/pool`."""
    resource: Output[str]
    """What a Pod asks for: `nvidia.com/gpu`, `aws.amazon.com/neuron` or `google.com/tpu`."""
    resources_per_node: Output[int]
    """How many of it a node has, as it is shared."""
    efa_interfaces: Output[int]
    """How many `vpc.amazonaws.com/efa` a node has."""
    network_interfaces: Output[list[str]]
    """Google Cloud: the Kubernetes Networks of GPUDirect, in the order of a node's further interfaces."""
    topology: Output[str | None]
    """Of a TPU slice."""
    device_plugin: Output[str]
    """`nvidia` or `neuron`: the cluster must run that device plugin; `image`: the machine image brings it;
    `gke`: GKE runs its own."""
    taints: Output[list[TaintArgs]]
    """What a Pod must tolerate."""
    node_selector: Output[dict[str, str]]
    """Labels that lead a Pod to the pool."""
    compute_class: Output[str | None]
    """Google Cloud: the ComputeClass of the node pools, where an ordinary Pod makes them grow."""
    node_groups: Output[list[NodeGroupReferenceArgs]]
    """One for each entry of `capacity`, in that order; of slices with several nodes one each."""
    node_role_arn: Output[str | None]
    """AWS: the role of the nodes."""
    security_group_id: Output[str | None]
    """AWS: the security group of EFA's traffic, where there is EFA."""
    placement_group: Output[str | None]
    """The name of the cluster placement group or of the compact placement policy, where there is one."""

    def __init__(self, name: str, args: GpuPoolArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(GpuPoolSettings, args, "GpuPoolArgs")
        super().__init__("aiplatform:index:GpuPool", name, {}, opts)
        build = _on_gcp if settings.cloud == "gcp" else _on_aws
        self.outputs: GpuPoolOutputs = build(self, name, settings)
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)


def _taints(taints: Iterable[Taint]) -> list[TaintArgs]:
    return [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints]


def _on_aws(parent: GpuPool, name: str, settings: GpuPoolSettings) -> GpuPoolOutputs:
    # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
    from aiplatform.gpu_pool.aws.build import Builder

    built = Builder(parent, name, settings).build()
    return {
        "cloud": "aws",
        "name": settings.name,
        "resource": settings.card.resource,
        "resources_per_node": nodes.devices_of(settings),
        "efa_interfaces": settings.machine.efa_interfaces if settings.with_efa else 0,
        "network_interfaces": [],
        "topology": None,
        "device_plugin": nodes.device_plugin(settings),
        "taints": _taints(nodes.taints(settings)),
        "node_selector": {POOL: settings.name},
        "compute_class": None,
        "node_groups": built.node_groups,
        "node_role_arn": built.role_arn,
        "security_group_id": built.security_group_id,
        "placement_group": built.placement_group,
    }


def _on_gcp(parent: GpuPool, name: str, settings: GpuPoolSettings) -> GpuPoolOutputs:
    from aiplatform.gpu_pool.gcp.build import Builder

    built = Builder(parent, name, settings).build()
    compute_class = gcp_nodes.compute_class(settings)
    return {
        "cloud": "gcp",
        "name": settings.name,
        "resource": settings.card.resource,
        "resources_per_node": gcp_nodes.devices_of(settings),
        "efa_interfaces": 0,
        "network_interfaces": list(built.networks),
        "topology": gcp_nodes.topology(settings),
        "device_plugin": "gke",
        "taints": _taints(gcp_nodes.taints(settings)),
        "node_selector": gcp_nodes.selector(settings),
        "compute_class": compute_class,
        "node_groups": built.node_groups,
        "node_role_arn": None,
        "security_group_id": None,
        "placement_group": built.placement_policy,
    }
