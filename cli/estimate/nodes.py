"""Nodes: groups of EKS and node pools of GKE, with their machines, disks and accelerators."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from cli.estimate import queues, workloads
from cli.estimate.context import Context
from cli.estimate.lines import HOURS, Amounts
from cli.estimate.resources import Resource, at, mappings

TYPES: Final = ("aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool")
POOL: Final = "ai-platform/pool"
SYSTEM: Final = "system"
_SSD_GB: Final = 375
"""A local SSD of Compute Engine."""


@dataclass(frozen=True)
class Disk:
    """A disk of each node."""

    item: str
    price: str
    gib: float
    spot: bool = False


@dataclass(frozen=True)
class Group:
    """Nodes of one machine type and capacity."""

    resource: Resource
    pool: str
    machine: str
    """Key of its price."""
    capacity: str
    minimum: int
    maximum: int
    disks: tuple[Disk, ...]
    accelerators: tuple[tuple[str, int], ...]
    """Key of the price of accelerators that are attached, with their number."""
    has_accelerator: bool
    taints: frozenset[str]

    @property
    def spot(self) -> bool:
        """Whether it is spot capacity."""
        return self.capacity == "spot"


def add(context: Context) -> Amounts:
    """Add the lines of all nodes. Returns the hours of nodes, which NAT on Google Cloud is paid by."""
    groups = of(context)
    idle = _idle(context, groups)
    shares = queues.shares(context.resources)
    total = Amounts(0, 0, 0)
    for group in groups:
        hours = _hours(context, group, groups, idle[group.resource.urn])
        total = total.plus(hours)
        _add(context, group, hours, shares.get(group.pool, {}))
    return total


def of(context: Context) -> list[Group]:
    """Return all groups of nodes. Those whose sizes only an `up` knows are refused in the context."""
    return [group for group in (_group(context, r) for r in context.resources.of(*TYPES)) if group]


def _idle(context: Context, groups: Sequence[Group]) -> dict[str, int]:
    """Return URN -> nodes while idle: the minimum, and in the first CPU pool those that the platform's Pods
    need that do not run on system nodes."""
    idle = {group.resource.urn: group.minimum for group in groups}
    ordinary = [group for group in groups if not group.has_accelerator and not group.taints]
    if not ordinary:
        return idle
    first = min(group.pool for group in ordinary)
    of_pool = [group for group in ordinary if group.pool == first]
    system = frozenset[str]().union(*(group.taints for group in groups if group.pool == SYSTEM))
    requested = workloads.requested(context.resources, system)
    group = _preferred(of_pool)[0]
    price = context.table.prices.get(group.machine)
    if not requested.pods or price is None:
        return idle
    needed = math.ceil(workloads.share_of_node(requested, price.vcpus, price.memory_gib))
    present = sum(other.minimum for other in of_pool)
    if needed > present:
        idle[group.resource.urn] += min(needed, group.maximum) - present
    return idle


def _hours(context: Context, group: Group, groups: Sequence[Group], idle: int) -> Amounts:
    """Return the hours of a group's nodes. Expected use is of the cheapest capacity of the pool."""
    expected = float(idle * HOURS)
    of_pool = [other for other in groups if other.pool == group.pool]
    if group.pool != SYSTEM and group in _preferred(of_pool):
        hours = context.usage.of_pool(group.pool, accelerator=group.has_accelerator)
        expected += hours * (group.maximum - idle)
    return Amounts(idle * HOURS, expected, group.maximum * HOURS)


def _preferred(groups: Sequence[Group]) -> list[Group]:
    """Return the groups of a pool with the cheapest capacity: spot where it has some."""
    return [group for group in groups if group.spot] or list(groups)


def _add(context: Context, group: Group, hours: Amounts, shares: Mapping[str, float]) -> None:
    resource, kind = group.resource, "spot" if group.spot else "on demand"
    if group.capacity in ("flex_start", "queued"):
        context.note(f"{group.pool}: {group.capacity} capacity counts at the price on demand")
    machine = group.machine.partition("/")[2]
    context.add(
        resource, f"{machine}, {kind}", group.machine, hours, "compute", spot=group.spot, shares=shares
    )
    for price, count in group.accelerators:
        item = f"{count} x {price.rpartition('/')[2]}, {kind}"
        context.add(resource, item, price, hours.times(count), "compute", spot=group.spot, shares=shares)
    for disk in group.disks:
        stored = hours.times(disk.gib / HOURS)
        context.add(resource, disk.item, disk.price, stored, "storage", spot=disk.spot, shares=shares)


def _group(context: Context, resource: Resource) -> Group | None:
    return _eks(context, resource) if resource.type == TYPES[0] else _gke(context, resource)


def _eks(context: Context, resource: Resource) -> Group | None:
    capacity = str(resource.get("capacityType", "ON_DEMAND")).lower()
    machines: Any = resource.get("instanceTypes")
    minimum, maximum = resource.get("scalingConfig.minSize"), resource.get("scalingConfig.maxSize")
    if capacity == "capacity_block":
        context.refuse(resource, "Capacity Blocks are paid when they are bought, not by the hour")
        return None
    if not isinstance(machines, list) or not isinstance(minimum, int | float) or maximum is None:
        context.refuse(resource, "its instance types or sizes are known only at `up`")
        return None
    pool = str(resource.get("labels", {}).get(POOL, resource.name))
    return Group(
        resource,
        pool,
        f"ec2/{cast('list[Any]', machines)[0]}",
        capacity,
        int(minimum),
        int(maximum),
        tuple(_ebs(context, resource)),
        (),
        bool(resource.get("labels", {}).get("ai-platform/accelerator")),
        _taints(resource.get("taints")),
    )


def _ebs(context: Context, resource: Resource) -> Iterator[Disk]:
    # The id of the launch template is known only at `up`; it has the name of its node group.
    template = context.resources.named("aws:ec2/launchTemplate:LaunchTemplate", resource.name)
    devices = mappings(template.get("blockDeviceMappings")) if template else []
    for device in devices:
        size, kind = at(device, "ebs.volumeSize"), at(device, "ebs.volumeType", "gp3")
        if size is not None:
            yield Disk(f"disks, {kind}", f"ebs/{kind}", float(size))
    if not devices:
        context.refuse(resource, "its disks: no launch template of its name states them")


def _gke(context: Context, resource: Resource) -> Group | None:
    node: Mapping[str, Any] = resource.get("nodeConfig", {})
    sizes = _gke_sizes(resource)
    machine = node.get("machineType")
    if sizes is None or not isinstance(machine, str):
        context.refuse(resource, "its machine type or sizes are known only at `up`")
        return None
    spot = bool(node.get("spot"))
    capacity = "spot" if spot else "on_demand"
    if node.get("flexStart"):
        capacity = "flex_start"
    if resource.get("queuedProvisioning.enabled"):
        capacity = "queued"
    cards = mappings(node.get("guestAccelerators"))
    # All other machine types have their accelerators, and their price, built in.
    attached = cards if machine.startswith("n1-") else []
    labels: Mapping[str, Any] = node.get("labels") or {}
    return Group(
        resource,
        str(labels.get(POOL, resource.name)),
        f"compute/{machine}",
        capacity,
        *sizes,
        tuple(_pd(node, spot)),
        tuple((f"compute/accelerator/{card['type']}", int(card["count"])) for card in attached),
        bool(cards or labels.get("ai-platform/accelerator")),
        _taints(node.get("taints")),
    )


def _gke_sizes(resource: Resource) -> tuple[int, int] | None:
    zones: Any = resource.get("nodeLocations")
    count = len(cast("list[Any]", zones)) if isinstance(zones, list) and zones else 1
    scaling: Mapping[str, Any] = resource.get("autoscaling", {})
    if "totalMaxNodeCount" in scaling:
        return int(scaling.get("totalMinNodeCount", 0)), int(scaling["totalMaxNodeCount"])
    if "maxNodeCount" in scaling:
        return int(scaling.get("minNodeCount", 0)) * count, int(scaling["maxNodeCount"]) * count
    fixed = resource.get("nodeCount", resource.get("initialNodeCount"))
    return None if not isinstance(fixed, int | float) else (int(fixed) * count, int(fixed) * count)


def _pd(node: Mapping[str, Any], spot: bool) -> Iterator[Disk]:
    kind = str(node.get("diskType", "pd-balanced"))
    yield Disk(f"boot disks, {kind}", f"disk/{kind}", float(node.get("diskSizeGb", 100)))
    count = sum(
        int(at(node, f"{block}.localSsdCount", 0))
        for block in ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig")
    )
    if count:
        yield Disk(f"{count} local SSDs", "disk/local-ssd", float(count * _SSD_GB), spot)


def _taints(value: Any) -> frozenset[str]:
    return frozenset(str(taint.get("key")) for taint in mappings(value))
