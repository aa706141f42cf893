"""Arguments of a node pool."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, NotRequired, TypedDict

from aiplatform import accelerators
from aiplatform._args import Fault, between, distinct, got, length, nearest
from aiplatform._kubernetes import Taint, TaintArgs, label_faults, pool_name, taint_faults
from aiplatform._node_labels import CAPACITY, POOL
from aiplatform._references import ClusterReference, ClusterReferenceArgs
from aiplatform.naming import (
    EKS_NODE_GROUP_PREFIX,
    IAM_ROLE_PREFIX,
    LAUNCH_TEMPLATE_PREFIX,
    PhysicalName,
    aws_tags,
    prefix_for,
)
from aiplatform.network.args import NetworkReference, NetworkReferenceArgs

LONGEST_NAME: Final = 20
"""Of a pool's name, as of a GPU pool's."""
_LONGEST = "n" * LONGEST_NAME

ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-" + _LONGEST)
NODE_GROUP: Final = PhysicalName(EKS_NODE_GROUP_PREFIX, _LONGEST + "-on-demand")
LAUNCH_TEMPLATE: Final = PhysicalName(LAUNCH_TEMPLATE_PREFIX, "{prefix}-" + _LONGEST + "-on-demand")

MOST_NODES: Final = 450
"""EKS's quota of nodes in a managed node group."""

_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_ARM = re.compile(r"a1|[a-z]+(-[a-z0-9]+)?\d+g[a-z]*(-[a-z]+)?")
"""Families on AWS Graviton: a `g` right after the generation (m7g, c7gn, im4gn, x2gd), and a1."""


class NodePoolArgs(TypedDict):
    """Ordinary CPU nodes: one managed node group for each entry of `capacity`, with common labels and taints,
    that the Cluster Autoscaler grows in the order of the entries."""

    prefix: str
    """First part of every physical name, `{org}-{environment}`."""
    name: str
    """The pool's name, a DNS label of at most 20 characters; also the node label `ai-platform/pool`."""
    cluster: ClusterReferenceArgs
    """The cluster that the nodes join: `Cluster.outputs`."""
    network: NetworkReferenceArgs
    """The network that they stand in, with its zones: `Network.outputs`."""
    instance_types: list[str]
    """In order of preference, all of one architecture and about equal in CPU and memory: the autoscaler plans
    with the first. None with an accelerator: those are a GPU pool's."""
    capacity: NotRequired[list[str]]
    """`spot` and `on_demand`, in order of preference. Default: on demand."""
    min: NotRequired[int]
    """Nodes that stay, in the first entry of `capacity`. Default 0. Raise it only while at least so many
    nodes are there: the size belongs to the autoscaler, and EKS refuses a minimum above it."""
    max: NotRequired[int]
    """The most nodes of each entry. Default 3."""
    zones: NotRequired[list[str]]
    """Zones of the network by id (`usw2-az1`). Default: those that offer the instance types."""
    image: NotRequired[str]
    """`al2023` (default) or `bottlerocket`."""
    disk_gib: NotRequired[int]
    """Size of the encrypted gp3 volume, GiB. Default 80."""
    labels: NotRequired[dict[str, str]]
    """More node labels."""
    taints: NotRequired[list[TaintArgs]]
    """Node taints. Default: none."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource, instance and volume, beside those of the provider."""


def architecture(instance_type: str) -> str:
    """`arm64` or `x86_64`, by the family's name."""
    return "arm64" if _ARM.fullmatch(instance_type.partition(".")[0]) else "x86_64"


def _cpu_type(value: str) -> str | None:
    if not _TYPE.fullmatch(value):
        return "expected an instance type such as m7i.2xlarge"
    machine = accelerators.aws_machine(value)
    if machine is None:
        return None
    return f"which carries {machine.count} {machine.accelerator}: expected a type without, or a GPU pool"


@dataclass(frozen=True)
class NodePoolSettings:
    """Checked arguments of a node pool."""

    prefix: Annotated[str, prefix_for(LAUNCH_TEMPLATE)]
    name: Annotated[str, pool_name(LONGEST_NAME)]
    cluster: ClusterReference
    network: NetworkReference
    instance_types: Annotated[list[Annotated[str, _cpu_type]], length(1, 20, "instance types"), distinct]
    capacity: Annotated[list[Literal["spot", "on_demand"]], length(1, 2, "entries"), distinct] = field(
        default_factory=lambda: ["on_demand"]
    )
    min: Annotated[int, between(0, MOST_NODES, "nodes")] = 0
    max: Annotated[int, between(1, MOST_NODES, "nodes")] = 3
    zones: Annotated[list[str], length(1, 6, "zones"), distinct] | None = None
    image: Literal["al2023", "bottlerocket"] = "al2023"
    disk_gib: Annotated[int, between(20, 16384, "GiB")] = 80
    labels: dict[str, str] = field(default_factory=dict[str, str])
    taints: list[Taint] = field(default_factory=list[Taint])
    tags: Annotated[dict[str, str], aws_tags] = field(default_factory=dict[str, str])

    @property
    def architecture(self) -> str:
        """That of all its types."""
        return architecture(self.instance_types[0])

    @property
    def zone_ids(self) -> list[str]:
        """Of the network."""
        return [zone.id for zone in self.network.zones]

    def check(self) -> Iterator[Fault]:
        """What no single key tells."""
        own_role = ROLE.too_long(self.prefix) if self.cluster.node_role_arn is None else None
        if own_role:
            yield Fault("prefix", f"{got(self.prefix)}, {own_role}")
        if self.min > self.max:
            yield Fault("min", f"got {self.min}, expected at most max, which is {self.max}")
        for index, name in enumerate(self.instance_types):
            if architecture(name) != self.architecture:
                yield Fault(
                    f"instance_types[{index}]",
                    f"{got(name)}, which is {architecture(name)} while {self.instance_types[0]} is "
                    f"{self.architecture}: expected one architecture, a node group has one image",
                )
        if not self.network.zones:
            yield Fault(
                "network.zones", "missing, expected the network's zones as Network.outputs gives them"
            )
        for index, zone in enumerate(self.zones or []):
            if zone not in self.zone_ids:
                known = ", ".join(self.zone_ids)
                reason = f"expected a zone id of the network: {known}{nearest(zone, self.zone_ids)}"
                yield Fault(f"zones[{index}]", f"{got(zone)}, {reason}")
        yield from label_faults(self.labels, self.own_labels("on_demand"))
        yield from taint_faults(self.taints, ())

    def own_labels(self, capacity: str) -> dict[str, str]:
        """The labels that the pool sets itself."""
        return {POOL: self.name, CAPACITY: capacity}

    def zones_with(self, offering: Iterable[str]) -> list[str]:
        """Where its nodes can stand, of the zones that offer all of its types."""
        able = set(offering)
        return [zone for zone in self.zones or self.zone_ids if zone in able]
