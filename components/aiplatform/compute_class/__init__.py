"""The order in which GKE adds nodes to the node pools of a pool."""

from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform.compute_class.args import ComputeClassArgs, ComputeClassSettings

__all__ = [
    "ClusterReferenceArgs",
    "ComputeClass",
    "ComputeClassArgs",
    "ComputeClassOutputs",
    "NodeGroupReferenceArgs",
]


class ComputeClassOutputs(TypedDict):
    """Outputs of a ComputeClass."""

    name: Input[str]
    """Its name: the value of the node selector `cloud.google.com/compute-class`."""


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
        self.name = Output.from_input(settings.name)
        self.register_outputs(self.outputs)
