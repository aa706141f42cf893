"""The Cluster Autoscaler, which makes pools live."""

from typing import TypedDict

from pulumi import ComponentResource, Input, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerArgs, ClusterAutoscalerSettings

__all__ = [
    "ClusterAutoscaler",
    "ClusterAutoscalerArgs",
    "ClusterAutoscalerOutputs",
    "ClusterReferenceArgs",
    "NodeGroupReferenceArgs",
]


class ClusterAutoscalerOutputs(TypedDict):
    """What others need to know of the autoscaler."""

    role_arn: Input[str]
    """Its role on AWS."""
    image: Input[str]
    """The image that runs."""


class ClusterAutoscaler(ComponentResource):
    """Upstream's Cluster Autoscaler in kube-system, as typed objects: it finds the node groups of its cluster
    by the tags that EKS sets, grows the one with the highest priority that fits, and has its rights on AWS by
    Pod Identity. Takes the AWS and the Kubernetes provider of the cluster through `opts.providers`."""

    role_arn: Output[str]
    """Its role on AWS."""
    image: Output[str]
    """The image that runs."""

    def __init__(self, name: str, args: ClusterAutoscalerArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ClusterAutoscalerSettings, args, "ClusterAutoscalerArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.cluster_autoscaler import aws

        super().__init__("aiplatform:index:ClusterAutoscaler", name, {}, opts)
        built = aws.Builder(self, name, settings).build()
        self.outputs: ClusterAutoscalerOutputs = {
            "role_arn": built.role.arn,
            "image": settings.chosen_image,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
