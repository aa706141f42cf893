"""Ordinary CPU nodes."""

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs
from aiplatform.node_pool.args import NodePoolArgs, NodePoolSettings
from aiplatform.node_pool.outputs import NodePoolOutputs
from aiplatform.node_pool.planned import planned

__all__ = [
    "ClusterReferenceArgs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "NodeGroupReferenceArgs",
    "NodePool",
    "NodePoolArgs",
    "NodePoolOutputs",
    "TaintArgs",
]


class NodePool(ComponentResource):
    """Ordinary CPU nodes: for each entry of `capacity` a managed node group of EKS or a node pool of GKE,
    with common labels and taints, ordered by priority for the autoscaler, which adds and removes nodes. On
    Google Cloud a pool with two entries also needs the cluster's Kubernetes provider in `opts.providers`, for
    their ComputeClass."""

    name: KnownOutput[str]
    """The pool's name: the value of the node label `ai-platform/pool`."""
    architecture: KnownOutput[str]
    """`x86_64` or `arm64`."""
    min_nodes: Output[int]
    """The minimum of nodes, of all entries of `capacity` together."""
    max_nodes: Output[int]
    """The maximum of nodes, of all entries of `capacity` together."""
    vcpus_per_node: KnownOutput[int]
    """vCPUs of a node, of the smallest type where there are several; 0 for types whose size does not follow
    from their name."""
    memory_gib_per_node: KnownOutput[float]
    """Memory of a node, GiB, as `vcpus_per_node`."""
    taints: KnownOutput[list[TaintArgs]]
    """The taints of the nodes, which Pods must tolerate."""
    node_selector: KnownOutput[dict[str, str]]
    """The node selector of Pods for the pool."""
    compute_class: KnownOutput[str | None]
    """Google Cloud: the ComputeClass of the node pools; None where there is only one."""
    node_groups: KnownOutput[list[NodeGroupReferenceArgs]]
    """One for each entry of `capacity`, in that order."""
    node_role_arn: Output[str | None]
    """AWS: the role of the nodes."""

    def __init__(self, name: str, args: NodePoolArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("NodePoolArgs", args, opts)
        settings = read(NodePoolSettings, args, "NodePoolArgs")
        super().__init__("aiplatform:index:NodePool", name, {}, opts)
        node_groups, node_role_arn = _build(self, name, settings)
        self.outputs: NodePoolOutputs = {
            **planned(settings),
            "node_groups": node_groups,
            "node_role_arn": node_role_arn,
        }
        publish(self, self.outputs)


def _build(
    component: NodePool, name: str, settings: NodePoolSettings
) -> tuple[list[NodeGroupReferenceArgs], Input[str] | None]:
    # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
    if settings.cloud == "gcp":
        from aiplatform.node_pool import gcp

        return gcp.build(component, name, settings), None
    from aiplatform.node_pool import aws

    built = aws.build(component, name, settings)
    return built.node_groups, built.role_arn
