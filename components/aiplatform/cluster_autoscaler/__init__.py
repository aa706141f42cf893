"""The Cluster Autoscaler of EKS."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs, NodeGroupReferenceArgs
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerArgs, ClusterAutoscalerSettings
from aiplatform.cluster_autoscaler.outputs import ClusterAutoscalerOutputs

__all__ = [
    "ClusterAutoscaler",
    "ClusterAutoscalerArgs",
    "ClusterAutoscalerOutputs",
    "ClusterReferenceArgs",
    "NodeGroupReferenceArgs",
]


class ClusterAutoscaler(ComponentResource):
    """Upstream's Cluster Autoscaler in kube-system, as typed objects. It finds the node groups of its cluster
    by the tags that EKS sets, adds nodes to the fitting group with the highest priority, and has its
    permissions on AWS by Pod Identity. It needs the AWS and the Kubernetes provider of the cluster in
    `opts.providers`."""

    role_arn: Output[str]
    """The arn of its IAM role."""
    image: Output[str]
    """The image of its Pods."""

    def __init__(self, name: str, args: ClusterAutoscalerArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ClusterAutoscalerSettings, args, "ClusterAutoscalerArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.cluster_autoscaler import aws

        super().__init__("aiplatform:index:ClusterAutoscaler", name, {}, opts)
        built = aws.build(self, name, settings)
        self.outputs: ClusterAutoscalerOutputs = {
            "role_arn": built.role.arn,
            "image": settings.chosen_image,
        }
        publish(self, self.outputs)
