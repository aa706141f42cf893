"""What GKE asks of a node pool before it makes one. Each rule refuses in GKE's words where they are known.

More sources than the rules name: the container API's reference, "About flex-start", "Add and manage node
pools", "Consume reserved zonal resources", "Define compact placement", "About cluster autoscaling".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.conditions import at
from twin.gcp.methods import rules
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.capacity import MachineType
from twin.gcp.services.container.operations import (
    accelerators,
    naming,
    pool_disks,
    pool_networks,
    references,
    versions,
)
from twin.gcp.services.container.operations.resource_names import Place

DEFAULT_MACHINE: Final = "e2-medium"
COMPACT: Final = ("a2", "a3", "a4", "c2", "c2d", "c3", "c3d", "c4", "g2", "h3", "n2", "n2d", "ct5lp", "ct6e")
"""Machine families that can be placed compactly."""


@dataclass(frozen=True)
class RequestedPool:
    """A node pool that is asked for, with what contains it."""

    call: Call
    place: Place
    cluster: Body
    pool: Body
    machine: MachineType
    zones: tuple[str, ...]
    path: str

    @property
    def config(self) -> Body:
        """Its NodeConfig."""
        return self.pool["config"]

    @property
    def flex(self) -> bool:
        """Whether it is flex-start, queued or not."""
        return bool(self.config.get("flexStart")) or self.queued

    @property
    def queued(self) -> bool:
        """Whether only ProvisioningRequests make it grow."""
        return bool((self.pool.get("queuedProvisioning") or {}).get("enabled"))

    @property
    def spot(self) -> bool:
        """Whether its nodes are Spot or preemptible."""
        return bool(self.config.get("spot") or self.config.get("preemptible"))


def check(call: Call, place: Place, cluster: Body, pool: Body, path: str = "nodePool") -> RequestedPool:
    """All rules over a node pool whose defaults are in. Raises 400."""
    naming.check(pool.get("name", ""), "node pool", f"{path}.name", naming.POOL)
    zones = _zones(pool, place, path)
    machine = _machine(pool, zones, path)
    requested = RequestedPool(call, place, cluster, pool, machine, zones, path)
    described: Body = {
        **pool,
        "machine": {"gpu": machine.gpu, "tpu": machine.tpu},
        "cluster": cluster,
        "flex": requested.flex,
        "spot": requested.spot,
        "affinity": at(pool, "config.reservationAffinity.consumeReservationType") or "none",
        "what": "queued provisioning" if requested.queued else "flex-start",
    }
    rules.check(call, described, services.rules("container")["pool"], f"{path}.", camel=True)
    accelerators.check(requested.config, machine, zones, f"{path}.config")
    references.service_account(
        call, requested.config.get("serviceAccount", "default"), f"{path}.config.serviceAccount"
    )
    for rule in (
        _tpu_slice,
        _reservation,
        _words,
        _version,
        _autoscaling,
        _placement,
        _upgrades,
        pool_disks.check,
        pool_networks.check,
    ):
        rule(requested)
    return requested


def recheck(call: Call, place: Place, cluster: Body, body: Body) -> None:
    """The rules over a pool that changes: what it began with is no matter any more. A slice that was the
    autoscaler's began with nothing, and may get all of its nodes by setSize."""
    count = body.get("initialNodeCount")
    topology = (body.get("placementPolicy") or {}).get("tpuTopology")
    machine = capacity.machine_type(body["config"]["machineType"])
    whole = accelerators.hosts(machine, topology, "nodePool.placementPolicy") if topology and machine else 0
    body["initialNodeCount"] = whole
    check(call, place, cluster, body)
    body["initialNodeCount"] = count


def _zones(pool: Body, place: Place, path: str) -> tuple[str, ...]:
    zones: list[str] = pool.get("locations") or []
    for zone in zones:
        if not capacity.is_zone(zone):
            raise invalid(f'{path}.locations: Location "{zone}" does not exist.')
        if capacity.region_of(zone) != place.region:
            raise invalid(f"{path}.locations: zone {zone} is not in the cluster's region {place.region}.")
    if len(set(zones)) != len(zones):
        raise invalid(f"{path}.locations: duplicate zone: {', '.join(zones)}.")
    return tuple(zones)


def _machine(pool: Body, zones: tuple[str, ...], path: str) -> MachineType:
    name = pool["config"]["machineType"]
    machine_type = capacity.machine_type(name)
    for zone in zones:
        if machine_type is None or not capacity.offered(name, zone):
            raise invalid(
                f'{path}.config.machineType: Machine type with name "{name}" does not exist in zone {zone}.'
            )
    if machine_type is None:
        raise invalid(f'{path}.config.machineType: Machine type with name "{name}" does not exist.')
    if machine_type.name == "e2-micro":
        raise invalid("Node pools of e2-micro machines are not supported due to insufficient memory.")
    return machine_type


def _tpu_slice(requested: RequestedPool) -> None:
    placement = requested.pool.get("placementPolicy") or {}
    wanted = placement.get("tpuTopology", "")
    if not requested.machine.tpu:
        if wanted:
            accelerators.hosts(requested.machine, wanted, f"{requested.path}.placementPolicy")
        return
    hosts = accelerators.hosts(requested.machine, wanted, f"{requested.path}.placementPolicy")
    if hosts == 1:
        return
    words = f"a {wanted} slice of {requested.machine.name} has {hosts} nodes"
    if len(requested.zones) != 1:
        raise invalid(
            f"{requested.path}.locations: a multi-host TPU slice is in one zone, got {len(requested.zones)}."
        )
    scaling = requested.pool.get("autoscaling") or {}
    count = int(requested.pool.get("initialNodeCount") or 0)
    if scaling.get("enabled"):
        most = scaling.get("totalMaxNodeCount") or scaling.get("maxNodeCount")
        if most != hosts:
            raise invalid(f"{requested.path}.autoscaling: {words}: the maximum must be {hosts}, got {most}.")
        if count not in (0, hosts):
            raise invalid(
                f"{requested.path}.initialNodeCount: {words}: it must be 0 or {hosts}, got {count}."
            )
    elif count != hosts:
        raise invalid(f"{requested.path}.initialNodeCount: {words}: it must be {hosts}, got {count}.")


def _reservation(requested: RequestedPool) -> None:
    affinity = requested.config.get("reservationAffinity") or {}
    if affinity.get("consumeReservationType") == "SPECIFIC_RESERVATION":
        for zone in requested.zones:
            where = f"{requested.path}.config.reservationAffinity"
            _reserved(requested, affinity["values"][0], zone, where)


def _reserved(requested: RequestedPool, name: str, zone: str, where: str) -> None:
    reservation = references.reservation(requested.call.state, requested.place.project, name, zone)
    if reservation is None:
        raise invalid(f"{where}.values: Reservation {name} does not exist in zone {zone}.")
    shape = (reservation.get("specificReservation") or {}).get("instanceProperties") or {}
    kind = shape.get("machineType", "").rpartition("/")[2]
    if kind and kind != requested.machine.name:
        raise invalid(
            f"{where}.values: Reservation {name} is of machine type {kind}, the node pool of "
            f"{requested.machine.name}."
        )


def _words(requested: RequestedPool) -> None:
    config, where = requested.config, f"{requested.path}.config"
    naming.node_labels(config.get("labels"), f"{where}.labels")
    naming.taints(config.get("taints"), f"{where}.taints")
    naming.tags(config.get("tags"), f"{where}.tags")
    naming.resource_labels(config.get("resourceLabels"), f"{where}.resourceLabels")


def _version(requested: RequestedPool) -> None:
    version, control = requested.pool["version"], requested.cluster["currentMasterVersion"]
    if versions.key(version) > versions.key(control):
        raise invalid(
            f'Node version "{version}" must not have a greater version than the master "{control}".'
        )
    if versions.minor(control) - versions.minor(version) > versions.NODE_MINORS_BACK:
        raise invalid(
            f'Node version "{version}" must be within {versions.NODE_MINORS_BACK} minor versions of master '
            f'version "{control}".'
        )


def _autoscaling(requested: RequestedPool) -> None:
    scaling = requested.pool.get("autoscaling") or {}
    where = f"{requested.path}.autoscaling"
    if not scaling.get("enabled"):
        return
    per_zone = [scaling.get("minNodeCount") or 0, scaling.get("maxNodeCount") or 0]
    total = [scaling.get("totalMinNodeCount") or 0, scaling.get("totalMaxNodeCount") or 0]
    if any(per_zone) and any(total):
        raise invalid(
            f"{where}: minNodeCount/maxNodeCount and totalMinNodeCount/totalMaxNodeCount cannot both be set."
        )
    least, most = total if any(total) else per_zone
    if most < 1:
        raise invalid(f"{where}: the maximum number of nodes must be at least 1.")
    if least < 0 or least > most:
        raise invalid(f"{where}: the minimum ({least}) must be from 0 to the maximum ({most}).")
    count = int(requested.pool.get("initialNodeCount") or 0) * (len(requested.zones) if any(total) else 1)
    if count > most:
        raise invalid(
            f"{requested.path}.initialNodeCount: {count} nodes are more than the maximum of {most}."
        )


def _placement(requested: RequestedPool) -> None:
    policy = requested.pool.get("placementPolicy") or {}
    where = f"{requested.path}.placementPolicy"
    if policy.get("type") == "COMPACT" and requested.machine.family not in COMPACT:
        raise invalid(
            f"{where}.type: Compact placement is not supported by machine type {requested.machine.name}."
        )
    if policy.get("policyName"):
        name = policy["policyName"]
        resource_policy = requested.call.state.get(
            f"compute/projects/{requested.place.project}/regions/{requested.place.region}/resourcePolicies/{name}"
        )
        if resource_policy is None:
            raise invalid(
                f'{where}.policyName: Resource policy "{name}" does not exist in {requested.place.region}.'
            )
        if not resource_policy.get("groupPlacementPolicy") and not resource_policy.get("workloadPolicy"):
            raise invalid(f'{where}.policyName: Resource policy "{name}" is no group placement policy.')


def _upgrades(requested: RequestedPool) -> None:
    upgrade = requested.pool.get("upgradeSettings") or {}
    surge, away = int(upgrade.get("maxSurge") or 0), int(upgrade.get("maxUnavailable") or 0)
    if surge + away > 20:
        raise invalid(
            f"{requested.path}.upgradeSettings: the sum of maxSurge and maxUnavailable must be at most 20, "
            f"got {surge + away}."
        )
