"""Ordinary CPU nodes."""

from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._args import read
from aiplatform._references import NodeGroupReferenceArgs
from aiplatform.node_pool.args import NodePoolArgs, NodePoolSettings

__all__ = ["NodePool", "NodePoolArgs", "NodePoolOutputs"]


class NodePoolOutputs(TypedDict):
    """What others need to know of a node pool."""

    name: str
    """The pool's name: the value of the node label `ai-platform/pool`."""
    architecture: str
    """`x86_64` or `arm64`."""
    node_groups: list[NodeGroupReferenceArgs]
    """One for each entry of `capacity`, in that order."""
    node_role_arn: Input[str]
    """The role of the nodes."""


class NodePool(ComponentResource):
    """Ordinary CPU nodes: for each entry of `capacity` a managed node group, with common labels and taints,
    ordered by priority for the Cluster Autoscaler, which grows and shrinks them."""

    name: Output[str]
    """The pool's name: the value of the node label `ai-platform/pool`."""
    architecture: Output[str]
    """`x86_64` or `arm64`."""
    node_groups: Output[list[NodeGroupReferenceArgs]]
    """One for each entry of `capacity`, in that order."""
    node_role_arn: Output[str]
    """The role of the nodes."""

    def __init__(self, name: str, args: NodePoolArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(NodePoolSettings, args, "NodePoolArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.node_pool import aws

        super().__init__("aiplatform:index:NodePool", name, {}, opts)
        built = aws.Builder(self, name, settings).build()
        self.outputs: NodePoolOutputs = {
            "name": settings.name,
            "architecture": settings.architecture,
            "node_groups": built.node_groups,
            "node_role_arn": built.role_arn,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
