"""Arguments of the cluster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from pulumi import Input

from aiplatform._addresses import not_the_world, overlap, private_range, reachable_from_outside
from aiplatform._args import Fault, between, distinct, is_unknown, length, matches, nearest
from aiplatform._logs import retention
from aiplatform.cluster.versions import out_of_support, today
from aiplatform.naming import (
    EKS_CLUSTER,
    EKS_NODE_GROUP_PREFIX,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LAUNCH_TEMPLATE_PREFIX,
    LOG_GROUP,
    PhysicalName,
    aws_tags,
    prefix_for,
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

ADDONS: Final = (
    "eks-pod-identity-agent",
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "metrics-server",
    "aws-ebs-csi-driver",
    "eks-node-monitoring-agent",
)


class ApiAccessArgs(TypedDict):
    """From where the Kubernetes API is reached. The private endpoint is always there."""

    mode: str
    """`in_vpc`: from the network alone, where the program then has to run. `cidrs`: from the listed addresses
    over the internet too."""
    cidrs: NotRequired[list[str]]
    """With `cidrs`: the public addresses of offices, VPN or CI. Never the whole internet."""
    security_group_id: NotRequired[Input[str]]
    """With `in_vpc`: the security group whose members reach the API beside the nodes, as `Runner` gives its
    own. Default: every address of the network does."""


class SystemNodesArgs(TypedDict):
    """The nodes of the cluster's own workloads, tainted CriticalAddonsOnly for everything else."""

    instance_types: NotRequired[list[str]]
    """Instance types of one processor architecture, the first preferred. Default m7i.large, m6i.large."""
    min: NotRequired[int]
    """Fewest nodes. Default 2."""
    max: NotRequired[int]
    """Most nodes. Default 3."""
    disk_gib: NotRequired[int]
    """Root volume in GiB. Default 50."""


class AddonArgs(TypedDict):
    """An add-on's version and configuration."""

    version: NotRequired[str]
    """The version (`v1.20.4-eksbuild.1`). Default: EKS's default for the Kubernetes version."""
    configuration: NotRequired[dict[str, Any]]
    """Laid over the configuration that the component gives; `aws eks describe-addon-configuration` prints the
    schema."""


class ClusterArgs(TypedDict):
    """A Kubernetes cluster with its system nodes and add-ons."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`; the cluster is `{prefix}-cluster`."""
    version: str
    """Kubernetes' minor version, `1.35`."""
    network: NetworkReferenceArgs
    """The network that it stands in: `Network.outputs`."""
    api_access: NotRequired[ApiAccessArgs]
    """From where the Kubernetes API is reached. Default: from the network alone."""
    log_retention_days: NotRequired[int]
    """How long control-plane logs are kept, in days. Default 90."""
    deletion_protection: NotRequired[bool]
    """Whether the cloud refuses to delete the cluster. Default false."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the cluster and its keys. Default false."""
    retain_data: NotRequired[bool]
    """Whether what holds data stays in the cloud when the cluster is destroyed: control-plane logs, and the
    keys of logs and volumes. Default false."""
    support: NotRequired[str]
    """`standard`: EKS upgrades the cluster when standard support of its version ends. `extended`: the version
    stays for another year, for a fee. Default `standard`."""
    system_nodes: NotRequired[SystemNodesArgs]
    """The system node group."""
    admins: NotRequired[list[str]]
    """IAM roles (arns) that administer the cluster. Default none."""
    creator_is_admin: NotRequired[bool]
    """Whether the role that first applies the program administers the cluster too: it makes Kubernetes
    objects in it. Say false where `admins` lists every role that applies. Default true."""
    addons: NotRequired[dict[str, AddonArgs]]
    """Versions and configuration of the add-ons, by name: eks-pod-identity-agent, vpc-cni, kube-proxy,
    coredns, metrics-server, aws-ebs-csi-driver, eks-node-monitoring-agent. All are installed."""
    service_cidr: NotRequired[str]
    """Addresses of Kubernetes Services, outside the network's range. Fixed when the cluster is created.
    Default 172.20.0.0/16."""
    prefix_delegation: NotRequired[bool]
    """Whether pods get their addresses by /28 prefixes: more pods on a node. Default false."""
    zonal_shift: NotRequired[bool]
    """Whether AWS may move traffic out of an impaired zone (ARC zonal shift). Default false."""
    session_manager: NotRequired[bool]
    """Whether nodes can be entered by AWS Systems Manager. Default false."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, beside those of the provider."""


@dataclass(frozen=True)
class ApiAccess:
    """Checked ApiAccessArgs."""

    mode: Literal["in_vpc", "cidrs"] = "in_vpc"
    cidrs: Annotated[list[Annotated[str, reachable_from_outside]], not_the_world, distinct] = field(
        default_factory=list[str]
    )
    security_group_id: Input[Annotated[str, matches(r"sg-[0-9a-z]+", "a security group's id")]] | None = None

    def check(self) -> Iterator[Fault]:
        """Addresses go with the public endpoint, a security group with the private one."""
        if self.mode == "cidrs" and self.security_group_id is not None:
            yield Fault(
                "security_group_id",
                "got one beside mode cidrs, expected none: it says who gets in with in_vpc",
            )
        if self.mode == "in_vpc" and self.cidrs:
            yield Fault(
                "cidrs", "got addresses beside mode in_vpc, which has no public endpoint; expected none"
            )
        # EKS quota: CIDR ranges of the public endpoint.
        if self.mode == "cidrs" and not 1 <= len(self.cidrs) <= 40:
            yield Fault("cidrs", f"got {len(self.cidrs)}, expected 1 to 40 ranges that may reach the API")


@dataclass(frozen=True)
class SystemNodes:
    """Checked SystemNodesArgs."""

    instance_types: Annotated[
        list[Annotated[str, matches(r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type such as m7i.large")]],
        length(1, 20, "instance types"),
        distinct,
    ] = field(default_factory=lambda: ["m7i.large", "m6i.large"])
    min: Annotated[int, between(1, 450, "nodes")] = 2
    max: Annotated[int, between(1, 450, "nodes")] = 3
    disk_gib: Annotated[int, between(20, 16384, "GiB")] = 50

    def check(self) -> Iterator[Fault]:
        """What no single key tells."""
        if self.min > self.max:
            yield Fault("min", f"got {self.min}, expected at most max, {self.max}")
        if len({is_arm(each) for each in self.instance_types}) > 1:
            listed = ", ".join(
                f"{each} ({'arm64' if is_arm(each) else 'x86_64'})" for each in self.instance_types
            )
            yield Fault("instance_types", f"got {listed}, expected one processor architecture")

    @property
    def arm(self) -> bool:
        """Whether they have ARM processors."""
        return is_arm(self.instance_types[0])


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
class ClusterSettings:
    """Checked ClusterArgs."""

    prefix: Annotated[str, prefix_for(*NAMES)]
    version: Annotated[str, matches(r"1\.\d{2}", "a minor version such as '1.35', in quotes in YAML")]
    network: NetworkReference
    api_access: ApiAccess = field(default_factory=ApiAccess)
    log_retention_days: Annotated[int, retention()] = 90
    deletion_protection: bool = False
    protect: bool = False
    retain_data: bool = False
    support: Literal["standard", "extended"] = "standard"
    system_nodes: SystemNodes = field(default_factory=SystemNodes)
    admins: Annotated[
        list[Annotated[str, matches(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/\S+", "an IAM role's arn")]],
        distinct,
    ] = field(default_factory=list[str])
    creator_is_admin: bool = True
    addons: dict[str, Addon] = field(default_factory=dict[str, Addon])
    service_cidr: Annotated[str, private_range(12, 24, shared=False)] = "172.20.0.0/16"
    prefix_delegation: bool = False
    zonal_shift: bool = False
    session_manager: bool = False
    tags: Annotated[dict[str, str], aws_tags] = field(default_factory=dict[str, str])

    @property
    def control_plane_subnets(self) -> Input[list[Input[str]]]:
        """Where the control plane has its interfaces: the intra subnets, or the private ones without them."""
        intra = self.network.intra_subnet_ids
        return intra if is_unknown(intra) or intra else self.network.private_subnet_ids

    def check(self) -> Iterator[Fault]:
        """What no single key tells."""
        reason = out_of_support(self.version, self.support, today())
        if reason:
            yield Fault("version", f"got {self.version!r}, {reason}")
        if isinstance(self.network.cidr, str) and overlap(self.service_cidr, self.network.cidr):
            yield Fault(
                "service_cidr",
                f"got {self.service_cidr!r}, expected a range outside the network's {self.network.cidr}",
            )
        for name in self.addons:
            if name not in ADDONS:
                yield Fault(
                    f"addons.{name}",
                    f"unknown add-on, expected one of {', '.join(ADDONS)}{nearest(name, ADDONS)}",
                )
        subnets = self.control_plane_subnets
        if isinstance(subnets, list) and len(subnets) < 2:
            yield Fault(
                "network", f"got {len(subnets)} subnet(s), expected subnets in 2 zones at least, for EKS"
            )
