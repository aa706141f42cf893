"""Nodes on EKS that Karpenter creates and removes."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.karpenter import KarpenterPoolReferenceArgs
from aiplatform.karpenter.args import (
    DisruptionBudgetArgs,
    ImageVersionsArgs,
    KarpenterArgs,
    KarpenterSettings,
)
from aiplatform.karpenter.outputs import KarpenterOutputs

__all__ = [
    "ClusterReferenceArgs",
    "DisruptionBudgetArgs",
    "ImageVersionsArgs",
    "Karpenter",
    "KarpenterArgs",
    "KarpenterOutputs",
    "KarpenterPoolReferenceArgs",
    "TaintArgs",
]


class Karpenter(ComponentResource):
    """Karpenter's nodes: for each entry of a pool's `capacity` an EC2NodeClass and a NodePool, ordered by
    weight, and the IAM role of the nodes. The controller runs before the objects are created and until they
    are deleted: state its resources in `opts.depends_on`, which also applies to each object. It needs the AWS
    and the Kubernetes provider of the cluster in `opts.providers`."""

    node_pools: KnownOutput[list[str]]
    """The names of the NodePools, which are those of their EC2NodeClasses, too."""
    node_role_arn: Output[str]
    """The role of the nodes."""

    def __init__(self, name: str, args: KarpenterArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(KarpenterSettings, args, "KarpenterArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.karpenter.aws import build

        super().__init__("aiplatform:index:Karpenter", name, {}, opts)
        role_arn = build(self, name, settings, opts)
        self.outputs: KarpenterOutputs = {
            "node_pools": [pool.name for pool in settings.pools],
            "node_role_arn": role_arn,
        }
        publish(self, self.outputs)
