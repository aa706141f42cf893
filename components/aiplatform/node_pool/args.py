"""Arguments of a node pool."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform import accelerators
from aiplatform._shared.args import Problem, Rule, between, distinct, got, length, nearest, obeys
from aiplatform._shared.cloud_support import Cloud, SupportTable
from aiplatform._shared.disks import SIZE
from aiplatform._shared.gcp.machine_types import cpu_machine_type
from aiplatform._shared.gcp.names import zones_of
from aiplatform._shared.kubernetes import image_versions
from aiplatform._shared.kubernetes.names import (
    Taint,
    class_name,
    gke_label_problems,
    label_problems,
    pool_name,
    taint_problems,
)
from aiplatform._shared.kubernetes.node_labels import CAPACITY, COMPUTE_CLASS, POOL
from aiplatform._shared.kubernetes.pool_args import PoolSettings
from aiplatform._shared.kubernetes.pools import (
    LONGEST_NAME,
    MOST_NODES,
    NodeImage,
    architecture,
    minimum_above_maximum,
)
from aiplatform.naming import (
    EKS_NODE_GROUP_PREFIX,
    IAM_ROLE_PREFIX,
    LAUNCH_TEMPLATE_PREFIX,
    TAG_RULES,
    PhysicalName,
    prefix_for,
)
from aiplatform.network.args import NO_ZONES, ZONE_ID
from aiplatform.node_pool.cloud_support import SUPPORT
from aiplatform.node_pool.inputs import NodePoolArgs as NodePoolArgs

_LONGEST = "n" * LONGEST_NAME

ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-" + _LONGEST)
NODE_GROUP: Final = PhysicalName(EKS_NODE_GROUP_PREFIX, _LONGEST + "-on-demand")
LAUNCH_TEMPLATE: Final = PhysicalName(LAUNCH_TEMPLATE_PREFIX, "{prefix}-" + _LONGEST + "-on-demand")

ARCHITECTURE: Final = "kubernetes.io/arch"

_TYPE = re.compile(r"[a-z][a-z0-9-]*\.((nano|micro|small|medium|large|\d*xlarge)|metal(-\d+xl)?)")
_SHORT_SIZE = re.compile(r"(?P<family>[a-z][a-z0-9-]*\.)(?P<size>\d*xl|l|m|s)")
_SIZES: Final = {"l": "large", "m": "medium", "s": "small"}
NodeCapacity = Literal["spot", "on_demand"]


def _cpu_type(value: str) -> str | None:
    if not _TYPE.fullmatch(value):
        short = _SHORT_SIZE.fullmatch(value)
        size = _SIZES.get(short["size"], f"{short['size']}arge") if short else ""
        hint = f"; did you mean '{short['family']}{size}'?" if short else ""
        return f"expected an instance type such as m7i.2xlarge{hint}"
    machine = accelerators.aws_machine(value)
    if machine is None:
        return None
    problem = f"which has {machine.count} {machine.accelerator}"
    return f"{problem}; expected a type without accelerators, or a GPU pool"


_TYPES: Final[dict[Cloud, Rule]] = {"aws": _cpu_type, "gcp": cpu_machine_type}


@dataclass(frozen=True)
class NodePoolSettings(PoolSettings):
    """Ordinary CPU nodes: for each entry of `capacity` a node group of EKS or a node pool of GKE, with common
    labels and taints. The autoscaler adds nodes in the order of the entries."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(LAUNCH_TEMPLATE)]
    """First part of every physical name, `{org}-{environment}`."""
    name: Annotated[str, pool_name(LONGEST_NAME)]
    """The pool's name, a DNS label of at most 20 characters; also the node label `ai-platform/pool`."""
    instance_types: Annotated[list[str], length(1, 20, "instance types"), distinct]
    """In order of preference, all of the same architecture and with about the same CPU and memory: the
    autoscaler plans with the first. On Google Cloud one machine type, `n2-standard-8`, without local SSDs.
    Types with an accelerator are refused: they belong in a GPU pool."""
    capacity: Annotated[list[NodeCapacity], length(1, 2, "entries"), distinct] = field(
        default_factory=lambda: ["on_demand"]
    )
    """`spot` and `on_demand`, in order of preference. Default: on demand. On Google Cloud Pods must select a
    pool with both by its ComputeClass, because only a ComputeClass has an order."""
    min: Input[Annotated[int, between(0, MOST_NODES, "nodes")]] = 0
    """Minimum of nodes in the first entry of `capacity`. Default 0. On AWS raise it only while at least as
    many nodes exist: the autoscaler controls the size, and EKS refuses a minimum above the current size. On
    Google Cloud a raised minimum adds no nodes by itself: they are added when Pods need them, or by `gcloud
    container clusters resize`."""
    max: Input[Annotated[int, between(1, MOST_NODES, "nodes")]] = 3
    """Maximum of nodes in each entry. Default 3. On Google Cloud a changed `min` or `max` may change the
    number of zones that the pool uses, unless `zones` has one entry."""
    zones: Annotated[list[str], length(1, 6, "zones"), distinct] | None = None
    """Zones of the network by id (`usw2-az1`; on Google Cloud `europe-west4-a`). Default: all zones that
    offer the instance types."""
    image: NodeImage = "al2023"
    """AWS: `al2023` (default) or `bottlerocket`. Google Cloud: always Container-Optimized OS."""
    disk_gib: Input[Annotated[int, SIZE]] = 80
    """Size of a node's encrypted boot volume, GiB, 20 to 65536. Default 80."""
    taints: list[Taint] = field(default_factory=list[Taint])
    """Node taints. Default: none."""

    def __post_init__(self) -> None:
        """Take the zones of the pool where those of the network are an output."""
        object.__setattr__(self, "network", self.network.with_zones(self.zones or []))

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def compute_class(self) -> str | None:
        """On Google Cloud the name of its ComputeClass; None where there is only one entry and so no
        order."""
        return self.name if self.cloud == "gcp" and len(self.capacity) > 1 else None

    @property
    def architecture(self) -> str:
        """The architecture of all its types."""
        return architecture(self.instance_types[0])

    @property
    def zone_ids(self) -> list[str]:
        """The ids of the network's zones."""
        return [zone.id for zone in self.network.listed_zones]

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from obeys("tags", self.tags, TAG_RULES[self.cloud])
        yield from minimum_above_maximum(self.min, self.max)
        yield from self._types()
        yield from image_versions.problems(
            "image_version", self.image_version, self.cloud, self.image, self.cluster.version
        )
        if not self.network.listed_zones:
            yield Problem("network.zones", NO_ZONES)
        for index, zone in enumerate(self.zones or []):
            yield from self._zone(zone, f"zones[{index}]")
        yield from self._on_google() if self.cloud == "gcp" else self._on_aws()

    def _types(self) -> Iterator[Problem]:
        problems = [
            problem
            for index, name in enumerate(self.instance_types)
            for problem in obeys(f"instance_types[{index}]", name, _TYPES[self.cloud])
        ]
        yield from problems
        for index, name in enumerate([] if problems else self.instance_types):
            if architecture(name) != self.architecture:
                yield Problem(
                    f"instance_types[{index}]",
                    f"{got(name)}, which is {architecture(name)} while {self.instance_types[0]} is "
                    f"{self.architecture}; expected one architecture: a node group has one image",
                )

    def _zone(self, zone: str, path: str) -> Iterator[Problem]:
        if self.cloud == "gcp" and isinstance(self.cluster.region, str):
            rule = zones_of(self.cluster.region)
        else:
            rule = ZONE_ID if self.cloud == "aws" else None
        problems = list(obeys(path, zone, rule)) if rule is not None else []
        yield from problems
        if not problems and self.network.lacks_zone(zone):
            known = ", ".join(self.zone_ids)
            reason = f"expected a zone id of the network: {known}{nearest(zone, self.zone_ids)}"
            yield Problem(path, f"{got(zone)}; {reason}")

    def _on_aws(self) -> Iterator[Problem]:
        too_long = ROLE.too_long(self.prefix) if self.cluster.node_role_arn is None else None
        if too_long:
            yield Problem("prefix", f"{got(self.prefix)}; {too_long}")
        yield from label_problems(self.labels, self.pool_labels("on_demand"))
        yield from taint_problems(self.taints, ())

    def _on_google(self) -> Iterator[Problem]:
        if len(self.instance_types) > 1:
            yield Problem(
                "instance_types",
                f"{got(self.instance_types)}; expected one: a node pool of GKE has one machine type; create "
                "a pool for each",
            )
        if self.compute_class is not None:
            yield from obeys("name", self.name, class_name)
        yield from gke_label_problems(self.labels, self.pool_labels("on_demand"))
        yield from taint_problems(self.taints, (COMPUTE_CLASS, ARCHITECTURE))

    def pool_labels(self, capacity: str) -> dict[str, str]:
        """Return the labels that the pool sets itself."""
        labels = {POOL: self.name, CAPACITY: capacity}
        return labels if self.compute_class is None else {**labels, COMPUTE_CLASS: self.compute_class}

    @property
    def node_taints(self) -> list[Taint]:
        """All taints of the nodes: GKE adds one to Arm machines ("About Arm workloads on GKE")."""
        arm = self.cloud == "gcp" and self.architecture == "arm64"
        return [*([Taint(ARCHITECTURE, "NoSchedule", "arm64")] if arm else []), *self.node_pool_taints]

    @property
    def node_pool_taints(self) -> list[Taint]:
        """The taints that the pool sets: that of its ComputeClass, where it has one, and the user's."""
        name = self.compute_class
        return [*([] if name is None else [Taint(COMPUTE_CLASS, "NoSchedule", name)]), *self.taints]

    @property
    def selector(self) -> dict[str, str]:
        """The node selector of Pods for the pool."""
        return {POOL: self.name} if self.compute_class is None else {COMPUTE_CLASS: self.compute_class}

    def zones_with(self, offering: Iterable[str]) -> list[str]:
        """Return the zones of its nodes. offering: the zones that offer all of its types."""
        offered = set(offering)
        return [zone for zone in self.zones or self.zone_ids if zone in offered]
