"""The groups that the autoscaler manages: which, what their next node would be, how many are coming."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from twin.kubernetes.autoscaler.flags import Flags
from twin.kubernetes.cloud_interface import Group, Machine, Taint
from twin.kubernetes.nodes import labels as node_labels
from twin.kubernetes.pods import condition, ready
from twin.kubernetes.quantity import amounts, milli
from twin.kubernetes.scheduling_predicates import HOSTNAME, Shape, shape_of

TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template/"
OPTIONS: Final = TEMPLATE + "autoscaling-options/"
GPU: Final = "nvidia.com/gpu"
GPU_LABELS: Final = ("k8s.amazonaws.com/accelerator", "cloud.google.com/gke-accelerator")
KNOWN_FROM_TYPE: Final = ("cpu", "memory", "pods", GPU)
"""What the autoscaler knows from an instance type; all else it learns from a node, or from tags."""
SETTLE_SECONDS: Final = 120.0
PASSING_TAINTS: Final = (
    "node.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
)
NOT_READY_TAINTS: Final = {
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/network-unavailable",
}
"""Taints of a node that the autoscaler takes for not ready, whatever its condition says: the controllers
that remove them follow the condition with some delay.
Source: cluster-autoscaler/utils/kubernetes/ready.go, GetReadinessState."""
ZONE_LABELS: Final = (
    HOSTNAME,
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.ebs.csi.aws.com/zone",
    "topology.gke.io/zone",
    "k8s.amazonaws.com/eniConfig",
    "alpha.eksctl.io/instance-id",
    "alpha.eksctl.io/nodegroup-name",
    "eks.amazonaws.com/nodegroup",
    "eks.amazonaws.com/nodegroup-image",
    "eks.amazonaws.com/sourceLaunchTemplateId",
    "eks.amazonaws.com/sourceLaunchTemplateVersion",
    "lifecycle",
)
"""Labels that may differ between groups that `--balance-similar-node-groups` takes for equal."""


@dataclass(frozen=True)
class Member:
    """A machine of a group with its Node, if it has one."""

    machine: Machine
    node: Mapping[str, Any] | None


@dataclass(frozen=True)
class Managed:
    """A group that the autoscaler may resize, and what it knows of it.

    usable: members that are Ready with their devices; coming: those asked for that are not yet.
    """

    group: Group
    shape: Shape
    members: Sequence[Member]
    usable: Sequence[Member]
    coming: int


def headroom(managed: Managed, groups: Sequence[Managed]) -> int:
    """How many nodes a group may still grow by, alone and together with its node pool's other groups."""
    group = managed.group
    left = group.maximum - group.desired
    if group.total_maximum:
        pool = [other.group for other in groups if other.group.node_group == group.node_group]
        left = min(left, group.total_maximum - sum(member.desired for member in pool))
    return left


def discover(groups: Iterable[Group], flags: Flags) -> list[Group]:
    """The groups that the flags name or whose tags match, with the limits that apply."""
    named = {fixed.name: fixed for fixed in flags.fixed}
    discovered: list[Group] = []
    for group in groups:
        fixed = named.get(group.name)
        if fixed:
            discovered.append(replace(group, minimum=fixed.minimum, maximum=fixed.maximum))
        elif any(_tagged(group.tags, wanted) for wanted in flags.discovery):
            discovered.append(group)
    return sorted(discovered, key=lambda group: group.name)


def _tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(key in tags and (not value or tags[key] == value) for key, value in wanted.items())


def managed(
    groups: Iterable[Group],
    machines: Iterable[Machine],
    nodes: Mapping[str, Mapping[str, Any]],
    clock_factor: float,
) -> list[Managed]:
    """Each group with its members and its template."""
    home: dict[str, list[Member]] = {}
    for machine in machines:
        home.setdefault(machine.group, []).append(Member(machine, nodes.get(machine.name)))
    result: list[Managed] = []
    for group in groups:
        members = home.get(group.name, [])
        fit = [member for member in members if usable(member, clock_factor)]
        result.append(Managed(group, _shape(group, fit), members, fit, max(0, group.desired - len(fit))))
    return result


def takes_pods(node: Mapping[str, Any]) -> bool:
    """Whether a node is ready, and no longer has a taint that says otherwise."""
    taints = (node.get("spec") or {}).get("taints") or ()
    return ready(node) and not any(taint["key"] in NOT_READY_TAINTS for taint in taints)


def usable(member: Member, clock_factor: float) -> bool:
    """Whether the autoscaler counts the node as there.

    A node with a GPU label and no GPU is not (as in its GPU processor). For other devices the real one has
    no such rule and may ask for one node too many; the twin gives them a moment.
    """
    node = member.node
    if node is None or not takes_pods(node):
        return False
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    labels = node["metadata"].get("labels") or {}
    if any(label in labels for label in GPU_LABELS) and milli(str(allocatable.get(GPU, "0"))) == 0:
        return False
    if all(name in allocatable for name in member.machine.devices):
        return True
    since = condition(node, "Ready").get("lastTransitionTime")
    age = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() if since else 0.0
    return age * clock_factor > SETTLE_SECONDS


def _shape(group: Group, fit: Sequence[Member]) -> Shape:
    for member in fit:
        if member.node is not None:
            real = shape_of(member.node)
            taints = [taint for taint in real.taints if not taint.key.startswith(PASSING_TAINTS)]
            return Shape(real.labels, taints, real.allocatable, f"template-of-{group.name}")
    return from_template(group)


def from_template(group: Group) -> Shape:
    """The node that an empty group would make, as the autoscaler can know it.

    cpu, memory and GPUs come from the instance type, labels and taints from the node group, but for taints
    without a value (aws_wrapper.go, getManagedNodegroupInfo), which only a tag has; any other
    resource (EFA, Neuron, ephemeral storage, a shared GPU's name) only from tags
    `k8s.io/cluster-autoscaler/node-template/resources/<name>`. It takes capacity for allocatable.
    Source: cluster-autoscaler/cloudprovider/aws/aws_manager.go, buildNodeFromTemplate.
    """
    machine = group.template
    known = {**machine.capacity, **machine.devices, **machine.builtin_devices}
    if group.exact_template:
        # The cloud's own autoscaler knows what its nodes keep for themselves, and all of their devices.
        resources = amounts({**machine.allocatable, **machine.devices, **machine.builtin_devices})
    else:
        resources = amounts({name: value for name, value in known.items() if name in KNOWN_FROM_TYPE})
    labels = node_labels(replace(machine, name=f"template-of-{group.name}"))
    taints = [taint for taint in machine.taints if taint.value or group.exact_template]
    for tag, value in group.tags.items():
        kind, _, name = tag.removeprefix(TEMPLATE).partition("/")
        if not tag.startswith(TEMPLATE) or not name:
            continue
        if kind == "label":
            labels.setdefault(name, value)
        elif kind == "resources":
            _resource(resources, name, value)
        elif kind == "taint":
            taint = _taint(name, value)
            if taint and taint not in taints:
                taints.append(taint)
    return Shape(labels, taints, resources, f"template-of-{group.name}")


def _resource(resources: dict[str, int], name: str, value: str) -> None:
    try:
        resources[name] = milli(value)
    except ValueError:
        return  # passed over, as by the real one


def _taint(key: str, value: str) -> Taint | None:
    text, _, effect = value.partition(":")
    return Taint(key, effect, text) if effect in {"NoSchedule", "NoExecute", "PreferNoSchedule"} else None


def similar(one: Managed, other: Managed, ignored: Sequence[str]) -> bool:
    """Whether two groups are equal but for their zone and name."""
    skip = {*ZONE_LABELS, *ignored}

    def bare(shape: Shape) -> dict[str, str]:
        return {key: value for key, value in shape.labels.items() if key not in skip}

    first, second = one.shape, other.shape
    return (
        bare(first) == bare(second)
        and set(first.taints) == set(second.taints)
        and first.allocatable.keys() == second.allocatable.keys()
        and all(
            abs(value - second.allocatable[name]) <= 0.05 * max(value, second.allocatable[name])
            for name, value in first.allocatable.items()
        )
    )
