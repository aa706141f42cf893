"""Rules for combinations of a GPU pool's arguments on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aiplatform import accelerators
from aiplatform._shared.args import Problem, got, is_unknown, matches, nearest, obeys, with_value
from aiplatform._shared.kubernetes.names import label_problems, taint_problems
from aiplatform._shared.kubernetes.pools import minimum_above_maximum
from aiplatform.accelerators import Machine
from aiplatform.accelerators.aws import BOTTLEROCKET_MIG_MODELS
from aiplatform.gpu_pool.aws import karpenter_rules, nodes
from aiplatform.gpu_pool.capacity import WAITS, Capacity
from aiplatform.gpu_pool.names import ROLE
from aiplatform.naming import aws_tags
from aiplatform.network.args import NO_ZONES, ZONE_ID

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings

_RESERVATION: Final = matches(r"cr-[0-9a-f]{8,17}", "a reservation's id such as cr-0123456789abcdef0")


def problems(pool: GpuPoolSettings) -> Iterator[Problem]:
    """Return the problems of a pool whose accelerator and count exist on AWS."""
    too_long = ROLE.too_long(pool.prefix) if pool.cluster.node_role_arn is None else None
    if too_long:
        yield Problem("prefix", f"{got(pool.prefix)}; {too_long}")
    yield from obeys("tags", pool.tags, aws_tags)
    yield from _size(pool)
    for index, entry in enumerate(pool.capacity):
        yield from _entry(pool, entry, f"capacity[{index}]")
    yield from _duplicates(pool)
    yield from _zones(pool)
    yield from _network(pool)
    yield from _image_and_sharing(pool)
    if pool.with_karpenter:
        yield from karpenter_rules.problems(pool)
    if pool.claimed:
        yield from _claims(pool)
    if pool.instance_store == "raid0" and pool.machine.disks.count == 0:
        yield Problem(
            "instance_store", f"got 'raid0', but {pool.machine.type} has no instance store; expected 'none'"
        )
    yield from label_problems(pool.labels, nodes.labels(pool, "on_demand"))
    yield from taint_problems(pool.taints, [taint.key for taint in nodes.own_taints(pool)])


def _size(pool: GpuPoolSettings) -> Iterator[Problem]:
    yield from minimum_above_maximum(pool.min, pool.max)
    if pool.min and not is_unknown(pool.min) and all(entry.capacity_block for entry in pool.capacity):
        yield Problem(
            "min",
            f"got {pool.min}; expected 0: with Capacity Blocks only, no node can run before a block begins",
        )


def machines_of(pool: GpuPoolSettings, entry: Capacity) -> list[Machine]:
    """Return the machines of an entry in order of preference, without types that are not in the catalog.

    Spot uses all alternatives: more types are a better chance of capacity. With EFA they must have as many
    network cards as the first, because the one launch template of the node group lists the interfaces.
    """
    if entry.instance_types is not None:
        known = [accelerators.aws_machine(name) for name in entry.instance_types]
        return [machine for machine in known if machine is not None]
    first, *others = accelerators.aws_machines(pool.accelerator, pool.count)
    if entry.type != "spot":
        return [first]
    return [first, *(m for m in others if not pool.with_efa or m.efa_interfaces == first.efa_interfaces)]


def _entry(pool: GpuPoolSettings, entry: Capacity, path: str) -> Iterator[Problem]:
    if entry.type in WAITS:
        yield Problem(
            f"{path}.type",
            f"{got(entry.type)}, which AWS does not support: EC2 has no queue for capacity; expected "
            "reserved (an on-demand capacity reservation or a Capacity Block), spot or on_demand",
        )
        return
    if entry.reservation_id is not None:
        yield from obeys(f"{path}.reservation_id", entry.reservation_id, _RESERVATION)
    yield from _instance_types(pool, entry, f"{path}.instance_types")
    machines = machines_of(pool, entry)
    if entry.capacity_block:
        unsupported = [machine.type for machine in machines if not machine.capacity_block]
        if unsupported:
            yield Problem(
                f"{path}.capacity_block",
                f"got true, but EC2 sells no Capacity Blocks of {', '.join(unsupported)}",
            )
    if entry.type == "reserved" and entry.zone is None and not _only_zone(pool):
        yield Problem(
            f"{path}.zone",
            "missing; expected the zone id of the reservation: the pool is not limited to one zone",
        )
    if entry.zone is not None:
        yield from _zone(pool, entry.zone, f"{path}.zone")


def _only_zone(pool: GpuPoolSettings) -> bool:
    return len(pool.zones if pool.zones is not None else pool.network.listed_zones) == 1


def _network_zones(pool: GpuPoolSettings) -> list[str]:
    return [zone.id for zone in pool.network.listed_zones]


def _expected_zone(pool: GpuPoolSettings, zone: str) -> str:
    known = _network_zones(pool)
    return f"expected a zone id of the network: {', '.join(known)}{nearest(zone, known)}"


def _instance_types(pool: GpuPoolSettings, entry: Capacity, path: str) -> Iterator[Problem]:
    fitting = [machine.type for machine in accelerators.aws_machines(pool.accelerator, pool.count)]
    for index, name in enumerate(entry.instance_types or []):
        if name not in fitting:
            yield Problem(
                f"{path}[{index}]",
                f"{got(name)}; expected an instance type with {pool.count} {pool.accelerator}: "
                f"{', '.join(fitting)}{nearest(name, fitting)}",
            )
    if entry.type == "reserved" and len(entry.instance_types or []) > 1:
        yield Problem(path, f"{got(entry.instance_types)}; expected one: a reservation has one instance type")
    interfaces = {machine.efa_interfaces for machine in machines_of(pool, entry)}
    if pool.with_efa and len(interfaces) > 1:
        yield Problem(
            path, "expected types with the same number of EFA interfaces: they share a launch template"
        )


def _duplicates(pool: GpuPoolSettings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(pool.capacity):
        first = seen.setdefault(nodes.key(entry, index), index)
        if first != index:
            what = entry.reservation_id or entry.type
            yield Problem(f"capacity[{index}]", f"{what!r} duplicates capacity[{first}]")


def _zone(pool: GpuPoolSettings, zone: str, path: str) -> Iterator[Problem]:
    wrong = list(obeys(path, zone, ZONE_ID))
    yield from wrong
    if not wrong and pool.network.lacks_zone(zone):
        yield Problem(path, f"{got(zone)}; {_expected_zone(pool, zone)}")


def _zones(pool: GpuPoolSettings) -> Iterator[Problem]:
    if not pool.network.listed_zones:
        yield Problem("network.zones", NO_ZONES)
        return
    for index, zone in enumerate(pool.zones or []):
        yield from _zone(pool, zone, f"zones[{index}]")
    if pool.in_one_zone and len(pool.zones or []) > 1:
        why = "EFA" if pool.with_efa else "a cluster placement group"
        yield Problem("zones", f"{got(pool.zones)}; expected one zone: {why} does not span zones")


def _network(pool: GpuPoolSettings) -> Iterator[Problem]:
    if not pool.with_efa:
        return
    for index, entry in enumerate(pool.capacity):
        without = [machine.type for machine in machines_of(pool, entry) if machine.efa_interfaces == 0]
        if without:
            path = "efa" if entry.instance_types is None else f"capacity[{index}].instance_types"
            with_efa = sorted(
                {m.type for m in accelerators.aws_machines(pool.accelerator, pool.count) if m.efa_interfaces}
            )
            hint = (
                f"; expected {' or '.join(with_efa)} in capacity[].instance_types, or efa: false"
                if with_efa
                else "; expected efa: false"
            )
            yield Problem(path, f"{', '.join(without)} has no EFA{hint}")
            return


def _image_and_sharing(pool: GpuPoolSettings) -> Iterator[Problem]:
    vendor = pool.machine.card.vendor
    if vendor == "neuron" and pool.os == "bottlerocket":
        yield Problem(
            "image", f"got 'bottlerocket'; expected 'al2023': EKS has no Bottlerocket for {pool.accelerator}"
        )
    if pool.sharing is None:
        return
    if vendor == "neuron":
        yield Problem(
            "sharing",
            f"{pool.accelerator} cannot be shared; containers ask for single aws.amazon.com/neuroncore",
        )
    elif pool.sharing.strategy == "mig":
        yield from _mig(pool, pool.sharing.profile or "")


def _claims(pool: GpuPoolSettings) -> Iterator[Problem]:
    """Yield what dynamic resource allocation excludes: other ways to share and partition, images that always
    run a device plugin, and nodes that the autoscaler adds or removes. It sees neither claims nor what a new
    node would offer, and takes a node whose accelerators are claimed for an idle one."""
    path = "device_allocation"
    if pool.machine.card.vendor != "nvidia":
        yield Problem(
            path, f"got 'dra'; expected 'plugin': the platform has no driver for claims of {pool.accelerator}"
        )
        return
    if pool.sharing is not None:
        yield Problem(
            path,
            f"got 'dra' with sharing by {pool.sharing.strategy}, which the device plugin does; expected "
            "'plugin', or no sharing",
        )
    elif pool.os != "al2023":
        yield Problem(
            "image",
            f"got {pool.os!r}, which always runs a device plugin; expected 'al2023' with "
            "device_allocation 'dra'",
        )
    if len(pool.capacity) > 1 or pool.capacity[0].capacity_block:
        what = f"{len(pool.capacity)} entries" if len(pool.capacity) > 1 else "a Capacity Block"
        yield Problem(
            "capacity",
            f"got {what}; expected one entry that always has nodes: the autoscaler adds none for claims "
            "(device_allocation: dra)",
        )
    if not (is_unknown(pool.min) or is_unknown(pool.max)) and pool.min != pool.max:
        yield Problem(
            "min",
            f"{got(pool.min)}; expected {pool.max}, which is max: with device_allocation 'dra' the "
            "autoscaler would remove nodes whose accelerators are in use",
        )


def _mig(pool: GpuPoolSettings, profile: str) -> Iterator[Problem]:
    reason = accelerators.mig_problem(pool.accelerator, profile)
    if reason:
        without_mig = not pool.machine.card.mig
        yield Problem(
            "sharing.strategy" if without_mig else "sharing.profile",
            with_value("mig" if without_mig else profile, reason),
        )
    elif pool.accelerator not in BOTTLEROCKET_MIG_MODELS:
        supported = ", ".join(BOTTLEROCKET_MIG_MODELS)
        yield Problem(
            "sharing.strategy",
            f"got 'mig', which Bottlerocket does not support for {pool.accelerator}; expected "
            f"'time_slicing', or one of the accelerators {supported}",
        )
    elif pool.os != "bottlerocket":
        yield Problem(
            "image",
            "got 'al2023'; expected 'bottlerocket' or no image with MIG: only Bottlerocket's image "
            "partitions the cards when a node starts",
        )
