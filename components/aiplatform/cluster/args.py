"""Arguments of the cluster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pulumi import Input, Output

from aiplatform._shared.addresses import not_the_internet, private_range, reachable_from_outside
from aiplatform._shared.args import UNKNOWN, Problem, between, distinct, is_unknown, length, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform.cluster import rules
from aiplatform.cluster.aws.versions import out_of_support, today
from aiplatform.cluster.cloud_support import SUPPORT
from aiplatform.cluster.gcp.args import (
    IMAGES,
    MaintenanceExclusion,
    MaintenanceExclusionArgs,
    MaintenanceWindow,
    MaintenanceWindowArgs,
    NodeAutoProvisioning,
    NodeAutoProvisioningArgs,
)
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
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs

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

ADDONS: Final = (
    "eks-pod-identity-agent",
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "metrics-server",
    "aws-ebs-csi-driver",
    "eks-node-monitoring-agent",
)

ApiAccessMode = Literal["in_vpc", "cidrs", "dns"]
VersionSupport = Literal["standard", "extended"]
ReleaseChannel = Literal["rapid", "regular", "stable", "extended"]
ControlPlane = Literal["regional", "zonal"]
AutoscalingProfile = Literal["balanced", "optimize_utilization"]


class ApiAccessArgs(TypedDict):
    """From where the Kubernetes API is reached. The private endpoint is always there."""

    mode: ApiAccessMode
    """`in_vpc`: from the network alone, where the program then has to run. `cidrs`: from the listed addresses
    over the internet too. `dns` (Google Cloud): by a name, from everywhere, for whom IAM lets in."""
    cidrs: NotRequired[list[str]]
    """With `cidrs`: the public addresses of offices, VPN or CI. Never the whole internet."""
    security_group_id: NotRequired[Input[str]]
    """With `in_vpc`: the security group whose members reach the API beside the nodes, as `Runner` gives its
    own. Default: every address of the network does."""


class SystemNodesArgs(TypedDict):
    """The nodes of the cluster's own workloads, tainted CriticalAddonsOnly for everything else."""

    instance_types: NotRequired[list[str]]
    """Instance types of one processor architecture, the first preferred; just one on Google Cloud. Default
    m7i.large and m6i.large, or e2-standard-4."""
    min: NotRequired[int]
    """Fewest nodes. Default 2."""
    max: NotRequired[int]
    """Most nodes. Default 3."""
    disk_gib: NotRequired[int]
    """Root volume in GiB. Default 50."""
    force_update: NotRequired[bool]
    """AWS: whether an update of the nodes also evicts Pods that a PodDisruptionBudget keeps; without it the
    update waits for them, and fails. Default false."""


class AddonArgs(TypedDict):
    """An add-on's version and configuration."""

    version: NotRequired[str]
    """The version (`v1.20.4-eksbuild.1`). Default: EKS's default for the Kubernetes version when the add-on
    is installed or the Kubernetes version changes; between those it stays."""
    configuration: NotRequired[dict[str, Any]]
    """Laid over the configuration that the component gives; `aws eks describe-addon-configuration` prints the
    schema."""


class ClusterArgs(TypedDict):
    """A Kubernetes cluster with its system nodes and add-ons, on the cloud of its network."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`; the cluster is `{prefix}-cluster`."""
    version: str
    """Kubernetes' minor version, `1.35`."""
    network: Input[NetworkReferenceArgs]
    """The network that it stands in: `Network.outputs`."""
    api_access: NotRequired[ApiAccessArgs]
    """From where the Kubernetes API is reached. Default: from the network alone."""
    log_retention_days: NotRequired[int]
    """How long control-plane logs are kept, in days. Default 90."""
    deletion_protection: NotRequired[bool]
    """Whether the cloud, or its provider on Google Cloud, refuses to delete the cluster. Default false."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the cluster and its keys. Default false."""
    retain_data: NotRequired[bool]
    """Whether what holds data stays in the cloud when the cluster is destroyed: control-plane logs, and the
    keys of logs and volumes. Default false."""
    support: NotRequired[VersionSupport]
    """AWS. `standard`: EKS upgrades the cluster when standard support of its version ends. `extended`: the
    version stays for another year, for a fee. Default `standard`."""
    release_channel: NotRequired[ReleaseChannel]
    """Google Cloud: `rapid`, `regular`, `stable` or `extended`, which upgrades the cluster. Default
    `regular`."""
    control_plane: NotRequired[ControlPlane]
    """Google Cloud. `regional`: it stands in three zones. `zonal`: in the network's first zone alone, which
    is cheap, and the API is away while it is upgraded. Fixed when the cluster is created. Default
    `regional`."""
    maintenance_window: NotRequired[MaintenanceWindowArgs]
    """Google Cloud: when GKE may upgrade and repair. Default: at any time."""
    maintenance_exclusions: NotRequired[list[MaintenanceExclusionArgs]]
    """Google Cloud: when GKE may not upgrade, window or not. Default none."""
    system_nodes: NotRequired[SystemNodesArgs]
    """The system node group."""
    admins: NotRequired[Sequence[Input[str]]]
    """Who administers the cluster. AWS: IAM roles (arns). Google Cloud: `user:`, `serviceAccount:` or, with
    `google_groups`, `group:` and an e-mail address. Default none."""
    google_groups: NotRequired[str]
    """Google Cloud: the group `gke-security-groups@...` whose member groups Kubernetes may know. Default:
    none."""
    creator_is_admin: NotRequired[bool]
    """AWS: whether the role that first applies the program administers the cluster too: it makes Kubernetes
    objects in it. Say false where `admins` lists every role that applies. Default true."""
    addons: NotRequired[dict[str, AddonArgs]]
    """AWS: versions and configuration of the add-ons, by name: eks-pod-identity-agent, vpc-cni, kube-proxy,
    coredns, metrics-server, aws-ebs-csi-driver, eks-node-monitoring-agent. All are installed."""
    service_cidr: NotRequired[str]
    """AWS: addresses of Kubernetes Services, outside the network's range. Fixed when the cluster is created.
    Default 172.20.0.0/16."""
    prefix_delegation: NotRequired[bool]
    """AWS: whether pods get their addresses by /28 prefixes: more pods on a node. Default false."""
    zonal_shift: NotRequired[bool]
    """Whether AWS may move traffic out of an impaired zone (ARC zonal shift). Default false."""
    session_manager: NotRequired[bool]
    """Whether nodes can be entered, by AWS Systems Manager or Google Cloud's Identity-Aware Proxy. On AWS
    sessions work as they are; updates of the agent and patches come from buckets of the region that the
    network's `readable_buckets` has to name. Default false."""
    gateway_api: NotRequired[bool]
    """Google Cloud: GKE's Gateway controller. Default true."""
    image_streaming: NotRequired[bool]
    """Google Cloud: containers start while their images are still on the way. Default true."""
    gcs_fuse: NotRequired[bool]
    """Google Cloud: buckets as volumes. Default true."""
    filestore: NotRequired[bool]
    """Google Cloud: Filestore as volumes that many nodes share. Default false."""
    managed_prometheus: NotRequired[bool]
    """Google Cloud: Managed Service for Prometheus. Default true."""
    cost_allocation: NotRequired[bool]
    """Google Cloud: costs by namespace and label in the bill. Default true."""
    node_auto_provisioning: NotRequired[NodeAutoProvisioningArgs]
    """Google Cloud: how much GKE may add in node pools of its own making. Default: none."""
    autoscaling_profile: NotRequired[AutoscalingProfile]
    """Google Cloud. `balanced`: nodes stay a while. `optimize_utilization`: they go soon. Default
    `balanced`."""
    binary_authorization: NotRequired[list[str]]
    """Google Cloud: patterns of the images that may run, in addition to Google's own
    (`europe-docker.pkg.dev/acme/**`); Pods with other images are refused, those of other components too. The
    project has one such policy. Default: all may."""
    security_posture: NotRequired[bool]
    """Google Cloud: the security posture dashboard. Default true."""
    multi_networking: NotRequired[bool]
    """Google Cloud: whether Pods may have further network interfaces, which GPUDirect needs. Fixed when the
    cluster is created. Default false."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, beside those of the provider."""


@dataclass(frozen=True)
class ApiAccess:
    """Checked ApiAccessArgs."""

    mode: ApiAccessMode = "in_vpc"
    cidrs: Annotated[list[Annotated[str, reachable_from_outside]], not_the_internet, distinct] = field(
        default_factory=list[str]
    )
    security_group_id: Input[Annotated[str, matches(r"sg-[0-9a-z]+", "a security group's id")]] | None = None

    def check(self) -> Iterator[Problem]:
        """Addresses go with the public endpoint, a security group with the private one."""
        if self.mode != "in_vpc" and self.security_group_id is not None:
            yield Problem(
                "security_group_id",
                f"got one beside mode {self.mode}, expected none: it says who gets in with in_vpc",
            )
        if self.mode == "in_vpc" and self.cidrs:
            yield Problem(
                "cidrs", "got addresses beside mode in_vpc, which has no public endpoint; expected none"
            )
        if self.mode == "dns" and self.cidrs:
            yield Problem("cidrs", "got addresses beside mode dns, which IAM guards; expected none")
        # EKS quota: CIDR ranges of the public endpoint; GKE takes 50 authorized networks.
        if self.mode == "cidrs" and not 1 <= len(self.cidrs) <= 40:
            yield Problem("cidrs", f"got {len(self.cidrs)}, expected 1 to 40 ranges that may reach the API")


@dataclass(frozen=True)
class SystemNodes:
    """Checked SystemNodesArgs."""

    instance_types: Annotated[list[str], length(1, 20, "instance types"), distinct] = field(
        default_factory=list[str]
    )
    min: Annotated[int, between(1, 450, "nodes")] = 2
    max: Annotated[int, between(1, 450, "nodes")] = 3
    disk_gib: Annotated[int, between(20, 16384, "GiB")] = 50
    force_update: bool = False

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        if self.min > self.max:
            yield Problem("min", f"got {self.min}, expected at most max, {self.max}")

    def types(self, cloud: Cloud) -> list[str]:
        """The machines, or the cloud's default ones."""
        return self.instance_types or list(_SYSTEM_TYPES[cloud])

    @property
    def arm(self) -> bool:
        """AWS: whether they have ARM processors."""
        return is_arm(self.types("aws")[0])


_SYSTEM_TYPES: Final[dict[Cloud, tuple[str, ...]]] = {
    "aws": ("m7i.large", "m6i.large"),
    "gcp": ("e2-standard-4",),
}


def is_arm(instance_type: str) -> bool:
    """Whether an instance type has a Graviton processor: a g after the generation (m7g, c7gn, g5g), or a1."""
    family = instance_type.split(".", maxsplit=1)[0]
    return family == "a1" or family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789").startswith("g")


@dataclass(frozen=True)
class Addon:
    """Checked AddonArgs."""

    version: (
        Annotated[str, matches(r"v\d+\.\d+\.\d+-eksbuild\.\d+", "a version such as v1.20.4-eksbuild.1")]
        | None
    ) = None
    configuration: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class ClusterSettings(CloudNeutral):
    """Checked ClusterArgs."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    version: Annotated[str, matches(r"1\.\d{2}", "a minor version such as '1.35', in quotes in YAML")]
    network: NetworkReference
    api_access: ApiAccess = field(default_factory=ApiAccess)
    log_retention_days: int = 90
    deletion_protection: bool = False
    protect: bool = False
    retain_data: bool = False
    support: VersionSupport = "standard"
    release_channel: ReleaseChannel = "regular"
    control_plane: ControlPlane = "regional"
    maintenance_window: MaintenanceWindow | None = None
    maintenance_exclusions: list[MaintenanceExclusion] = field(default_factory=list[MaintenanceExclusion])
    system_nodes: SystemNodes = field(default_factory=SystemNodes)
    admins: Annotated[list[Input[str]], distinct] = field(default_factory=list[Input[str]])
    google_groups: (
        Annotated[str, matches(r"gke-security-groups@\S+\.\S+", "gke-security-groups@ and your domain")]
        | None
    ) = None
    creator_is_admin: bool = True
    addons: dict[str, Addon] = field(default_factory=dict[str, Addon])
    service_cidr: Annotated[str, private_range(12, 24, shared=False)] = "172.20.0.0/16"
    prefix_delegation: bool = False
    zonal_shift: bool = False
    session_manager: bool = False
    gateway_api: bool = True
    image_streaming: bool = True
    gcs_fuse: bool = True
    filestore: bool = False
    managed_prometheus: bool = True
    cost_allocation: bool = True
    node_auto_provisioning: NodeAutoProvisioning | None = None
    autoscaling_profile: AutoscalingProfile = "balanced"
    binary_authorization: Annotated[list[Annotated[str, IMAGES]], distinct] = field(default_factory=list[str])
    security_posture: bool = True
    multi_networking: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def cloud(self) -> Cloud:
        """The network's."""
        return self.network.cloud

    @property
    def control_plane_subnets(self) -> Input[list[Input[str]]]:
        """Where the control plane has its interfaces: the intra subnets, or the private ones without them."""
        intra = self.network.intra_subnet_ids
        private = self.network.private_subnet_ids
        if intra is UNKNOWN:
            return UNKNOWN
        if is_unknown(intra):
            # Not Output.all: what waits for the intra subnets should not wait for the private ones.
            return Output.from_input(intra).apply(lambda known: known or private)
        return intra or private

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        yield from rules.common(self, NAMES_ON[self.cloud])
        if self.cloud == "gcp":
            yield from rules.on_google(self)
            return
        reason = out_of_support(self.version, self.support, today())
        if reason:
            yield Problem("version", f"got {self.version!r}, {reason}")
        yield from rules.on_aws(self, ADDONS)
        types = self.system_nodes.types("aws")
        if len({is_arm(each) for each in types}) > 1:
            listed = ", ".join(f"{each} ({'arm64' if is_arm(each) else 'x86_64'})" for each in types)
            yield Problem("system_nodes.instance_types", f"got {listed}, expected one processor architecture")
