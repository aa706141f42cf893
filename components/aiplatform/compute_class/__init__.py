"""The order in which GKE adds nodes to the node pools of a pool."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform.compute_class.args import ComputeClassArgs, ComputeClassSettings
from aiplatform.compute_class.outputs import ComputeClassOutputs

__all__ = [
    "ClusterReferenceArgs",
    "ComputeClass",
    "ComputeClassArgs",
    "ComputeClassOutputs",
    "NodeGroupReferenceArgs",
]


class ComputeClass(ComponentResource):
    """A ComputeClass of GKE for existing node pools: Pods that select it run on the first of them that has or
    can add a node. It needs the cluster's Kubernetes provider in `opts.providers`. A GpuPool creates its
    own."""

    name: Output[str]
    """Its name: the value of the node selector `cloud.google.com/compute-class`."""

    def __init__(self, name: str, args: ComputeClassArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ComputeClassSettings, args, "ComputeClassArgs")
        # Imported late: arguments are checked without the SDK, which takes a second to load.
        from aiplatform.compute_class import gcp

        super().__init__("aiplatform:index:ComputeClass", name, {}, opts)
        gcp.build(self, name, settings)
        self.outputs: ComputeClassOutputs = {"name": settings.name}
        publish(self, self.outputs)
