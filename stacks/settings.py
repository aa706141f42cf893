"""The model of an environment file: `environments/Pulumi.<cloud>-<profile>.yaml`.

Everything stands under `config: ai-platform:<topic>:`, one object a topic. What a file leaves out comes from
its profile (stacks/profiles.py). Unknown keys and wrong types are errors that name the file, the key and what
would be right, before the engine registers anything.

Here stand the shape of a file and the rules of the platform: what a profile allows, what joins several
topics. What a value of a component may be is the component's to judge (stacks/arguments.py asks it), and is
not said here again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aiplatform._clouds import CLOUDS
from aiplatform.naming import aws_tags, google_labels

NAMESPACE = "ai-platform"

ShortName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=16)
]
Capacity = Literal["reserved", "spot", "on_demand"]
_MOST_TAGS = 36
_REGIONS = {"aws": r"[a-z]{2}(-[a-z]+)+-\d", "gcp": r"[a-z]+-[a-z]+\d{1,2}"}
_WHOSE = {
    "aws": (r"\d{12}", "the AWS account, 12 digits in quotes"),
    "gcp": (
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a project id: 6 to 30 lower-case letters, digits and hyphens, a letter first, no hyphen last",
    ),
}
_RULES = {"aws": aws_tags, "gcp": google_labels}


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
    cloud: Literal["aws", "gcp"]
    """The cloud."""
    region: str
    """The region of all resources: `us-west-2`, on Google Cloud `us-central1`."""
    account_id: str | None = None
    """The AWS account, 12 digits in quotes. Credentials of any other account are refused."""
    project_id: str | None = None
    """The Google Cloud project, by its id (not its number)."""
    owner: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Who answers for it: a team's mail address, on Google Cloud a word that a label takes. The tag or label
    `owner` of every resource."""
    cost_center: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Who pays. The tag or label `cost-center` of every resource."""
    tags: dict[str, str] = Field(default_factory=dict)
    """More tags for every resource."""
    teardown: bool | Literal["with_data"] = False
    """`true` lifts protection at the next `up`, so that `destroy` may follow; `with_data` also lets go of
    data that would be retained."""
    bootstrap: bool = False
    """`true` leaves the environment at what needs no way to the Kubernetes API, network and runner: for the
    first `up`, from anywhere, and for the last one, from the runner, before `destroy` from outside."""

    @property
    def prefix(self) -> str:
        """The first two parts of every physical name."""
        return f"{self.org}-{self.name}"

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags of every resource."""
        return {
            **self.tags,
            "owner": self.owner,
            "cost-center": self.cost_center,
            "environment": self.name,
            "managed-by": "ai-platform",
        }

    def faults(self) -> Iterator[tuple[str, str]]:
        """(key, reason) of what one cloud takes and another does not."""
        if not re.fullmatch(_REGIONS[self.cloud], self.region):
            example = {"aws": "us-west-2", "gcp": "us-central1"}[self.cloud]
            yield (
                "region",
                f"got {self.region!r}, expected a region of {CLOUDS[self.cloud]} such as {example}",
            )
        yield from self._whose()
        named = {"owner": self.owner, "cost-center": self.cost_center, "environment": self.name}
        for tag, value in named.items():
            reason = _RULES[self.cloud]({tag: value})
            if reason:
                yield tag.replace("-", "_").replace("environment", "name"), f"got {value!r}, {reason}"
        yield from (("tags", reason) for reason in self._tag_faults())

    def _whose(self) -> Iterator[tuple[str, str]]:
        here, other = ("account_id", "project_id") if self.cloud == "aws" else ("project_id", "account_id")
        value, pattern, words = getattr(self, here), *_WHOSE[self.cloud]
        if value is None:
            yield here, f"missing; expected {words}"
        elif not re.fullmatch(pattern, value):
            yield here, f"got {value!r}, expected {words}"
        if getattr(self, other) is not None:
            yield other, f"is of another cloud; {CLOUDS[self.cloud]} takes {here}"

    def _tag_faults(self) -> Iterator[str]:
        for name in self.tags:
            # IAM takes keys that differ in case alone for the same.
            if name.lower() in ("owner", "cost-center", "environment", "managed-by"):
                yield f"tag {name!r} is set by the platform; set owner, cost_center or name instead"
        # AWS takes 50, Google Cloud 64; the platform's and the components' own are among them.
        if len(self.tags) > _MOST_TAGS:
            yield f"got {len(self.tags)} tags, expected at most {_MOST_TAGS}"
        reason = _RULES[self.cloud](self.tags)
        if reason:
            yield reason


class FlowLogs(Topic):
    """VPC flow logs."""

    retention_days: int = 30
    """How long they are kept, in days. 0 turns flow logs off, which only dev may."""


class Network(Topic):
    """The network."""

    cidr: str
    """The IPv4 range of the network, a private range: /16 to /20 on AWS, /9 to /20 on Google Cloud."""
    zones: int | list[str] = 3
    """How many zones (2 or 3), or which: on AWS by zone id (`usw2-az1`), which names the same place in every
    account, on Google Cloud by name (`us-central1-a`)."""
    nat: Literal["none", "single", "per_zone"]
    """The way out. AWS: NAT gateways, of which `single` is cheap and falls with its zone. Google Cloud: Cloud
    NAT, which is `single` and outlives its zones. `none` leaves the cloud's own services; on AWS it asks for
    `endpoints` and `images.mirrors`."""
    endpoints: list[str] = Field(default_factory=list)
    """AWS: interface endpoints by service (`ecr.api`, `sts`...). S3 and DynamoDB always have theirs."""
    readable_buckets: list[str] = Field(default_factory=list)
    """AWS: buckets of other accounts that may be read through S3's gateway endpoint: public data sets.
    Without a line here the account's own alone can be used, beside those that images and packages come
    from."""
    flow_logs: FlowLogs = FlowLogs()
    """Flow logs and how long they are kept."""
    pods: int
    """How many pods there must be addresses for, in all zones together."""
    nodes: int | None = None
    """Google Cloud: how many nodes there must be addresses for; left out, as many as hold `pods`."""
    pods_per_node: int | None = None
    """Google Cloud: the most pods of a node, 8 to 256; left out, 64."""
    google_apis: Literal["private", "restricted"] | None = None
    """Google Cloud: where the names of Google's APIs lead to: to all of them, or with `restricted` to those
    that VPC Service Controls know. Left out, private."""
    private_services: bool | None = None
    """Google Cloud: whether what Google runs in networks of its own (Cloud SQL) gets addresses of this one;
    left out, true."""


class ApiAccess(Topic):
    """From where the Kubernetes API is reached from outside its network."""

    cidrs: list[str]
    """Addresses that may reach the public endpoint, as CIDRs; never the whole internet."""


class SystemNodes(Topic):
    """The nodes of the cluster's own workloads, tainted for everything else."""

    instance_types: list[str]
    """Instance types of one processor architecture, the first preferred."""
    min: int
    """Fewest nodes."""
    max: int
    """Most nodes."""
    disk_gib: int = 50
    """Root volume, in GiB."""


class Autoscaling(Topic):
    """The Cluster Autoscaler."""

    replicas: int
    """How many stand by; one works at a time."""
    scale_down_unneeded_minutes: int
    """How long a node stays empty before it goes."""


class Cluster(Topic):
    """Kubernetes."""

    version: str
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


class Runner(Topic):
    """Where the program runs when the network alone reaches the Kubernetes API: CodeBuild, on demand."""

    enabled: bool | None = None
    """Whether there is one; left out, with `api_access: in_vpc`. Say false where you reach the network by a
    VPN or have runners of your own: then every address of the network reaches the API."""
    deployer: str | None = None
    """The IAM role (arn) of this account that the program runs as; it administers the cluster. Its trust
    policy must let the role `{org}-{name}-runner` in."""
    repository: str | None = None
    """The repository of this program: an HTTPS URL on github.com, gitlab.com or bitbucket.org."""
    connection: str | None = None
    """The connection (arn, AWS CodeConnections) that opens the repository."""
    revision: str | None = None
    """Branch, tag or commit; left out, the repository's default branch."""
    state: str | None = None
    """Where Pulumi keeps the state, as `pulumi login` takes it: `s3://acme-pulumi-state`."""
    buildspec: str | None = None
    """What a run does: a path in the repository, or the text itself; left out, `buildspec.yml`."""
    workflows: list[str] = Field(default_factory=list)
    """GitHub Actions workflows, by name, whose jobs run on it. Whoever can start such a job works as the
    deployer: let an environment with reviewers stand before it."""
    timeout_minutes: int = 120
    """How long a run may take."""
    concurrent_runs: int | None = None
    """How many runs at a time; left out, 1, and 10 with workflows."""
    log_retention_days: int | None = None
    """How long a run's logs are kept; left out, as long as the control plane's."""


class Taint(Topic):
    """A node taint: Pods without a toleration for it stay away."""

    key: str
    """`example.com/batch`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    """What happens to Pods without a toleration."""
    value: str = ""
    """The taint's value."""


class Pool(Topic):
    """What CPU and GPU pools have in common."""

    min: int = 0
    """Fewest nodes; 0 costs nothing while nothing runs."""
    max: int
    """Most nodes of each capacity entry."""
    zones: list[str] = Field(default_factory=list)
    """Zone ids to stay in; empty means every zone of the network that offers the machine."""
    image: Literal["al2023", "bottlerocket"] | None = None
    """The operating system of the nodes; left out, al2023, and bottlerocket with MIG, which needs it."""
    labels: dict[str, str] = Field(default_factory=dict)
    """More node labels."""
    taints: list[Taint] = Field(default_factory=list[Taint])
    """More node taints: a GPU pool has that of its accelerator by itself."""
    disk_gib: int = 100
    """Root volume, in GiB."""


class NodePool(Pool):
    """An ordinary CPU node pool."""

    instance_types: list[str]
    """Instance types, the first preferred; one processor architecture."""
    capacity: list[Literal["spot", "on_demand"]] = Field(default_factory=lambda: ["on_demand"])
    """Where nodes come from, tried in this order."""


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


class Sharing(Topic):
    """Several Pods on one GPU."""

    strategy: Literal["time_slicing", "mig"]
    """`time_slicing` shares without isolation; `mig` cuts the card."""
    replicas: int | None = None
    """Pods a GPU, with time_slicing."""
    profile: str | None = None
    """MIG profile (`1g.10gb`), with mig."""


class GpuPool(Pool):
    """A pool of accelerators. Say what you need; the catalog knows the machine."""

    accelerator: str
    """Which accelerator: t4, a10g, l4, l40s, a100, h100, h200, b200, trainium..."""
    count: int
    """Accelerators a node."""
    capacity: list[Capacity | CapacityEntry]
    """Where nodes come from, tried in this order."""
    efa: bool | None = None
    """Elastic Fabric Adapter; left out, nodes that carry whole machines have it."""
    placement_group: bool | None = None
    """Whether spot and on-demand nodes stand close together; left out, those with EFA do."""
    instance_store: Literal["raid0", "none"] | None = None
    """`raid0` makes one array of the machine's NVMe disks, for images, logs and scratch data; `none` leaves
    them alone. Left out, raid0 where there are any."""
    sharing: Sharing | None = None
    """Several Pods on one GPU."""


class Images(Topic):
    """Where the images of what the program installs come from."""

    mirrors: dict[str, str] = Field(default_factory=dict)
    """A registry (`registry.k8s.io`), or a repository in it -> where it is had instead: an ECR pull-through
    cache, or repositories of your own. With `nat: none` nodes reach ECR alone."""


class Settings(Topic):
    """An environment file with its profile's defaults filled in: one field a topic."""

    environment: Environment
    network: Network
    cluster: Cluster
    runner: Runner = Runner()
    images: Images = Images()
    node_pools: dict[str, NodePool] = Field(default_factory=dict)
    """CPU pools by name."""
    gpu_pools: dict[str, GpuPool] = Field(default_factory=dict)
    """GPU pools by name."""

    @property
    def has_runner(self) -> bool:
        """Whether there is a runner in the network."""
        wanted = self.cluster.api_access == "in_vpc" and self.environment.cloud == "aws"
        return wanted if self.runner.enabled is None else self.runner.enabled

    def faults(self) -> Iterator[tuple[str, str]]:
        """(dotted key, reason) of what the profile does not allow, and of what joins several topics."""
        if self.has_runner:
            yield from self._runner_faults()
        yield from ((f"environment.{name}", reason) for name, reason in self.environment.faults())
        if self.environment.profile == "prod":
            if self.network.nat == "single" and self.environment.cloud == "aws":
                yield "network.nat", "got 'single', which falls with its zone; prod takes per_zone or none"
            if not self.cluster.deletion_protection and not self.environment.teardown:
                yield (
                    "cluster.deletion_protection",
                    "got false, but prod keeps it on; set environment.teardown to retire it",
                )
        if self.environment.profile != "dev" and self.network.flow_logs.retention_days == 0:
            yield "network.flow_logs.retention_days", "got 0, but only dev may turn flow logs off"
        for name in sorted(set(self.node_pools) & set(self.gpu_pools)):
            yield f"gpu_pools.{name}", "a node pool has that name already; names are shared"

    def _runner_faults(self) -> Iterator[tuple[str, str]]:
        runner, account = self.runner, self.environment.account_id
        if self.environment.cloud != "aws":
            yield "runner.enabled", "got true, which is for AWS alone; leave it out"
        elif self.cluster.api_access != "in_vpc":
            yield "runner.enabled", "got true, but with api_access.cidrs nothing needs one; leave it out"
        if runner.deployer is None:
            yield (
                "runner.deployer",
                "missing; api_access: in_vpc needs a runner in the network, and an IAM role that it works "
                "as; or say enabled: false where you have a way in of your own",
            )
        elif f":iam::{account}:" not in runner.deployer and ":role/" in runner.deployer:
            yield "runner.deployer", f"got {runner.deployer!r}, expected a role of this account, {account}"
        if runner.state is None and runner.buildspec is None:
            yield "runner.state", "missing; expected where Pulumi keeps the state: s3://<your state bucket>"
        if self.network.nat == "none" and runner.repository is not None:
            yield "network.nat", "got 'none', which leaves the runner no way to its repository"


def key(topic: str) -> str:
    """The configuration key of a topic: `ai-platform:network`."""
    return f"{NAMESPACE}:{topic}"


TOPICS: tuple[str, ...] = tuple(Settings.model_fields)
FILE = re.compile(r"^Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml$")


def parse(topics: dict[str, Any]) -> Settings:
    """Settings from the merged topics; raises pydantic's ValidationError."""
    return Settings.model_validate(topics)
