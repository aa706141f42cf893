"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

Everything stands under `config: ai-platform:<topic>:`, one object a topic. What a file leaves out comes from
its profile (stacks/profiles.py). Unknown keys, wrong types and impossible combinations are errors that name
the file, the key and what would be right, before the engine registers anything.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

NAMESPACE = "ai-platform"

ShortName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=16)
]
PoolName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=20)
]
Accelerator = str
Capacity = Literal["reserved", "spot", "on_demand"]
Bounded = TypeVar("Bounded", "SystemNodes", "Pool")


class Topic(BaseModel):
    """A part of an environment file. A key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Environment(Topic):
    """Whose environment this is, and where."""

    org: ShortName
    """The organisation: the first part of every physical name, `{org}-{name}-{purpose}`."""
    name: ShortName
    """The environment's name: the second part of every physical name."""
    profile: Literal["dev", "staging", "prod"]
    """Which defaults and which limits hold."""
    cloud: Literal["aws"]
    """The cloud. Google Cloud follows."""
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    """The region of all resources."""
    account_id: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    """The AWS account, 12 digits in quotes. Credentials of any other account are refused."""
    owner: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Who answers for it: a team's mail address. The tag `owner` of every resource."""
    cost_center: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Who pays. The tag `cost-center` of every resource."""
    tags: dict[str, str] = Field(default_factory=dict)
    """More tags for every resource."""
    teardown: bool | Literal["with_data"] = False
    """`true` lifts protection at the next `up`, so that `destroy` may follow; `with_data` also lets go of
    data that would be retained."""

    @property
    def prefix(self) -> str:
        """The first two parts of every physical name."""
        return f"{self.org}-{self.name}"

    @field_validator("tags")
    @classmethod
    def _tags_are_allowed(cls, tags: dict[str, str]) -> dict[str, str]:
        for key in tags:
            if key.lower().startswith("aws:"):
                raise ValueError(f"tag {key!r}: the prefix aws: is reserved by AWS; choose another")
            if key in ("owner", "cost-center", "environment", "managed-by"):
                raise ValueError(
                    f"tag {key!r} is set by the platform; set owner, cost_center or name instead"
                )
        return tags


class FlowLogs(Topic):
    """VPC flow logs."""

    retention_days: int = 30
    """How long they are kept, in days. 0 turns flow logs off, which only dev may."""


class Network(Topic):
    """The network."""

    cidr: str
    """The IPv4 range of the network, a private range of /16 to /20."""
    zones: int | list[str] = 3
    """How many zones (2 or 3), or their zone ids (`usw2-az1`), which name the same place in every account."""
    nat: Literal["none", "single", "per_zone"]
    """NAT gateways: `single` is cheap and falls with its zone; `none` leaves endpoints only."""
    endpoints: list[str]
    """Interface endpoints by service (`ecr.api`, `sts`...). Those of S3 and DynamoDB are always there."""
    flow_logs: FlowLogs = FlowLogs()
    """Flow logs and how long they are kept."""
    pods: int = Field(ge=1)
    """How many pods the private subnets must have addresses for, in all zones together."""

    @field_validator("cidr")
    @classmethod
    def _cidr_is_private(cls, cidr: str) -> str:
        network = ipaddress.ip_network(cidr)
        if network.version != 4 or not network.is_private:
            raise ValueError(
                f"{cidr} is no private IPv4 range; take one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
            )
        return cidr

    @field_validator("zones")
    @classmethod
    def _two_or_three_zones(cls, zones: int | list[str]) -> int | list[str]:
        count = zones if isinstance(zones, int) else len(set(zones))
        if count not in (2, 3):
            raise ValueError(
                f"{count} zone(s); EKS needs subnets in 2 zones at least, and the plan serves 2 or 3"
            )
        return zones


class ApiAccess(Topic):
    """From where the Kubernetes API is reached from outside its network."""

    cidrs: list[str] = Field(min_length=1)
    """Addresses that may reach the public endpoint, as CIDRs; never the whole internet."""

    @field_validator("cidrs")
    @classmethod
    def _not_the_world(cls, cidrs: list[str]) -> list[str]:
        for cidr in cidrs:
            network = ipaddress.ip_network(cidr)
            if network.prefixlen < (8 if network.version == 4 else 32):
                raise ValueError(
                    f"{cidr} opens the API to the world; list the addresses of your offices, VPN or CI"
                )
        return cidrs


class SystemNodes(Topic):
    """The nodes of the cluster's own workloads, tainted for everything else."""

    instance_types: list[str] = Field(min_length=1)
    """Instance types, the first preferred."""
    min: int = Field(ge=1)
    """Fewest nodes."""
    max: int = Field(ge=1)
    """Most nodes."""
    disk_gib: int = Field(default=50, ge=20, le=16384)
    """Root volume, in GiB."""

    @model_validator(mode="after")
    def _min_is_not_above_max(self) -> Self:
        return _ordered(self)


class Autoscaling(Topic):
    """The Cluster Autoscaler."""

    replicas: int = Field(ge=1, le=3)
    """How many stand by; one works at a time."""
    scale_down_unneeded_minutes: int = Field(ge=1)
    """How long a node stays empty before it goes."""


class Cluster(Topic):
    """Kubernetes."""

    version: Annotated[str, StringConstraints(pattern=r"^1\.\d{2}$")]
    """Minor version, in quotes: `"1.35"`."""
    api_access: ApiAccess | Literal["in_vpc"]
    """`in_vpc`: the endpoint is private alone, and the program runs inside the network. `cidrs`: these
    addresses reach a public endpoint too."""
    log_retention_days: int
    """How long control-plane logs are kept."""
    deletion_protection: bool
    """Whether the cloud refuses to delete the cluster."""
    support: Literal["standard", "extended"] = "standard"
    """`standard`: the cloud upgrades the cluster when standard support ends; `extended` costs more."""
    system_nodes: SystemNodes
    """The system node group."""
    admins: list[str] = Field(default_factory=list)
    """IAM roles (arns) that administer the cluster beside the one that creates it."""
    addons: dict[str, str] = Field(default_factory=dict)
    """Pinned add-on versions, by name; the others follow the cluster's default."""
    service_cidr: str = "172.20.0.0/16"
    """Addresses of Kubernetes Services. Fixed when the cluster is created."""
    autoscaling: Autoscaling
    """The Cluster Autoscaler."""


class Pool(Topic):
    """What CPU and GPU pools have in common."""

    min: int = Field(default=0, ge=0)
    """Fewest nodes; 0 costs nothing while nothing runs."""
    max: int = Field(ge=1)
    """Most nodes of each capacity entry."""
    labels: dict[str, str] = Field(default_factory=dict)
    """More node labels."""
    disk_gib: int = Field(default=100, ge=20, le=16384)
    """Root volume, in GiB."""

    @model_validator(mode="after")
    def _min_is_not_above_max(self) -> Self:
        return _ordered(self)


class NodePool(Pool):
    """An ordinary CPU node pool."""

    instance_types: list[str] = Field(min_length=1)
    """Instance types, the first preferred; one processor architecture."""
    capacity: Literal["on_demand", "spot"] = "on_demand"
    """On demand, or spot."""


class CapacityEntry(Topic):
    """One entry of a GPU pool's capacity, where it needs more than its name."""

    type: Capacity
    """`reserved`, `spot` or `on_demand`."""
    reservation_id: str | None = None
    """The capacity reservation or capacity block (`cr-...`) of `reserved`."""
    capacity_block: bool = False
    """Whether the reservation is a capacity block."""
    zone: str | None = None
    """The reservation's zone, by its id, where the pool has several."""
    instance_types: list[str] = Field(default_factory=list)
    """Instance types in place of the catalog's."""

    @model_validator(mode="after")
    def _reservation_belongs_to_reserved(self) -> Self:
        if self.type == "reserved" and not self.reservation_id:
            raise ValueError(
                "reserved needs reservation_id, the id of a capacity reservation or capacity block (cr-...)"
            )
        if self.type != "reserved" and (self.reservation_id or self.capacity_block):
            raise ValueError(
                f"{self.type} takes no reservation; say type: reserved, or leave the reservation out"
            )
        return self


class Sharing(Topic):
    """Several Pods on one GPU."""

    strategy: Literal["time_slicing", "mig"]
    """`time_slicing` shares without isolation; `mig` cuts the card."""
    replicas: int | None = Field(default=None, ge=2, le=64)
    """Pods a GPU, with time_slicing."""
    profile: str | None = None
    """MIG profile (`1g.10gb`), with mig."""

    @model_validator(mode="after")
    def _what_the_strategy_needs(self) -> Self:
        if self.strategy == "time_slicing" and (self.replicas is None or self.profile):
            raise ValueError("time_slicing takes replicas (2 to 64) and no profile")
        if self.strategy == "mig" and (self.profile is None or self.replicas):
            raise ValueError("mig takes a profile (such as 1g.10gb) and no replicas")
        return self


class GpuPool(Pool):
    """A pool of accelerators. Say what you need; the catalog knows the machine."""

    accelerator: Accelerator
    """Which accelerator: t4, a10g, l4, l40s, a100, h100, h200, b200, trainium..."""
    count: int = Field(ge=1)
    """Accelerators a node."""
    capacity: list[Capacity | CapacityEntry] = Field(min_length=1)
    """Where nodes come from, tried in this order."""
    zones: list[str] = Field(default_factory=list)
    """Zone ids to stay in; empty means every zone of the network that offers the machine."""
    image: Literal["al2023", "bottlerocket"] | None = None
    """The operating system of the nodes; left out, al2023, and bottlerocket with MIG, which needs it."""
    efa: bool | None = None
    """Elastic Fabric Adapter; left out, nodes that carry whole machines have it."""
    sharing: Sharing | None = None
    """Several Pods on one GPU."""

    @field_validator("capacity")
    @classmethod
    def _no_entry_twice(cls, capacity: list[Capacity | CapacityEntry]) -> list[Capacity | CapacityEntry]:
        kinds = [entry if isinstance(entry, str) else entry.type for entry in capacity]
        for kind in ("spot", "on_demand"):
            if kinds.count(kind) > 1:
                raise ValueError(f"{kind} stands twice; each entry is tried once, in order")
        for place, entry in enumerate(capacity):
            if entry == "reserved":
                raise ValueError(
                    f"entry {place}: reserved needs its reservation: "
                    "{type: reserved, reservation_id: cr-...}"
                )
        return capacity


class Settings(Topic):
    """An environment file with its profile's defaults filled in: one field a topic."""

    environment: Environment
    network: Network
    cluster: Cluster
    node_pools: dict[PoolName, NodePool] = Field(default_factory=dict)
    """CPU pools by name."""
    gpu_pools: dict[PoolName, GpuPool] = Field(default_factory=dict)
    """GPU pools by name."""

    @model_validator(mode="after")
    def _the_profile_allows_it(self) -> Self:
        profile = self.environment.profile
        if profile == "prod":
            if self.network.nat == "single":
                raise ValueError("network.nat: single falls with its zone; prod takes per_zone or none")
            if not self.cluster.deletion_protection and not self.environment.teardown:
                raise ValueError(
                    "cluster.deletion_protection: prod keeps it on; set environment.teardown to retire it"
                )
        if profile != "dev" and self.network.flow_logs.retention_days == 0:
            raise ValueError("network.flow_logs.retention_days: only dev may turn flow logs off")
        shared = set(self.node_pools) & set(self.gpu_pools)
        if shared:
            raise ValueError(f"gpu_pools.{min(shared)}: a node pool has that name already; names are shared")
        return self


def _ordered(pool: Bounded) -> Bounded:
    if pool.min > pool.max:
        raise ValueError(f"min {pool.min} is above max {pool.max}; raise max or lower min")
    return pool


def key(topic: str) -> str:
    """The configuration key of a topic: `ai-platform:network`."""
    return f"{NAMESPACE}:{topic}"


TOPICS: tuple[str, ...] = tuple(Settings.model_fields)
FILE = re.compile(r"^Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml$")


def parse(topics: dict[str, Any]) -> Settings:
    """Settings from the merged topics; raises pydantic's ValidationError."""
    return Settings.model_validate(topics)
