"""A Kubernetes cluster."""

from typing import TYPE_CHECKING

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.inputs import (
    AddonArgs,
    ApiAccessArgs,
    ClusterArgs,
    EksArgs,
    GkeArgs,
    MaintenanceExclusionArgs,
    MaintenanceWindowArgs,
    NodeAutoProvisioningArgs,
    SystemNodesArgs,
)

if TYPE_CHECKING:
    import pulumi_kubernetes
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "AddonArgs",
    "ApiAccessArgs",
    "Cluster",
    "ClusterArgs",
    "ClusterReferenceArgs",
    "EksArgs",
    "GkeArgs",
    "MaintenanceExclusionArgs",
    "MaintenanceWindowArgs",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
    "NodeAutoProvisioningArgs",
    "SystemNodesArgs",
]


class Cluster(ComponentResource):
    """A Kubernetes cluster on the cloud of its network, EKS or GKE: with a private API endpoint, secrets
    encrypted by a separate key, all control-plane logs, access by IAM, tainted system nodes, and encrypted
    volumes by default.

    In a program, `outputs` is what pools and controllers take as their `cluster`, and `kubernetes` is a
    provider for objects in the cluster, for principals that administer it.
    """

    cloud: Output[str]
    """`aws` or `gcp`."""
    project: Output[str | None]
    """Google Cloud: the project's id."""
    region: Output[str | None]
    """Google Cloud: the region."""
    location: Output[str | None]
    """Google Cloud: where the control plane is, the region or one zone."""
    name: Output[str]
    """The cluster's name."""
    version: Output[str]
    """Kubernetes' minor version."""
    arn: Output[str | None]
    """AWS: the cluster's arn."""
    endpoint: Output[str]
    """The URL of the Kubernetes API."""
    certificate_authority: Output[str]
    """The CA of the API's certificate, PEM in base64. The certificate of GKE's DNS endpoint needs none."""
    service_cidr: Output[str | None]
    """The range of addresses of Kubernetes Services."""
    security_group_id: Output[str | None]
    """AWS: the security group that control plane and nodes share."""
    vpc_id: Output[str | None]
    """AWS: its network."""
    node_role_arn: Output[str | None]
    """AWS: the role of the nodes."""
    node_service_account: Output[str | None]
    """Google Cloud: the service account of the nodes, its e-mail address."""
    oidc_issuer: Output[str | None]
    """AWS: the issuer of service account tokens, a URL."""
    oidc_provider_arn: Output[str | None]
    """AWS: the arn of the issuer's OIDC provider in IAM, for roles of service accounts."""
    workload_pool: Output[str | None]
    """Google Cloud: the pool of workload identities, for roles of service accounts."""
    kubeconfig: Output[str]
    """A kubeconfig as JSON, without a secret: `aws eks get-token` or `gke-gcloud-auth-plugin` authenticates
    its user."""
    kms_key_arn: Output[str | None]
    """AWS: the key that encrypts secrets and control-plane logs."""
    volume_key_arn: Output[str | None]
    """AWS: the key of the volumes of nodes and of persistent volumes."""
    disk_kms_key: Output[str | None]
    """Google Cloud: the key of the disks of nodes and of persistent volumes."""
    multi_networking: Output[bool | None]
    """Google Cloud: whether Pods may have further network interfaces."""

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ClusterArgs", args, opts)
        settings = read(ClusterSettings, args, "ClusterArgs")
        super().__init__("aiplatform:index:Cluster", name, {}, opts)
        # Imported late: arguments are checked without the clouds' SDKs, which take a second and more to load.
        if settings.cloud == "gcp":
            from aiplatform.cluster.gcp.build import build

            built = build(self, name, settings)
        else:
            from aiplatform.cluster.aws.build import build

            built = build(self, name, settings)
        self.outputs: ClusterReferenceArgs = built.outputs
        self.kubernetes: pulumi_kubernetes.Provider = built.kubernetes
        publish(self, self.outputs)
