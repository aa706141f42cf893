"""What GKE asks of a node pool before it makes one. Each rule refuses in GKE's words where they are known.

More sources than the rules name: the container API's reference, "About flex-start", "Add and manage node
pools", "Consume reserved zonal resources", "Define compact placement", "About cluster autoscaling".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
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
LONGEST_RUN: Final = 604_800
"""Seconds that a flex-start node runs at most (seven days)."""
COMPACT: Final = ("a2", "a3", "a4", "c2", "c2d", "c3", "c3d", "c4", "g2", "h3", "n2", "n2d", "ct5lp", "ct6e")
"""Machine families that can be placed compactly."""
RESERVATION_KEY: Final = "compute.googleapis.com/reservation-name"


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
    for rule in (
        _accelerated,
        _tpu_slice,
        _kinds,
        _flex_start,
        _reservation,
        _words,
        _account,
        _version,
        _management,
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


def _accelerated(requested: RequestedPool) -> None:
    cards = requested.config.get("accelerators")
    if cards and requested.machine.name == DEFAULT_MACHINE:
        raise invalid(
            f"Cannot use default machine type ({DEFAULT_MACHINE}) with GPUs; choose a different machine type."
        )
    accelerators.check(requested.config, requested.machine, requested.zones, f"{requested.path}.config")
    on_demand = not (requested.spot or requested.flex)
    if requested.machine.name in accelerators.SPOT_OR_FLEX_ONLY and on_demand:
        raise invalid(
            f"{requested.path}.config.machineType: {requested.machine.name} is provided as Spot or "
            "flex-start "
            "VMs only."
        )
    affinity = (requested.config.get("reservationAffinity") or {}).get("consumeReservationType")
    if (
        requested.machine.name in accelerators.NOT_ON_DEMAND
        and on_demand
        and affinity != "SPECIFIC_RESERVATION"
    ):
        raise invalid(
            f"{requested.path}.config.machineType: {requested.machine.name} cannot be had on demand: it "
            "takes Spot, "
            "flex-start or a specific reservation."
        )


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


def _kinds(requested: RequestedPool) -> None:
    config = requested.config
    if config.get("spot") and config.get("preemptible"):
        raise invalid(f"{requested.path}.config: spot and preemptible cannot both be set.")
    if config.get("maxRunDuration"):
        seconds = _seconds(config["maxRunDuration"], f"{requested.path}.config.maxRunDuration")
        if requested.flex and not 600 <= seconds <= LONGEST_RUN:
            raise invalid(
                f"{requested.path}.config.maxRunDuration: flex-start nodes run from 600s to {LONGEST_RUN}s, "
                f"got {config['maxRunDuration']}."
            )


def _seconds(text: str, path: str) -> float:
    try:
        return float(text.removesuffix("s")) if text.endswith("s") else float("nan")
    except ValueError as error:
        raise invalid(f"{path}: '{text}' is no duration; write seconds as 3600s.") from error


def _flex_start(requested: RequestedPool) -> None:
    if not requested.flex:
        return
    what = "queued provisioning" if requested.queued else "flex-start"
    where = f"{requested.path}.config"
    if requested.spot:
        raise invalid(f"{where}: {what} cannot be used with Spot or preemptible VMs.")
    if not (requested.machine.gpu or requested.machine.tpu or requested.config.get("accelerators")):
        raise invalid(
            f"{where}.machineType: {what} needs GPUs or TPUs; {requested.machine.name} has neither."
        )
    affinity = requested.config.get("reservationAffinity") or {}
    if affinity.get("consumeReservationType") != "NO_RESERVATION":
        raise invalid(
            f"{where}.reservationAffinity.consumeReservationType: {what} cannot consume reservations: it "
            f"must be NO_RESERVATION, got {affinity.get('consumeReservationType') or 'none'}."
        )
    if (requested.pool.get("management") or {}).get("autoRepair"):
        raise invalid(f"{requested.path}.management.autoRepair: must be false with {what}.")
    scaling = requested.pool.get("autoscaling") or {}
    if not scaling.get("enabled"):
        raise invalid(f"{requested.path}.autoscaling.enabled: must be true with {what}.")
    if scaling.get("minNodeCount") or scaling.get("totalMinNodeCount"):
        raise invalid(f"{requested.path}.autoscaling: the minimum must be 0 with {what}.")
    if requested.pool.get("initialNodeCount"):
        raise invalid(f"{requested.path}.initialNodeCount: must be 0 with {what}.")


def _reservation(requested: RequestedPool) -> None:
    affinity = requested.config.get("reservationAffinity") or {}
    kind = affinity.get("consumeReservationType")
    where = f"{requested.path}.config.reservationAffinity"
    if kind != "SPECIFIC_RESERVATION":
        if affinity.get("values") or affinity.get("key"):
            raise invalid(f"{where}: key and values go with SPECIFIC_RESERVATION only, got {kind}.")
        return
    if requested.spot:
        raise invalid(f"{where}: Spot and preemptible VMs cannot consume reservations.")
    if affinity.get("key") != RESERVATION_KEY:
        raise invalid(f"{where}.key: must be {RESERVATION_KEY}, got {affinity.get('key')!r}.")
    values = affinity.get("values") or []
    if len(values) != 1:
        raise invalid(f"{where}.values: exactly one reservation must be named, got {len(values)}.")
    for zone in requested.zones:
        _reserved(requested, values[0], zone, where)


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
    limit = (config.get("kubeletConfig") or {}).get("podPidsLimit")
    if limit is not None and not 1024 <= int(limit) <= 4_194_304:
        raise invalid(f"{where}.kubeletConfig.podPidsLimit: must be from 1024 to 4194304, got {limit}.")


def _account(requested: RequestedPool) -> None:
    email = requested.config.get("serviceAccount", "default")
    references.service_account(requested.call, email, f"{requested.path}.config.serviceAccount")
    meta = (requested.config.get("workloadMetadataConfig") or {}).get("mode")
    if meta == "GKE_METADATA" and not (requested.cluster.get("workloadIdentityConfig") or {}).get(
        "workloadPool"
    ):
        raise invalid(
            f"{requested.path}.config.workloadMetadataConfig.mode: GKE_METADATA needs a cluster with "
            "Workload "
            "Identity Federation for GKE (workloadIdentityConfig.workloadPool)."
        )


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


def _management(requested: RequestedPool) -> None:
    channel = (requested.cluster.get("releaseChannel") or {}).get("channel", "UNSPECIFIED")
    management = requested.pool.get("management") or {}
    if channel == "UNSPECIFIED":
        return
    repair = management.get("autoRepair") or requested.flex
    if not management.get("autoUpgrade") or not repair:
        raise invalid(f"Auto_upgrade and auto_repair cannot be false when release_channel {channel} is set.")


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
    where = f"{requested.path}.upgradeSettings"
    if upgrade.get("strategy", "SURGE") == "SURGE" and surge + away == 0:
        raise invalid(f"{where}: maxSurge and maxUnavailable cannot both be 0.")
    if surge + away > 20:
        raise invalid(
            f"{where}: the sum of maxSurge and maxUnavailable must be at most 20, got {surge + away}."
        )
