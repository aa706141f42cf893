"""Arguments of the cluster: keys, types, rules and defaults.

The TypedDicts that programs write are generated from these classes into inputs.py by `make generate`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from pulumi import Input, Output

from aiplatform._shared.addresses import not_the_internet, reachable_from_outside
from aiplatform._shared.args import UNKNOWN, Problem, between, distinct, is_unknown, length, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.disks import SIZE
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.kubernetes.pools import MOST_NODES, architecture, minimum_above_maximum
from aiplatform._shared.outputs import Tags
from aiplatform.cluster import rules
from aiplatform.cluster.aws.args import Eks
from aiplatform.cluster.aws.versions import out_of_support, today
from aiplatform.cluster.cloud_support import SUPPORT
from aiplatform.cluster.gcp.args import Gke
from aiplatform.cluster.inputs import ApiAccessArgs as ApiAccessArgs
from aiplatform.cluster.inputs import ClusterArgs as ClusterArgs
from aiplatform.cluster.inputs import SystemNodesArgs as SystemNodesArgs
from aiplatform.naming import (
    EKS_CLUSTER,
    EKS_NODE_GROUP_PREFIX,
    GKE_CLUSTER,
    GOOGLE_SERVICE_ACCOUNT,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LAUNCH_TEMPLATE_PREFIX,
    LOG_GROUP,
    PhysicalName,
)
from aiplatform.network.args import NetworkReference
from aiplatform.network.gcp.shared_vpc import missing_ranges

CLUSTER: Final = PhysicalName(EKS_CLUSTER, "{prefix}-cluster")
LOGS: Final = PhysicalName(LOG_GROUP, "/aws/eks/{prefix}-cluster/cluster")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-cluster")
VOLUMES_KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-cluster-volumes")
CLUSTER_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-cluster")
NODE_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-node")
CNI_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-vpc-cni")
VOLUMES_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-ebs-csi")
SYSTEM_NODES: Final = PhysicalName(EKS_NODE_GROUP_PREFIX, "{prefix}-system")
SYSTEM_TEMPLATE: Final = PhysicalName(LAUNCH_TEMPLATE_PREFIX, "{prefix}-system")
NAMES: Final = (
    CLUSTER,
    LOGS,
    KEY_ALIAS,
    VOLUMES_KEY_ALIAS,
    CLUSTER_ROLE,
    NODE_ROLE,
    CNI_ROLE,
    VOLUMES_ROLE,
    SYSTEM_NODES,
    SYSTEM_TEMPLATE,
)

GKE: Final = PhysicalName(GKE_CLUSTER, "{prefix}-cluster")
NODE_ACCOUNT: Final = PhysicalName(GOOGLE_SERVICE_ACCOUNT, "{prefix}-nodes")
NAMES_ON: Final[dict[Cloud, tuple[PhysicalName, ...]]] = {"aws": NAMES, "gcp": (GKE, NODE_ACCOUNT)}


@dataclass(frozen=True)
class ApiAccess:
    """From where the Kubernetes API can be reached. The private endpoint always exists."""

    mode: Literal["in_vpc", "cidrs", "dns"] = "in_vpc"
    """`in_vpc`: only from the network, where the program then has to run. `cidrs`: also from the listed
    addresses over the internet. `dns` (Google Cloud): by a DNS name from everywhere, for principals that IAM
    authorizes."""
    cidrs: Annotated[list[Annotated[str, reachable_from_outside]], not_the_internet, distinct] = field(
        default_factory=list[str]
    )
    """With `cidrs`: the public addresses of offices, VPN or CI. Never the whole internet."""
    security_group_id: Input[Annotated[str, matches(r"sg-[0-9a-z]+", "a security group's id")]] | None = None
    """AWS, with `in_vpc`: the security group whose members reach the API in addition to the nodes, such as
    `Runner.security_group_id`. Default: every address of the network reaches it."""

    def check(self) -> Iterator[Problem]:
        """Report addresses without a public endpoint, and a security group with one."""
        if self.mode != "in_vpc" and self.security_group_id is not None:
            yield Problem(
                "security_group_id",
                f"got one with mode {self.mode}; expected none: it applies to in_vpc only",
            )
        if self.mode == "in_vpc" and self.cidrs:
            yield Problem(
                "cidrs", "got addresses with mode in_vpc, which has no public endpoint; expected mode: cidrs"
            )
        if self.mode == "dns" and self.cidrs:
            yield Problem("cidrs", "got addresses with mode dns, which IAM guards; expected none")
        # EKS quota: CIDR ranges of the public endpoint; GKE takes 50 authorized networks.
        if self.mode == "cidrs" and not 1 <= len(self.cidrs) <= 40:
            yield Problem("cidrs", f"got {len(self.cidrs)}; expected 1 to 40 ranges that may reach the API")


@dataclass(frozen=True)
class SystemNodes:
    """The nodes of the cluster's system workloads, tainted so that no other Pods run there."""

    instance_types: Annotated[list[str], length(1, 20, "instance types"), distinct] = field(
        default_factory=list[str]
    )
    """Instance types of one processor architecture, the first preferred; just one on Google Cloud. Default
    m7i.large and m6i.large, or e2-standard-4."""
    min: Input[Annotated[int, between(1, MOST_NODES, "nodes")]] = 2
    """Fewest nodes. Default 2."""
    max: Input[Annotated[int, between(1, MOST_NODES, "nodes")]] = 3
    """Most nodes. Default 3."""
    disk_gib: Input[Annotated[int, SIZE]] = 50
    """Root volume in GiB, 20 to 65536. Default 50."""
    image_version: Input[str] | None = None
    """The release of the nodes' machine image, which they keep until another one is stated: on AWS of the EKS
    AMI, `1.35.8-20260930`, on Google Cloud GKE's version of the nodes, `1.35.6-gke.1250000`. Default: the
    newest when nodes are created or updated, and on Google Cloud what the release channel decides."""
    force_update: Input[bool] = False
    """AWS: whether an update of the nodes also evicts Pods that a PodDisruptionBudget protects; otherwise the
    update waits for them, and fails. Default false."""

    def check(self) -> Iterator[Problem]:
        """Report a minimum above the maximum."""
        yield from minimum_above_maximum(self.min, self.max)

    def types(self, cloud: Cloud) -> list[str]:
        """Return the instance types, or the defaults of the cloud."""
        return self.instance_types or list(_SYSTEM_TYPES[cloud])

    @property
    def arm(self) -> bool:
        """AWS: whether they have ARM processors."""
        return architecture(self.types("aws")[0]) == "arm64"


_SYSTEM_TYPES: Final[dict[Cloud, tuple[str, ...]]] = {
    "aws": ("m7i.large", "m6i.large"),
    "gcp": ("e2-standard-4",),
}


@dataclass(frozen=True)
class ClusterSettings(KeyGrants, CloudNeutral):
    """A Kubernetes cluster with its system nodes and add-ons, on the cloud of its network."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`; the cluster is `{prefix}-cluster`."""
    version: Annotated[str, matches(r"1\.\d{2}", "a minor version such as '1.35', in quotes in YAML")]
    """Kubernetes' minor version, `1.35`."""
    network: NetworkReference
    """The network of the cluster: `Network.outputs`."""
    api_access: ApiAccess = field(default_factory=ApiAccess)
    """From where the Kubernetes API can be reached. Default: only from the network."""
    log_retention_days: Input[int] = 90
    """How long control-plane logs are kept, in days. Default 90."""
    deletion_protection: Input[bool] = False
    """Whether the cloud, or its provider on Google Cloud, refuses to delete the cluster. Default false."""
    protect: bool = False
    """Whether Pulumi refuses to delete the cluster and its keys. Default false."""
    retain_data: bool = False
    """Whether control-plane logs and the keys of logs, secrets and volumes stay in the cloud when the cluster
    is destroyed. Default false."""
    system_nodes: SystemNodes = field(default_factory=SystemNodes)
    """The system node group."""
    admins: Annotated[list[Input[str]], distinct] = field(default_factory=list[Input[str]])
    """The principals that administer the cluster. AWS: arns of IAM roles. Google Cloud: `user:`,
    `serviceAccount:` or, with `gke.google_groups`, `group:` and an e-mail address. Default none."""
    session_manager: bool = False
    """Whether administrators can log in to nodes, by AWS Systems Manager or Identity-Aware Proxy of Google
    Cloud. On AWS updates of the agent and patches come from buckets of the region that
    `aws.readable_buckets` of the network has to list. Default false."""
    kms_key: Input[str] | None = None
    """The key that encrypts Kubernetes' secrets and control-plane logs. AWS: its arn, of the provider's
    region, with a policy that lets CloudWatch Logs use it for the log group
    `/aws/eks/{prefix}-cluster/cluster` and the deployer create grants (docs/bring-your-own.md); another key
    later replaces the cluster. Google Cloud: `projects/.../cryptoKeys/...`, in the cluster's region. Default:
    a key that is created."""
    volumes_kms_key: Input[str] | None = None
    """The key that encrypts the volumes of nodes and persistent volumes, in the form of `kms_key`. AWS: its
    policy lets the service-linked roles of EC2 Auto Scaling and EC2 Spot use it (docs/bring-your-own.md).
    Default: a key that is created."""
    eks: Eks = field(default_factory=Eks)
    """Options of EKS."""
    gke: Gke = field(default_factory=Gke)
    """Options of GKE."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to those of the provider."""

    @property
    def cloud(self) -> Cloud:
        """The cloud of the network."""
        return self.network.cloud

    def unsupported(self, arguments: Mapping[str, Any]) -> Iterator[Problem]:
        """Report arguments of the other cloud, and secondary ranges that Shared VPC requires."""
        yield from super().unsupported(arguments)
        network = arguments.get("network")
        if self.network.is_shared_vpc and isinstance(network, Mapping):
            for problem in missing_ranges(cast("Mapping[str, Any]", network)):
                yield Problem(f"network.{problem.path}", problem.reason)

    @property
    def control_plane_subnets(self) -> Input[list[Input[str]]]:
        """The subnets of the control plane's interfaces: the intra subnets, or else the private ones."""
        intra = self.network.intra_subnet_ids
        private = self.network.private_subnet_ids
        if intra is UNKNOWN:
            return UNKNOWN
        if is_unknown(intra):
            # Not Output.all: what waits for the intra subnets should not wait for the private ones.
            return Output.from_input(intra).apply(lambda known: known or private)
        return intra or private

    def check(self) -> Iterator[Problem]:
        """Report problems that depend on the cloud or on several arguments."""
        yield from rules.common(self, NAMES_ON[self.cloud])
        if self.cloud == "gcp":
            yield from rules.on_google(self)
            return
        reason = out_of_support(self.version, self.eks.support, today())
        if reason:
            yield Problem("version", f"got {self.version!r}; {reason}")
        yield from rules.on_aws(self)
        types = self.system_nodes.types("aws")
        if len({architecture(name) for name in types}) > 1:
            types_text = ", ".join(f"{name} ({architecture(name)})" for name in types)
            yield Problem(
                "system_nodes.instance_types", f"got {types_text}; expected one processor architecture"
            )
