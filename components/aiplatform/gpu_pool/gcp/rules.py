"""Rules for combinations of a GPU pool's arguments on Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from aiplatform import accelerators
from aiplatform._shared.addresses import overlap
from aiplatform._shared.args import Problem, got, is_unknown, matches, nearest, obeys
from aiplatform._shared.gcp.names import zones_of
from aiplatform._shared.kubernetes.names import class_name, gke_label_problems, taint_problems
from aiplatform._shared.kubernetes.pools import minimum_above_maximum
from aiplatform.accelerators import NVIDIA, TPU
from aiplatform.accelerators.gcp import BUILT_IN, MACHINES, MOST_CLIENTS, PARTITIONS, topology_problem
from aiplatform.gpu_pool.capacity import WAITS, Capacity
from aiplatform.gpu_pool.gcp import nodes
from aiplatform.naming import google_labels
from aiplatform.network.args import NO_ZONES

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings

MOST_NODES: Final = 1000
"""In a GKE node pool."""
MOST_SLICES: Final = 10
"""Slices of an entry: each is a separate node pool."""

_NAME: Final = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_RESERVATION: Final = matches(
    rf"(projects/[a-z][-a-z0-9]{{4,28}}[a-z0-9]/reservations/)?{_NAME}"
    rf"(/reservationBlocks/{_NAME}(/reservationSubBlocks/{_NAME})?)?",
    "a reservation's name, or projects/PROJECT/reservations/NAME; a block of it by /reservationBlocks/BLOCK "
    "after it",
)
_KINDS: Final = ("reserved", "on_demand", "spot", "flex_start", "queued")


def problems(pool: GpuPoolSettings) -> Iterator[Problem]:
    """Return the problems of a pool whose accelerator and count exist on Google Cloud."""
    yield from obeys("tags", pool.tags, google_labels)
    yield from obeys("name", pool.name, class_name)
    yield from _reservation_and_types(pool)
    yield from _topology(pool)
    yield from _size(pool)
    yield from _duplicates(pool)
    yield from _zones(pool)
    yield from _gpudirect(pool)
    yield from _placement(pool)
    yield from _sharing(pool)
    yield from _disks(pool)
    yield from gke_label_problems(pool.labels, nodes.labels(pool, "on_demand"))
    yield from taint_problems(pool.taints, [NVIDIA, TPU, nodes.COMPUTE_CLASS, nodes.QUEUED])


def _reservation_and_types(pool: GpuPoolSettings) -> Iterator[Problem]:
    for index, entry in enumerate(pool.capacity):
        path = f"capacity[{index}]"
        wrong = list(_machine_type(pool, entry, f"{path}.instance_types"))
        yield from wrong
        if not wrong:
            yield from _sold(pool, entry, path)
        if entry.reservation_id is not None:
            yield from obeys(f"{path}.reservation_id", entry.reservation_id, _RESERVATION)
        if entry.type == "reserved" and entry.zone is None and not _only_zone(pool):
            yield Problem(
                f"{path}.zone",
                "missing; expected the zone of the reservation: the pool is not limited to one zone",
            )
        if entry.zone is not None:
            yield from _zone(pool, entry.zone, f"{path}.zone")
        if entry.max_run_hours is not None and not nodes.waits(entry):
            yield Problem(
                f"{path}.max_run_hours",
                f"got a limit with type {entry.type!r}; expected flex_start or queued",
            )


def _machine_type(pool: GpuPoolSettings, entry: Capacity, path: str) -> Iterator[Problem]:
    if entry.instance_types is None:
        return
    if len(entry.instance_types) > 1:
        yield Problem(path, f"{got(entry.instance_types)}; expected one: a node pool has one machine type")
        return
    name = entry.instance_types[0]
    fitting = [machine.type for machine in accelerators.gcp_machines(pool.accelerator, pool.count)]
    if name in fitting:
        return
    expected = (
        f"expected a machine type with {pool.count} {pool.accelerator}: {', '.join(fitting)}"
        f"{nearest(name, fitting)}"
    )
    built_in = BUILT_IN.get(name.partition("-")[0])
    if built_in is not None:
        yield Problem(
            f"{path}[0]",
            f"{got(name)}, which has {built_in} built in, and to which no {pool.accelerator} can be "
            f"attached; {expected}",
        )
    else:
        yield Problem(f"{path}[0]", f"{got(name)}; {expected}")


def _sold(pool: GpuPoolSettings, entry: Capacity, path: str) -> Iterator[Problem]:
    machine = nodes.machine_of(pool, entry)
    if entry.type not in machine.sold:
        kinds = ", ".join(kind for kind in _KINDS if kind in machine.sold)
        yield Problem(
            f"{path}.type", f"{got(entry.type)}, but Google Cloud sells {machine.type} only as {kinds}"
        )
    sold = nodes.flex_start_zones(pool, entry)
    zones = pool.zones or [zone.id for zone in pool.network.listed_zones]
    if sold is not None and zones and not sold & set(zones) and not any(map(is_unknown, zones)):
        where = "the pool's zones" if pool.zones else "the network's zones"
        yield Problem(
            f"{path}.type",
            f"{got(entry.type)}, but Google Cloud sells {pool.accelerator} by flex-start in "
            f"{', '.join(sorted(sold))} only, and {where} are {', '.join(zones)}: expected reserved, spot or "
            "on_demand",
        )


def _topology(pool: GpuPoolSettings) -> Iterator[Problem]:
    if pool.topology is None:
        return
    if pool.card.vendor != "tpu":
        tpus = [key for key in accelerators.offered("gcp") if accelerators.CARDS[key].vendor == "tpu"]
        yield Problem(
            "topology",
            f"{got(pool.topology)}, but {pool.accelerator} is no TPU; expected no topology, or one of the "
            f"accelerators {', '.join(tpus)}",
        )
        return
    reason = topology_problem(pool.accelerator, pool.count, pool.topology)
    if reason:
        yield Problem("topology", f"{got(pool.topology)}; {reason}")
    elif nodes.slice_nodes(pool) > 1:
        yield from _slices(pool)


def _slices(pool: GpuPoolSettings) -> Iterator[Problem]:
    each_is = "each is a separate node pool"
    for key, value in (("min", pool.min), ("max", pool.max)):
        if is_unknown(value):
            yield Problem(key, f"{got(value)}; expected a number of slices: {each_is}")
    if not is_unknown(pool.max) and cast(int, pool.max) > MOST_SLICES:
        most = f"at most {MOST_SLICES} slices of {nodes.slice_nodes(pool)} nodes"
        yield Problem("max", f"got {pool.max}; expected {most}: {each_is}")


def _size(pool: GpuPoolSettings) -> Iterator[Problem]:
    yield from minimum_above_maximum(pool.min, pool.max)
    if pool.min and not is_unknown(pool.min) and all(entry.type in WAITS for entry in pool.capacity):
        yield Problem(
            "min",
            f"got {pool.min}; expected 0: flex-start and queued nodes are created when there is capacity, "
            "and run for a limited time",
        )


def _duplicates(pool: GpuPoolSettings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(pool.capacity):
        first = seen.setdefault(nodes.key(entry, index), index)
        if first != index:
            what = entry.reservation_id or entry.type
            yield Problem(f"capacity[{index}]", f"{what!r} duplicates capacity[{first}]")


def _only_zone(pool: GpuPoolSettings) -> bool:
    return len(pool.zones if pool.zones is not None else pool.network.listed_zones) == 1


def _zone(pool: GpuPoolSettings, zone: str, path: str) -> Iterator[Problem]:
    if isinstance(pool.cluster.region, str):
        wrong = list(obeys(path, zone, zones_of(pool.cluster.region)))
        yield from wrong
        if wrong:
            return
    known = [network_zone.id for network_zone in pool.network.listed_zones]
    if pool.network.lacks_zone(zone):
        yield Problem(
            path, f"{got(zone)}; expected a zone of the network: {', '.join(known)}{nearest(zone, known)}"
        )


def _zones(pool: GpuPoolSettings) -> Iterator[Problem]:
    if not pool.network.listed_zones:
        yield Problem("network.zones", NO_ZONES)
        return
    for index, zone in enumerate(pool.zones or []):
        yield from _zone(pool, zone, f"zones[{index}]")
    if nodes.in_one_zone(pool) and len(pool.zones or []) > 1:
        if nodes.slice_nodes(pool) > 1:
            why = f"all nodes of a slice of {pool.topology} are in one zone"
        else:
            why = (
                "GPUDirect does not span zones"
                if nodes.with_gpudirect(pool)
                else "compact placement does not span zones"
            )
        yield Problem("zones", f"{got(pool.zones)}; expected one zone: {why}")
    # The pool has one zone, so all its reservations must be there.
    elsewhere = {entry.zone for entry in pool.capacity if entry.zone}
    if nodes.in_one_zone(pool) and len(elsewhere) > 1:
        yield Problem(
            "capacity", f"reservations in {', '.join(sorted(elsewhere))}; expected one zone for all"
        )


def _gpudirect(pool: GpuPoolSettings) -> Iterator[Problem]:
    machine = nodes.machine(pool)
    if pool.gpudirect and machine.fabric is None:
        supported = [f"{other.count} {other.accelerator}" for other in MACHINES if other.fabric is not None]
        yield Problem(
            "gpudirect",
            f"got true, but {machine.type} has no network cards for GPUDirect; machines with them have "
            f"{', '.join(supported)}",
        )
        return
    if not nodes.with_gpudirect(pool):
        return
    if not pool.cluster.multi_networking:
        yield Problem(
            "gpudirect",
            f"the cluster has no multi-networking, which {machine.type} needs for GPUDirect and which cannot "
            "be changed later; expected a cluster created with multi_networking, or gpudirect: false",
        )
    others = {
        "the cluster's network": pool.network.cidr,
        "its pods": pool.network.pods_cidr,
        "its services": pool.network.services_cidr,
    }
    gpudirect_cidr = nodes.gpudirect_cidr(pool)
    for what, cidr in others.items():
        if isinstance(cidr, str) and not is_unknown(cidr) and overlap(gpudirect_cidr, cidr):
            yield Problem(
                "gpudirect_cidr",
                f"{got(gpudirect_cidr)}, which overlaps the range of {what}, {cidr}; expected another "
                "private range",
            )
    most = 0 if is_unknown(pool.max) else cast(int, pool.max) * len(pool.capacity)
    if most > nodes.gpudirect_nodes(pool):
        yield Problem(
            "gpudirect_cidr",
            f"{got(gpudirect_cidr)}, which has room for {nodes.gpudirect_nodes(pool)} nodes; expected a "
            f"range for the {most} that the entries of `capacity` may grow to together",
        )


def _placement(pool: GpuPoolSettings) -> Iterator[Problem]:
    if not pool.placement_group:
        return
    machine = nodes.machine(pool)
    if machine.is_tpu:
        yield Problem(
            "placement_group",
            "got true, but the topology of a TPU slice already places its nodes; expected no placement_group",
        )
    elif not machine.compact:
        yield Problem(
            "placement_group",
            f"got true, but {machine.family} machines do not support compact placement; expected false",
        )


def _sharing(pool: GpuPoolSettings) -> Iterator[Problem]:
    sharing = pool.sharing
    if sharing is None:
        return
    if pool.card.vendor == "tpu":
        yield Problem(
            "sharing",
            "TPU chips cannot be shared: a container uses all chips of its node; expected no sharing",
        )
    elif sharing.strategy == "mig":
        sizes = PARTITIONS.get(pool.accelerator)
        if sizes is None:
            supported = ", ".join(PARTITIONS)
            yield Problem(
                "sharing.strategy",
                f"got 'mig', but {pool.accelerator} has no MIG; accelerators with MIG: {supported}",
            )
        elif sharing.profile not in sizes:
            yield Problem(
                "sharing.profile",
                f"{got(sharing.profile)}; expected a partition size that GKE makes of {pool.accelerator}: "
                f"{', '.join(sizes)}",
            )
    elif sharing.replicas is not None and sharing.replicas > MOST_CLIENTS:
        yield Problem(
            "sharing.replicas",
            f"got {sharing.replicas}; expected at most {MOST_CLIENTS} containers a GPU on GKE",
        )


def _disks(pool: GpuPoolSettings) -> Iterator[Problem]:
    if pool.instance_store == "raid0" and nodes.machine(pool).local_ssds == 0:
        yield Problem(
            "instance_store",
            f"got 'raid0', but {nodes.machine(pool).type} supports no local SSD; expected 'none'",
        )
