"""A Kubernetes cluster."""

from typing import TYPE_CHECKING

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._args import read
from aiplatform._references import ClusterReferenceArgs
from aiplatform.cluster.args import (
    AddonArgs,
    ApiAccessArgs,
    ClusterArgs,
    ClusterSettings,
    SystemNodesArgs,
)

if TYPE_CHECKING:
    import pulumi_kubernetes

__all__ = ["AddonArgs", "ApiAccessArgs", "Cluster", "ClusterArgs", "ClusterReferenceArgs", "SystemNodesArgs"]


class Cluster(ComponentResource):
    """A Kubernetes cluster with a private API endpoint, secrets encrypted by a key of its own, all
    control-plane logs, access by IAM, add-ons in the order that works, tainted system nodes, and encrypted
    volumes by default.

    In a program, `outputs` is what pools and controllers take as their `cluster`, and `kubernetes` is a
    provider for objects in the cluster; it works for whoever administers the cluster.
    """

    name: Output[str]
    """The cluster's name."""
    version: Output[str]
    """Kubernetes' minor version."""
    arn: Output[str]
    """The cluster's arn."""
    endpoint: Output[str]
    """The URL of the Kubernetes API."""
    certificate_authority: Output[str]
    """The CA of the API's certificate, PEM in base64."""
    service_cidr: Output[str]
    """Addresses of Kubernetes Services."""
    security_group_id: Output[str]
    """The security group that control plane and nodes share."""
    node_role_arn: Output[str]
    """The role of the nodes."""
    oidc_issuer: Output[str]
    """The issuer of service account tokens, a URL."""
    oidc_provider_arn: Output[str]
    """The issuer as IAM knows it, for roles of service accounts."""
    kubeconfig: Output[str]
    """A kubeconfig as JSON, without a secret: `aws eks get-token` proves who uses it."""
    kms_key_arn: Output[str]
    """The key of secrets and control-plane logs."""
    volume_key_arn: Output[str]
    """The key of the volumes of nodes and of persistent volumes."""

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ClusterSettings, args, "ClusterArgs")
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        from aiplatform.cluster import aws

        super().__init__("aiplatform:index:Cluster", name, {}, opts)
        built = aws.build(self, name, settings)
        self.outputs: ClusterReferenceArgs = built.outputs
        self.kubernetes: pulumi_kubernetes.Provider = built.kubernetes
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)
