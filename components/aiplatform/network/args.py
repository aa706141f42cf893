"""Arguments of the network: keys, types, rules and defaults.

The TypedDicts that programs write are generated from these classes into inputs.py by `make generate`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Final, Literal

from pulumi import Input, Output

from aiplatform._shared.addresses import any_range, overlap, private_range
from aiplatform._shared.args import (
    ArgumentError,
    Problem,
    Rule,
    between,
    distinct,
    got,
    is_unknown,
    matches,
    obeys,
    read,
)
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.gcp.names import PROJECT, REGION, zones_of
from aiplatform._shared.key_grants import KeyGrants
from aiplatform._shared.logs import retention
from aiplatform._shared.outputs import Tags
from aiplatform._shared.secret_names import key_problems
from aiplatform.naming import (
    GCE,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LOG_GROUP,
    SECURITY_GROUP_PREFIX,
    TAG_RULES,
    PhysicalName,
    prefix_for,
)
from aiplatform.network.aws.args import AwsNetwork
from aiplatform.network.aws.planning import LARGEST, MOST_ZONES, SMALLEST, too_small
from aiplatform.network.cloud_support import SUPPORT
from aiplatform.network.gcp import planning as google
from aiplatform.network.gcp import shared_vpc as google_shared_vpc
from aiplatform.network.gcp.args import PODS_PER_NODE, GcpNetwork
from aiplatform.network.inputs import NetworkArgs as NetworkArgs
from aiplatform.network.inputs import NetworkReferenceArgs as NetworkReferenceArgs
from aiplatform.network.inputs import NetworkZoneArgs as NetworkZoneArgs

FLOW_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/vpc/{prefix}/flow-logs")
FLOW_LOGS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-flow-logs")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-network")
ENDPOINTS: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-endpoints")
ON_GOOGLE: Final = PhysicalName(GCE, "{prefix}-private-services")
"""The longest name of a network on Google Cloud."""

_PREFIX: Final[dict[Cloud, Rule]] = {
    "aws": prefix_for(FLOW_LOGS, FLOW_LOGS_ROLE, KEY_ALIAS, ENDPOINTS),
    "gcp": prefix_for(ON_GOOGLE),
}
_CIDR: Final[dict[Cloud, Rule]] = {
    "aws": private_range(LARGEST, SMALLEST),
    "gcp": private_range(google.LARGEST, google.SMALLEST),
}
_RETENTION: Final[dict[Cloud, Rule]] = {
    "aws": retention(off=True),
    "gcp": between(0, 3650, "days"),
}
ZONE_ID: Final = matches(r"[a-z]+\d-az\d+", "a zone's id such as usw2-az1")
"""A rule: a zone of AWS, by the id that names the same place in every account."""
_MOST_GOOGLE_ZONES: Final = 4

NOT_FOR_EKS: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones in which an EKS control plane cannot have its interfaces (EKS user guide, "VPC requirements")."""

FOR_NODES: Final = ("ec2", "ecr.api", "ecr.dkr", "eks-auth")
"""Endpoints that EKS nodes need without NAT: for images, their names and the addresses of Pods, and Pod
Identity. The gateway endpoint of S3, for layers of images, always exists (EKS user guide, "Deploy private
clusters with limited internet access")."""


@dataclass(frozen=True)
class NetworkSettings(KeyGrants, CloudNeutral):
    """A network over two or three zones, planned so that a third zone can be added later."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    """First part of every physical name, `{org}-{environment}`: lower-case words with hyphens."""
    cidr: str
    """The private IPv4 range of the network, without host bits: /16 to /20 on AWS, /9 to /20 on Google
    Cloud."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`. What is placed in the network takes its cloud from `Network.outputs`."""
    zone_count: Annotated[int, between(2, MOST_ZONES, "zones")] | None = None
    """How many zones, 2 or 3: the region's first by zone id. Default 3. Not together with `zone_ids`."""
    zone_ids: Annotated[list[str], distinct] | None = None
    """The zones. AWS: 2 or 3 by id (`usw2-az1`), which names the same place in every account; the order gives
    each its addresses: add a third at the end. Google Cloud: 2 to 4 by name (`europe-west4-a`)."""
    nat: Literal["none", "single", "per_zone"] = "single"
    """The route to the internet: `per_zone` (AWS), `single` (one NAT gateway on AWS, lost with its zone;
    Cloud NAT on Google Cloud, which is regional) or `none` (only services of the cloud are reached). Default
    `single`."""
    flow_log_retention_days: int = 30
    """How long flow logs are kept, in days; 0 keeps none. AWS: a number that CloudWatch Logs knows. Google
    Cloud: up to 3650. Default 30."""
    pods: Annotated[int, between(1, 1_000_000)] = 500
    """The number of pods that addresses are planned for, all zones together. Default 500."""
    retain_data: bool = False
    """Whether flow logs and their key stay in the cloud when the network is destroyed. Default false."""
    kms_key: Input[str] | None = None
    """The key that encrypts flow logs. AWS: its arn, of the provider's region, with a policy that lets
    CloudWatch Logs use it for the log group `/aws/vpc/{prefix}/flow-logs` (docs/bring-your-own.md); Google
    Cloud: `projects/.../cryptoKeys/...`, in the network's region. Default: a key that is created."""
    aws: AwsNetwork = field(default_factory=AwsNetwork)
    """Options of AWS."""
    gcp: GcpNetwork = field(default_factory=GcpNetwork)
    """Options of Google Cloud. Required there, with `project` and `region`."""
    tags: Tags = field(default_factory=dict[str, Input[str]])
    """Tags of every resource, in addition to those of the provider."""

    @property
    def zones(self) -> int:
        """How many zones."""
        return len(self.zone_ids) if self.zone_ids is not None else self.zone_count or MOST_ZONES

    def check(self) -> Iterator[Problem]:
        """Report problems that depend on the cloud or on several arguments."""
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        wrong_range = list(obeys("cidr", self.cidr, _CIDR[self.cloud]))
        yield from wrong_range
        yield from obeys("flow_log_retention_days", self.flow_log_retention_days, _RETENTION[self.cloud])
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from key_problems("kms_key", self.kms_key, self.cloud, self.gcp.region)
        yield from self.key_grants_problems(self.kms_key)
        if self.kms_key is not None and self.flow_log_retention_days == 0:
            yield Problem("kms_key", "got one without flow logs; expected `flow_log_retention_days` above 0")
        if self.zone_count is not None and self.zone_ids is not None and self.zone_count != self.zones:
            yield Problem("zone_count", f"got {self.zone_count} and zone_ids; expected one of the two")
        yield from self._on_google() if self.cloud == "gcp" else self._on_aws()
        if not wrong_range:
            yield from self._too_small()

    def _on_aws(self) -> Iterator[Problem]:
        most = MOST_ZONES
        if self.zone_ids is not None and not 2 <= len(self.zone_ids) <= most:
            yield Problem("zone_ids", f"got {len(self.zone_ids)} zone(s); expected 2 or {most}")
        for index, zone in enumerate(self.zone_ids or []):
            yield from obeys(f"zone_ids[{index}]", zone, ZONE_ID)
            if zone in NOT_FOR_EKS:
                yield Problem(
                    f"zone_ids[{index}]",
                    f"got {zone!r}; expected a zone that EKS can use; it does not support this one",
                )

    def _on_google(self) -> Iterator[Problem]:
        for key in ("project", "region"):
            if getattr(self.gcp, key) is None:
                yield Problem(f"gcp.{key}", f"missing; expected the {key} of the network")
        if self.nat == "per_zone":
            yield Problem(
                "nat",
                "got 'per_zone'; expected 'single' or 'none': Cloud NAT is regional and outlives its zones",
            )
        if overlap(self.cidr, str(google.DOCKER)):
            yield Problem(
                "cidr",
                f"got {self.cidr!r}; expected a range outside {google.DOCKER}, which Cloud SQL keeps for "
                "itself",
            )
        if self.zone_ids is not None and not 2 <= len(self.zone_ids) <= _MOST_GOOGLE_ZONES:
            yield Problem("zone_ids", f"got {len(self.zone_ids)} zone(s); expected 2 to {_MOST_GOOGLE_ZONES}")
        if self.gcp.region is not None:
            for index, zone in enumerate(self.zone_ids or []):
                yield from obeys(f"zone_ids[{index}]", zone, zones_of(self.gcp.region))

    def _too_small(self) -> Iterator[Problem]:
        cidr = IPv4Network(self.cidr)
        if self.cloud == "gcp":
            nodes = self.gcp.nodes
            reason = google.too_small(cidr, self.pods, nodes, self.gcp.pods_per_node)
            key, value = ("pods", self.pods) if nodes is None else ("gcp.nodes", nodes)
        elif self.zones in (2, MOST_ZONES):
            reason = too_small(cidr, self.zones, self.pods, prefix_delegation=self.aws.prefix_delegation)
            key, value = "pods", self.pods
        else:
            return
        if reason:
            yield Problem(key, f"got {value}; {reason}")


@dataclass(frozen=True)
class NetworkZone:
    """One zone of the network that a component is placed in."""

    id: str
    """The zone's id, `usw2-az1`."""
    private_subnet_id: Input[str]
    """Its private subnet."""
    name: str | None = None
    """The zone's name in this account, `us-west-2a`."""
    public_subnet_id: Input[str] | None = None
    """Its public subnet."""
    intra_subnet_id: Input[str] | None = None
    """Its intra subnet."""


NO_ZONES: Final = (
    "missing; expected the network's zones as in Network.outputs; where they are an output that is not known "
    "yet, state the pool's `zones`"
)


@dataclass(frozen=True)
class NetworkReference:
    """The network that a component is placed in: `Network.outputs`, or the same from a stack reference."""

    may_be_output: ClassVar[bool] = True
    passed_on: ClassVar[Collection[str]] = NetworkReferenceArgs.__annotations__.keys()

    vpc_id: Input[str]
    """The VPC. Google Cloud: `projects/PROJECT/global/networks/NAME`."""
    cidr: Input[Annotated[str, any_range]]
    """Its IPv4 range."""
    private_subnet_ids: Input[list[Input[str]]]
    """Its private subnets, one a zone; on Google Cloud one for the region, of the nodes:
    `projects/PROJECT/regions/REGION/subnetworks/NAME`."""
    cloud: Cloud = "aws"
    """`aws` or `gcp`. Default `aws`."""
    project: Annotated[str, PROJECT] | None = None
    """Google Cloud, and required there: the id of the project of what is placed in it; with Shared VPC the
    service project."""
    region: Annotated[str, REGION] | None = None
    """Google Cloud, and required there: its region."""
    host_project: Annotated[str, PROJECT] | None = None
    """Google Cloud, with Shared VPC: the host project, which has the network. A cluster then requires
    `pods_range` and `services_range`. Default: the project in `vpc_id` where that is known, else
    `project`."""
    pods_range: Input[str] = "pods"
    """Google Cloud: the secondary range of pods, by its name. Default `pods`."""
    services_range: Input[str] = "services"
    """Google Cloud: the secondary range of Kubernetes Services, by its name. Default `services`."""
    pods_cidr: Input[Annotated[str, any_range]] | None = None
    """Google Cloud: the addresses of pods."""
    services_cidr: Input[Annotated[str, any_range]] | None = None
    """Google Cloud: the addresses of Kubernetes Services."""
    pods_per_node: Input[Annotated[int, between(google.LEAST_PODS, google.MOST_PODS, "pods")]] = PODS_PER_NODE
    """Google Cloud: the most pods of a node, which the ranges were planned for. Default 64."""
    private_services: Input[str] | None = None
    """Google Cloud: the name of the range for services that Google runs in its own networks (Cloud SQL);
    known once they can have addresses of it."""
    intra_subnet_ids: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    """Its intra subnets, one a zone; on Google Cloud one for the region, of the control plane. Default: the
    private subnets serve."""
    zones: Input[list[NetworkZone]] = field(default_factory=list[NetworkZone])
    """Its zones. Where they are an output that is not known yet, a pool needs its own `zones`."""

    def lacks_zone(self, zone_id: str) -> bool:
        """Return whether no zone of the network has this id; False where a zone's id is unknown."""
        ids = [zone.id for zone in self.listed_zones]
        return zone_id not in ids and not any(map(is_unknown, ids))

    @property
    def listed_zones(self) -> list[NetworkZone]:
        """The zones, none where they are an output."""
        return self.zones if isinstance(self.zones, list) else []

    def with_zones(self, ids: Sequence[str]) -> "NetworkReference":
        """Return the network with a list of these zones where its zones are an output, or else unchanged."""
        if isinstance(self.zones, list):
            return self
        zones = Output.from_input(self.zones)

        def zone(zone_id: str) -> NetworkZone:
            return NetworkZone(zone_id, zones.apply(lambda known: _private_subnet(known, zone_id)))

        return replace(self, zones=[zone(zone_id) for zone_id in ids])

    @property
    def network_project(self) -> str:
        """Google Cloud: the project that has the network; with Shared VPC the host project."""
        return google_shared_vpc.project_of_network(self) or ""

    @property
    def is_shared_vpc(self) -> bool:
        """Google Cloud: whether the network is in another project than what is placed in it."""
        return self.cloud == "gcp" and google_shared_vpc.is_shared(self)

    def unsupported(self, _arguments: Mapping[str, Any]) -> Iterator[Problem]:
        """Report a key of the other cloud."""
        if self.cloud == "aws" and self.host_project is not None:
            yield Problem(
                "host_project",
                f"{got(self.host_project)}, which AWS does not support: subnets of another account that are "
                "shared by AWS RAM are named by their ids; leave it out",
            )

    def check(self) -> Iterator[Problem]:
        """Report what a network on Google Cloud has to state."""
        if self.cloud == "aws":
            return
        for key in ("project", "region"):
            if getattr(self, key) is None:
                yield Problem(key, f"missing; expected the network's {key}")
        if self.project is not None and self.region is not None:
            yield from google_shared_vpc.problems(self)


def _private_subnet(zones: Sequence[Any], zone_id: str) -> Input[str]:
    """Return the private subnet of a zone; zones: as a program states them, or checked."""
    checked = [read(NetworkZone, zone, "network.zones") for zone in zones]
    for zone in checked:
        if zone.id == zone_id:
            return zone.private_subnet_id
    known = ", ".join(zone.id for zone in checked)
    raise ArgumentError([Problem("zones", f"{got(zone_id)}; expected a zone of the network: {known}")])
