"""Arguments that pools of CPU nodes and of GPU nodes have in common, with the same meaning and rule."""

from dataclasses import dataclass, field

from pulumi import Input

from aiplatform._shared.cloud_support import CloudNeutral
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.network.args import NetworkReference


@dataclass(frozen=True, kw_only=True)
class PoolSettings(CloudNeutral):
    """A pool of nodes of a cluster. Keyword arguments: a subclass has others without a default."""

    cluster: ClusterReference
    """The cluster that the nodes join: `Cluster.outputs`. It also states the cloud of the pool."""
    network: NetworkReference
    """The network of the nodes, with its zones: `Network.outputs`."""
    image_version: Input[str] | None = None
    """The release of the nodes' machine image, which they keep until another one is stated. AWS: of the EKS
    AMI, `1.35.8-20260930`, or of Bottlerocket, `1.64.0-6f4c2b1e`; one of the EKS AMI also states the nodes'
    version of Kubernetes, which may be up to three minor versions older than the control plane's. It does not
    apply to nodes of Karpenter. Google Cloud: GKE's version of the nodes, `1.35.6-gke.1250000`; GKE then
    upgrades them by itself only at the end of the version's support. Default: the newest when nodes are
    created or updated, and on Google Cloud what the release channel decides."""
    force_update: Input[bool] = False
    """Whether an update of the nodes also evicts Pods that a PodDisruptionBudget protects. If not, the update
    waits for them and fails after a time. Default false."""
    labels: Tags = field(default_factory=dict[str, Input[str]])
    """Additional node labels."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags, on Google Cloud labels, of every resource, instance and volume, in addition to the provider's
    default tags."""
