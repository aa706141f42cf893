"""References to a cluster and to a node group, in the shape of the outputs of Cluster and of the pools.

The reference to a cluster takes every key of `Cluster.outputs`, so that the outputs can be passed on as they
are. The TypedDicts that programs write are generated from these classes into inputs.py by `make generate`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pulumi import Input

from aiplatform._shared.args import Problem
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.references.inputs import ClusterReferenceArgs as ClusterReferenceArgs
from aiplatform._shared.references.inputs import NodeGroupReferenceArgs as NodeGroupReferenceArgs


@dataclass(frozen=True)
class ClusterReference:
    """A cluster, as Cluster.outputs gives it."""

    name: Input[str]
    """The cluster's name."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: str | None = None
    """Google Cloud, and required there: its project's id."""
    region: str | None = None
    """Google Cloud, and required there: its region."""
    location: str | None = None
    """Google Cloud: where its control plane is, the region or one zone. Default: the region."""
    security_group_id: Input[str] | None = None
    """AWS, and required there: the cluster security group that EKS made; control plane and nodes talk inside
    it."""
    node_service_account: Input[str] | None = None
    """Google Cloud, and required there: the e-mail address of the service account that nodes run as."""
    disk_kms_key: Input[str] | None = None
    """Google Cloud: the key that encrypts the boot disks of nodes, `projects/.../cryptoKeys/...`; Compute
    Engine's service agent must be let to use it. Without it Google's own keys do."""
    multi_networking: bool = False
    """Google Cloud: whether Pods may have further network interfaces, which GPUDirect needs; said when a
    cluster is made, and for good. Default false."""
    workload_pool: Input[str] | None = None
    """Google Cloud: the pool of workload identities, `PROJECT.svc.id.goog`."""
    version: Input[str] | None = None
    """Kubernetes' minor version, `1.36`. Node groups follow it; without it they keep the one they were made
    with."""
    node_role_arn: Input[str] | None = None
    """A role that all nodes share; without it a pool makes its own."""
    cni_role: bool = False
    """AWS: whether the VPC CNI (`aws-node`) has a role of its own, by Pod Identity or IRSA. Without it the
    role that a pool makes for its nodes may attach network interfaces (AmazonEKS_CNI_Policy), or no node
    would become Ready. Default false."""
    arn: Input[str] | None = None
    """The cluster's arn."""
    endpoint: Input[str] | None = None
    """The URL of the Kubernetes API."""
    certificate_authority: Input[str] | None = None
    """The CA of the API's certificate, PEM in base64."""
    service_cidr: Input[str] | None = None
    """Addresses of Kubernetes Services."""
    oidc_issuer: Input[str] | None = None
    """The issuer of service account tokens, a URL."""
    oidc_provider_arn: Input[str] | None = None
    """The issuer as IAM knows it."""
    kubeconfig: Input[str] | None = None
    """A kubeconfig as JSON, without a secret."""
    kms_key_arn: Input[str] | None = None
    """The key of secrets and control-plane logs."""
    volume_key_arn: Input[str] | None = None
    """The key that encrypts the volumes of nodes; it must let EC2 Auto Scaling use it. Without it AWS's own
    key for EBS does."""

    def check(self) -> Iterator[Problem]:
        """Report keys that the cloud of the cluster requires."""
        needed = {"aws": ("security_group_id",), "gcp": ("project", "region", "node_service_account")}
        for key in needed[self.cloud]:
            if getattr(self, key) is None:
                yield Problem(key, f"missing, expected the cluster's {key} as Cluster.outputs gives it")


@dataclass(frozen=True)
class NodeGroupReference:
    """A node group of EKS or a node pool of GKE, as a pool's outputs give it."""

    priority: int
    """The higher, the sooner it grows: for the autoscaler's priority expander, and the order of a
    ComputeClass."""
    autoscaling_group: Input[str] | None = None
    """AWS: the name of its Auto Scaling group."""
    name: Input[str] | None = None
    """Its name in EKS or GKE."""
    capacity: str | None = None
    """`reserved`, `spot`, `on_demand`, `flex_start` or `queued`."""
