"""Arguments of the network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal, NotRequired, TypedDict

from pulumi import Input

from aiplatform._addresses import any_range, private_range
from aiplatform._args import Fault, between, distinct, matches
from aiplatform._logs import retention
from aiplatform.naming import (
    IAM_ROLE_PREFIX,
    KMS_ALIAS,
    LOG_GROUP,
    SECURITY_GROUP_PREFIX,
    PhysicalName,
    aws_tags,
    prefix_for,
)
from aiplatform.network.planning import LARGEST, MOST_ZONES, SMALLEST, too_small

FLOW_LOGS: Final = PhysicalName(LOG_GROUP, "/aws/vpc/{prefix}/flow-logs")
FLOW_LOGS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-flow-logs")
KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-network")
ENDPOINTS: Final = PhysicalName(SECURITY_GROUP_PREFIX, "{prefix}-endpoints")

NOT_FOR_EKS: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones in which an EKS control plane cannot have its interfaces (EKS user guide, "VPC requirements")."""


FOR_NODES: Final = ("ec2", "ecr.api", "ecr.dkr", "eks-auth")
"""Endpoints that EKS nodes call for where there is no other way out: their images, their names and the
addresses of Pods, and Pod Identity. S3's, for the images' layers, is always there (EKS user guide, "Deploy
private clusters with limited internet access")."""


class NetworkArgs(TypedDict):
    """A network over two or three zones, planned so that a third zone can be added later."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`: lower-case words with hyphens."""
    cidr: str
    """The private IPv4 range of the network, /16 to /20, without host bits."""
    zone_count: NotRequired[int]
    """How many zones, 2 or 3: the region's first by zone id. Default 3. Left out when `zone_ids` is given."""
    zone_ids: NotRequired[list[str]]
    """The zones by id (`usw2-az1`), which names the same place in every account: 2 or 3. The order gives each
    its addresses: add a third at the end."""
    nat: NotRequired[str]
    """NAT gateways: `per_zone`, `single` (cheap, falls with its zone) or `none` (the endpoints are the only
    way out). Default `single`."""
    endpoints: NotRequired[list[str]]
    """AWS services with an interface endpoint (`ecr.api`, `sts`, `eks-auth`). S3 and DynamoDB always have a
    gateway endpoint. Default none."""
    readable_buckets: NotRequired[list[str]]
    """Buckets of other accounts that may be read through S3's gateway endpoint, by name: public data sets.
    Those of the account itself, of ECR, Amazon Linux and registry.k8s.io may be used in any case; all other
    buckets of the region are out of reach, with NAT too. Default none."""
    flow_log_retention_days: NotRequired[int]
    """How long flow logs are kept: a number of days that CloudWatch Logs knows; 0 keeps none. Default 30."""
    pods: NotRequired[int]
    """How many pods the private subnets must have addresses for, all zones together. Default 500."""
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

    vpc_id: Input[str]
    """The VPC."""
    cidr: Input[str]
    """Its IPv4 range."""
    private_subnet_ids: Input[list[str]]
    """Its private subnets, one a zone."""
    public_subnet_ids: NotRequired[Input[list[str]]]
    """Its public subnets, one a zone."""
    intra_subnet_ids: NotRequired[Input[list[str]]]
    """Its intra subnets, one a zone. Default: the private subnets serve."""
    zones: NotRequired[list[NetworkZoneArgs]]
    """Its zones."""
    nat_public_ips: NotRequired[Input[list[str]]]
    """The addresses that its nodes are seen by from outside."""
    default_security_group_id: NotRequired[Input[str]]
    """Its default security group, which is closed."""


@dataclass(frozen=True)
class NetworkSettings:
    """Checked arguments of a network."""

    prefix: Annotated[str, prefix_for(FLOW_LOGS, FLOW_LOGS_ROLE, KEY_ALIAS, ENDPOINTS)]
    cidr: Annotated[str, private_range(LARGEST, SMALLEST)]
    zone_count: Annotated[int, between(2, MOST_ZONES, "zones")] | None = None
    zone_ids: (
        Annotated[
            list[Annotated[str, matches(r"[a-z]+\d-az\d+", "a zone's id such as usw2-az1")]],
            distinct,
        ]
        | None
    ) = None
    nat: Literal["none", "single", "per_zone"] = "single"
    endpoints: Annotated[
        list[Annotated[str, matches(r"[a-z0-9][a-z0-9.-]*", "a service such as ecr.api")]], distinct
    ] = field(default_factory=list[str])
    readable_buckets: Annotated[
        list[Annotated[str, matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name")]], distinct
    ] = field(default_factory=list[str])
    flow_log_retention_days: Annotated[int, retention(off=True)] = 30
    pods: Annotated[int, between(1, 1_000_000)] = 500
    retain_data: bool = False
    prefix_delegation: bool = False
    tags: Annotated[dict[str, str], aws_tags] = field(default_factory=dict[str, str])

    @property
    def zones(self) -> int:
        """How many zones."""
        return len(self.zone_ids) if self.zone_ids is not None else self.zone_count or MOST_ZONES

    def check(self) -> Iterator[Fault]:
        """What no single key tells."""
        yield from self._zone_faults()
        for index, service in enumerate(self.endpoints):
            if service in ("s3", "dynamodb"):
                yield Fault(
                    f"endpoints[{index}]",
                    f"got {service!r}, expected a service without a gateway endpoint: that of {service} is "
                    "always there, leave it out",
                )
        if self.zones in (2, MOST_ZONES):
            reason = too_small(
                IPv4Network(self.cidr), self.zones, self.pods, prefix_delegation=self.prefix_delegation
            )
            if reason:
                yield Fault("pods", f"got {self.pods}, {reason}")

    def _zone_faults(self) -> Iterator[Fault]:
        if self.zone_ids is None:
            return
        if self.zone_count is not None and self.zone_count != len(self.zone_ids):
            yield Fault("zone_count", f"got {self.zone_count} beside zone_ids, expected one of the two")
        if not 2 <= len(self.zone_ids) <= MOST_ZONES:
            yield Fault("zone_ids", f"got {len(self.zone_ids)} zone(s), expected 2 or {MOST_ZONES}")
        for index, zone in enumerate(self.zone_ids):
            if zone in NOT_FOR_EKS:
                yield Fault(
                    f"zone_ids[{index}]",
                    f"got {zone!r}, expected a zone that EKS can use; it does not support this one",
                )


@dataclass(frozen=True)
class NetworkZone:
    """One zone of a network that something is placed in."""

    id: str
    private_subnet_id: Input[str]
    name: str | None = None
    public_subnet_id: Input[str] | None = None
    intra_subnet_id: Input[str] | None = None


@dataclass(frozen=True)
class NetworkReference:
    """Checked reference to a network."""

    vpc_id: Input[str]
    cidr: Input[Annotated[str, any_range]]
    private_subnet_ids: Input[list[Input[str]]]
    public_subnet_ids: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    intra_subnet_ids: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    zones: list[NetworkZone] = field(default_factory=list[NetworkZone])
    nat_public_ips: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    default_security_group_id: Input[str] | None = None
