"""Nodes with accelerators."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform._shared.references.karpenter import KarpenterPoolReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.accelerators.fabric import PodRequirementsArgs, PodSidecarArgs
from aiplatform.gpu_pool.args import CapacityArgs, GpuPoolArgs, GpuPoolSettings, SharingArgs
from aiplatform.gpu_pool.outputs import GpuPoolOutputs
from aiplatform.gpu_pool.planned import planned
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "CapacityArgs",
    "ClusterReferenceArgs",
    "GpuPool",
    "GpuPoolArgs",
    "GpuPoolOutputs",
    "KarpenterPoolReferenceArgs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "NodeGroupReferenceArgs",
    "PodRequirementsArgs",
    "PodSidecarArgs",
    "SharingArgs",
    "TaintArgs",
]


class GpuPool(ComponentResource):
    """Nodes with accelerators: for each entry of `capacity` a managed node group of EKS or a node pool of
    GKE, with common labels and taints, ordered by priority for the autoscaler, which adds and removes nodes.
    On Google Cloud the component also needs the cluster's Kubernetes provider in `opts.providers`, for the
    ComputeClass and for the networks of GPUDirect."""

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    name: KnownOutput[str]
    """The pool's name: the value of the node label `ai-platform/pool`."""
    resource: KnownOutput[str]
    """The resource that a Pod requests: `nvidia.com/gpu`, `aws.amazon.com/neuron` or `google.com/tpu`. With
    `device_class` it is the one by which Kueue counts what Pods claim."""
    device_class: KnownOutput[str | None]
    """The DeviceClass of the accelerators that Pods claim (`device_allocation: dra`); None where they request
    the resource."""
    resources_per_node: KnownOutput[int]
    """The quantity of the resource on a node, with sharing."""
    capacity_types: KnownOutput[list[str]]
    """The types of capacity, in order of preference."""
    min_nodes: Output[int]
    """The minimum of nodes, of all entries of `capacity` together."""
    max_nodes: Output[int]
    """The maximum of nodes, of all entries of `capacity` together."""
    vcpus_per_node: KnownOutput[int]
    """vCPUs of a node; of the smallest machine where there are several."""
    memory_gib_per_node: KnownOutput[float]
    """Memory of a node, GiB; of the smallest machine where there are several."""
    topology_labels: KnownOutput[list[str]]
    """The node labels that state where a node is in the cloud's network, the widest first; empty where the
    cloud does not label the pool's machines."""
    efa_interfaces: KnownOutput[int]
    """The quantity of `vpc.amazonaws.com/efa` on a node."""
    network_interfaces: KnownOutput[list[str]]
    """Google Cloud: the Kubernetes Networks of GPUDirect, in the order of a node's additional interfaces."""
    pod_requirements: KnownOutput[PodRequirementsArgs | None]
    """What a Pod needs to use the network between the accelerators of several nodes; None where the nodes
    have no such network. `aiplatform.placement` adds it to a template of Pods."""
    topology: KnownOutput[str | None]
    """The topology of a TPU slice; None for GPUs."""
    device_plugin: KnownOutput[str]
    """`nvidia` or `neuron`: the cluster must run that device plugin; `image`: the machine image includes it;
    `gke`: GKE runs its own; `dra`: none, since Pods claim the accelerators."""
    taints: KnownOutput[list[TaintArgs]]
    """The taints of the nodes, which Pods must tolerate."""
    node_selector: KnownOutput[dict[str, str]]
    """The node selector of Pods for the pool."""
    compute_class: KnownOutput[str | None]
    """Google Cloud: the ComputeClass of the node pools; None where only a ProvisioningRequest adds nodes."""
    node_groups: KnownOutput[list[NodeGroupReferenceArgs]]
    """One for each entry of `capacity`, in that order; one for each slice of several nodes."""
    karpenter_pools: KnownOutput[list[KarpenterPoolReferenceArgs]]
    """AWS, with Karpenter: what it needs for each entry of `capacity`, in that order; empty without it."""
    node_role_arn: Output[str | None]
    """AWS: the role of the nodes of node groups; None where Karpenter creates all nodes."""
    security_group_id: Output[str | None]
    """AWS: the security group of EFA traffic; None without EFA."""
    placement_group: Output[str | None]
    """The name of the cluster placement group or of the compact placement policy; None where there is
    none."""

    def __init__(self, name: str, args: GpuPoolArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("GpuPoolArgs", args, opts)
        settings = read(GpuPoolSettings, args, "GpuPoolArgs")
        super().__init__("aiplatform:index:GpuPool", name, {}, opts)
        outputs = _on_gcp if settings.cloud == "gcp" else _on_aws
        self.outputs: GpuPoolOutputs = outputs(self, name, settings)
        publish(self, self.outputs)


def _on_aws(component: GpuPool, name: str, settings: GpuPoolSettings) -> GpuPoolOutputs:
    # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
    from aiplatform.gpu_pool.aws import nodes
    from aiplatform.gpu_pool.aws.build import build

    built = build(component, name, settings)
    return {
        "cloud": "aws",
        **planned(settings),
        "network_interfaces": [],
        "device_plugin": nodes.device_plugin(settings),
        "compute_class": None,
        "node_groups": built.node_groups,
        "karpenter_pools": built.karpenter_pools,
        "node_role_arn": built.role_arn,
        "security_group_id": built.security_group_id,
        "placement_group": built.placement_group,
    }


def _on_gcp(component: GpuPool, name: str, settings: GpuPoolSettings) -> GpuPoolOutputs:
    from aiplatform.gpu_pool.gcp import nodes
    from aiplatform.gpu_pool.gcp.build import build

    built = build(component, name, settings)
    return {
        "cloud": "gcp",
        **planned(settings),
        "network_interfaces": list(built.networks),
        "device_plugin": "gke",
        "compute_class": nodes.compute_class(settings),
        "node_groups": built.node_groups,
        "karpenter_pools": [],
        "node_role_arn": None,
        "security_group_id": None,
        "placement_group": built.placement_policy,
    }
