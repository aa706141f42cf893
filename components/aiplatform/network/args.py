"""Arguments of the network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

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
from aiplatform._shared.logs import retention
from aiplatform.naming import (
    GCE,
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LOG_GROUP,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
    aws_tags,
    google_labels,
    prefix_for,
)
from aiplatform.network.aws.planning import LARGEST, MOST_ZONES, SMALLEST, too_small
from aiplatform.network.cloud_support import SUPPORT
from aiplatform.network.gcp import planning as google

FLOW_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/vpc/{prefix}/flow-logs")
FLOW_LOGS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-flow-logs")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-network")
ENDPOINTS: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-endpoints")
ON_GOOGLE: Final = PhysicalName(GCE, "{prefix}-private-services")
"""The longest of a network's names there."""

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
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}
_ZONE_ID: Final = matches(r"[a-z]+\d-az\d+", "a zone's id such as usw2-az1")
_MOST_GOOGLE_ZONES: Final = 4
PODS_PER_NODE: Final = 64
"""The most pods of a node on Google Cloud, where nobody says otherwise."""

NOT_FOR_EKS: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones in which an EKS control plane cannot have its interfaces (EKS user guide, "VPC requirements")."""

_CALLED_OTHERWISE: Final = {
    "cloudwatch": "monitoring",
    "cloudwatch-logs": "logs",
    "ecr": "ecr.api and ecr.dkr",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "eventbridge": "events",
    "sagemaker": "sagemaker.api and sagemaker.runtime",
    "secrets-manager": "secretsmanager",
    "stepfunctions": "states",
}
"""Names that people give to services whose endpoints are called otherwise (AWS PrivateLink guide, "AWS
services that integrate with AWS PrivateLink"). Whether all others exist, EC2 alone knows."""

FOR_NODES: Final = ("ec2", "ecr.api", "ecr.dkr", "eks-auth")
"""Endpoints that EKS nodes call for where there is no other way out: their images, their names and the
addresses of Pods, and Pod Identity. S3's, for the images' layers, is always there (EKS user guide, "Deploy
private clusters with limited internet access")."""

Nat = Literal["none", "single", "per_zone"]
GoogleApis = Literal["private", "restricted"]


class NetworkArgs(TypedDict):
    """A network over two or three zones, planned so that a third zone can be added later."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`: lower-case words with hyphens."""
    cidr: str
    """The private IPv4 range of the network, without host bits: /16 to /20 on AWS, /9 to /20 on Google
    Cloud."""
    cloud: NotRequired[Cloud]
    """`aws` or `gcp`. Default `aws`. What is placed in the network is told by the network's reference."""
    project: NotRequired[str]
    """Google Cloud, and required there: the id of the project."""
    region: NotRequired[str]
    """Google Cloud, and required there: the region, `europe-west4`."""
    zone_count: NotRequired[int]
    """How many zones, 2 or 3: the region's first by zone id. Default 3. Left out when `zone_ids` is given."""
    zone_ids: NotRequired[list[str]]
    """The zones. AWS: 2 or 3 by id (`usw2-az1`), which names the same place in every account; the order gives
    each its addresses: add a third at the end. Google Cloud: 2 to 4 by name (`europe-west4-a`)."""
    nat: NotRequired[Nat]
    """The way out: `per_zone` (AWS), `single` (a NAT gateway on AWS, which falls with its zone; Cloud NAT on
    Google Cloud, which does not) or `none` (the cloud's own services are all that is reached). Default
    `single`."""
    endpoints: NotRequired[list[str]]
    """AWS services with an interface endpoint (`ecr.api`, `sts`, `eks-auth`). S3 and DynamoDB always have a
    gateway endpoint. Default none."""
    readable_buckets: NotRequired[list[str]]
    """AWS: buckets of other accounts that may be read through S3's gateway endpoint, by name: public data
    sets, other registries' layers, Systems Manager's packages (`amazon-ssm-<region>`). Those of the account
    itself, of ECR, Amazon Linux, registry.k8s.io, Docker Hub and quay.io may be used in any case; all other
    buckets of the region are out of reach, with NAT too. Default none."""
    google_apis: NotRequired[GoogleApis]
    """Google Cloud: where the names of Google's APIs lead to. `private`: to all of them. `restricted`: to
    those that VPC Service Controls know, and no others. Default `private`."""
    private_services: NotRequired[bool]
    """Google Cloud: whether what Google runs in networks of its own (Cloud SQL, Filestore) gets addresses of
    this one. Default true."""
    flow_log_retention_days: NotRequired[int]
    """How long flow logs are kept, in days; 0 keeps none. AWS: a number that CloudWatch Logs knows. Google
    Cloud: up to 3650. Default 30."""
    pods: NotRequired[int]
    """How many pods there must be addresses for, all zones together. Default 500."""
    nodes: NotRequired[int]
    """Google Cloud: how many nodes there must be addresses for, all pools and zones together. Default: as
    many as hold `pods`."""
    pods_per_node: NotRequired[int]
    """Google Cloud: the most pods of a node, 8 to 256; it takes twice as many addresses. Default 64: a node
    with accelerators runs few."""
    retain_data: NotRequired[bool]
    """Whether flow logs and their key stay in the cloud when the network is destroyed. Default false."""
    prefix_delegation: NotRequired[bool]
    """Whether pods get their addresses by /28 prefixes, as the cluster's argument of this name says: then
    `pods` is counted in whole prefixes. Default false."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, beside those of the provider."""


class NetworkZoneArgs(TypedDict):
    """One zone of a network that something is placed in."""

    name: NotRequired[str]
    """The zone's name in this account, `us-west-2a`."""
    id: str
    """The zone's id, `usw2-az1`."""
    private_subnet_id: Input[str]
    """Its private subnet."""
    public_subnet_id: NotRequired[Input[str]]
    """Its public subnet."""
    intra_subnet_id: NotRequired[Input[str]]
    """Its intra subnet."""


class NetworkReferenceArgs(TypedDict):
    """A network that something is placed in: what `Network.outputs` gives, or what a stack reference hands
    over."""

    cloud: NotRequired[str]
    """`aws` or `gcp`. Default `aws`."""
    project: NotRequired[str]
    """Google Cloud, and required there: its project's id."""
    region: NotRequired[str]
    """Google Cloud, and required there: its region."""
    vpc_id: Input[str]
    """The VPC."""
    cidr: Input[str]
    """Its IPv4 range."""
    private_subnet_ids: Input[list[str]]
    """Its private subnets, one a zone; on Google Cloud one for the region, of the nodes."""
    public_subnet_ids: NotRequired[Input[list[str]]]
    """Its public subnets, one a zone; none on Google Cloud."""
    intra_subnet_ids: NotRequired[Input[list[str]]]
    """Its intra subnets, one a zone; on Google Cloud one for the region, of the control plane. Default: the
    private subnets serve."""
    pods_range: NotRequired[str]
    """Google Cloud: the secondary range of pods, by its name. Default `pods`."""
    services_range: NotRequired[str]
    """Google Cloud: the secondary range of Kubernetes Services, by its name. Default `services`."""
    pods_cidr: NotRequired[str]
    """Google Cloud: the addresses of pods."""
    services_cidr: NotRequired[str]
    """Google Cloud: the addresses of Kubernetes Services."""
    pods_per_node: NotRequired[int]
    """Google Cloud: the most pods of a node, which the ranges were planned for. Default 64."""
    private_services: NotRequired[Input[str]]
    """Google Cloud: the range of what Google runs in networks of its own (Cloud SQL), by its name; known once
    it can have addresses of it."""
    zones: NotRequired[Input[list[NetworkZoneArgs]]]
    """Its zones. Where they are an output that is not known yet, a pool needs its own `zones`."""
    nat_public_ips: NotRequired[Input[list[str]]]
    """The addresses that its nodes are seen by from outside."""
    default_security_group_id: NotRequired[Input[str]]
    """Its default security group, which is closed."""


@dataclass(frozen=True)
class NetworkSettings(CloudNeutral):
    """Checked arguments of a network."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: str
    cidr: str
    cloud: Cloud = "aws"
    project: Annotated[str, PROJECT] | None = None
    region: Annotated[str, REGION] | None = None
    zone_count: Annotated[int, between(2, MOST_ZONES, "zones")] | None = None
    zone_ids: Annotated[list[str], distinct] | None = None
    nat: Nat = "single"
    endpoints: Annotated[
        list[Annotated[str, matches(r"[a-z0-9][a-z0-9.-]*", "a service such as ecr.api")]], distinct
    ] = field(default_factory=list[str])
    readable_buckets: Annotated[
        list[Annotated[str, matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name")]], distinct
    ] = field(default_factory=list[str])
    google_apis: GoogleApis = "private"
    private_services: bool = True
    flow_log_retention_days: int = 30
    pods: Annotated[int, between(1, 1_000_000)] = 500
    nodes: Annotated[int, between(1, google.MOST_NODES, "nodes")] | None = None
    pods_per_node: Annotated[int, between(google.LEAST_PODS, google.MOST_PODS, "pods")] = PODS_PER_NODE
    retain_data: bool = False
    prefix_delegation: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def zones(self) -> int:
        """How many zones."""
        return len(self.zone_ids) if self.zone_ids is not None else self.zone_count or MOST_ZONES

    def check(self) -> Iterator[Problem]:
        """What no single key tells."""
        yield from obeys("prefix", self.prefix, _PREFIX[self.cloud])
        wrong_range = list(obeys("cidr", self.cidr, _CIDR[self.cloud]))
        yield from wrong_range
        yield from obeys("flow_log_retention_days", self.flow_log_retention_days, _RETENTION[self.cloud])
        yield from obeys("tags", self.tags, _TAGS[self.cloud])
        if self.zone_count is not None and self.zone_ids is not None and self.zone_count != self.zones:
            yield Problem("zone_count", f"got {self.zone_count} beside zone_ids, expected one of the two")
        yield from self._on_google() if self.cloud == "gcp" else self._on_aws()
        if not wrong_range:
            yield from self._too_small()

    def _on_aws(self) -> Iterator[Problem]:
        most = MOST_ZONES
        if self.zone_ids is not None and not 2 <= len(self.zone_ids) <= most:
            yield Problem("zone_ids", f"got {len(self.zone_ids)} zone(s), expected 2 or {most}")
        for index, zone in enumerate(self.zone_ids or []):
            yield from obeys(f"zone_ids[{index}]", zone, _ZONE_ID)
            if zone in NOT_FOR_EKS:
                yield Problem(
                    f"zone_ids[{index}]",
                    f"got {zone!r}, expected a zone that EKS can use; it does not support this one",
                )
        for index, service in enumerate(self.endpoints):
            if service in ("s3", "dynamodb"):
                yield Problem(
                    f"endpoints[{index}]",
                    f"got {service!r}, expected a service without a gateway endpoint: that of {service} is "
                    "always there, leave it out",
                )
            elif service in _CALLED_OTHERWISE:
                yield Problem(
                    f"endpoints[{index}]",
                    f"got {service!r}, which no endpoint is called; expected {_CALLED_OTHERWISE[service]}",
                )

    def _on_google(self) -> Iterator[Problem]:
        for key in ("project", "region"):
            if getattr(self, key) is None:
                yield Problem(key, f"missing, expected the {key} that the network is made in")
        if self.nat == "per_zone":
            yield Problem(
                "nat",
                "got 'per_zone', expected 'single' or 'none': Cloud NAT is regional and outlives its zones",
            )
        if overlap(self.cidr, str(google.DOCKER)):
            yield Problem(
                "cidr",
                f"got {self.cidr!r}, expected a range outside {google.DOCKER}, which Cloud SQL keeps for "
                "itself",
            )
        if self.zone_ids is not None and not 2 <= len(self.zone_ids) <= _MOST_GOOGLE_ZONES:
            yield Problem("zone_ids", f"got {len(self.zone_ids)} zone(s), expected 2 to {_MOST_GOOGLE_ZONES}")
        if self.region is not None:
            for index, zone in enumerate(self.zone_ids or []):
                yield from obeys(f"zone_ids[{index}]", zone, zones_of(self.region))

    def _too_small(self) -> Iterator[Problem]:
        cidr = IPv4Network(self.cidr)
        if self.cloud == "gcp":
            reason = google.too_small(cidr, self.pods, self.nodes, self.pods_per_node)
            key = "pods" if self.nodes is None else "nodes"
        elif self.zones in (2, MOST_ZONES):
            reason = too_small(cidr, self.zones, self.pods, prefix_delegation=self.prefix_delegation)
            key = "pods"
        else:
            return
        if reason:
            yield Problem(key, f"got {getattr(self, key)}, {reason}")


@dataclass(frozen=True)
class NetworkZone:
    """One zone of a network that something is placed in."""

    id: str
    private_subnet_id: Input[str]
    name: str | None = None
    public_subnet_id: Input[str] | None = None
    intra_subnet_id: Input[str] | None = None


NO_ZONES: Final = (
    "missing, expected the network's zones as in Network.outputs; where they are an output that is not known "
    "yet, state the pool's `zones`"
)


@dataclass(frozen=True)
class NetworkReference:
    """Checked reference to a network."""

    may_be_output: ClassVar[bool] = True

    vpc_id: Input[str]
    cidr: Input[Annotated[str, any_range]]
    private_subnet_ids: Input[list[Input[str]]]
    cloud: Cloud = "aws"
    project: Annotated[str, PROJECT] | None = None
    region: Annotated[str, REGION] | None = None
    pods_range: str = "pods"
    services_range: str = "services"
    pods_cidr: Annotated[str, any_range] | None = None
    services_cidr: Annotated[str, any_range] | None = None
    pods_per_node: Annotated[int, between(google.LEAST_PODS, google.MOST_PODS, "pods")] = PODS_PER_NODE
    private_services: Input[str] | None = None
    public_subnet_ids: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    intra_subnet_ids: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    zones: Input[list[NetworkZone]] = field(default_factory=list[NetworkZone])
    nat_public_ips: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    default_security_group_id: Input[str] | None = None

    def lacks_zone(self, zone_id: str) -> bool:
        """Return whether no zone of the network has this id; False where a zone's id is unknown."""
        ids = [zone.id for zone in self.listed_zones]
        return zone_id not in ids and not any(is_unknown(each) for each in ids)

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

    def check(self) -> Iterator[Problem]:
        """What a network on Google Cloud says of itself."""
        for key in ("project", "region"):
            if self.cloud == "gcp" and getattr(self, key) is None:
                yield Problem(key, f"missing, expected the network's {key}")


def _private_subnet(zones: Sequence[Any], zone_id: str) -> Input[str]:
    """Return the private subnet of a zone; zones: as a program states them, or checked."""
    checked = [read(NetworkZone, zone, "network.zones") for zone in zones]
    for zone in checked:
        if zone.id == zone_id:
            return zone.private_subnet_id
    known = ", ".join(zone.id for zone in checked)
    raise ArgumentError([Problem("zones", f"{got(zone_id)}, expected a zone of the network: {known}")])
