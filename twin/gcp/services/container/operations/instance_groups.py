"""A node pool's machines in Compute: a managed instance group a zone, and its instances.

They are in Compute's state, so that who lists instances or asks what is left sees them, and they go with
the pool. `targetSize` may be more than there are: then the zone has none to give, and they come later.
"""

from __future__ import annotations

import secrets
from ipaddress import IPv4Network
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.api_server.operations import COMPUTE_ROOT, compute_time, numeric_id
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.compute import quotas
from twin.gcp.services.compute.validation import secondary_ranges
from twin.gcp.services.container.operations import naming, resource_names
from twin.gcp.services.container.operations.resource_names import Place

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer

INSTANCES: Final = "compute.instances"
STOCKOUT: Final = "resourcePoolExhausted"
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"


def manager_name(place: Place, zone: str, base: str) -> str:
    """A group's name in the state. base: the nodes' common name."""
    return f"compute/projects/{place.project}/zones/{zone}/instanceGroupManagers/{base}-grp"


def _bases(state: State, place: Place) -> dict[str, str]:
    """The common name of a pool's nodes in each zone."""
    return state.internal(place.pool_name).get("groups") or {}


def make(server: ApiServer, place: Place, pool: Body, at: float) -> None:
    """Make the groups of the pool's zones that are not there yet, and remove those of zones that left."""
    internal = server.state.internal(place.pool_name)
    bases: dict[str, str] = internal.setdefault("groups", {})
    seed = internal.setdefault("seed", secrets.token_hex(8))
    for zone in [old_zone for old_zone in bases if old_zone not in pool["locations"]]:
        _drop(server.state, place, zone, bases.pop(zone))
    for zone in pool["locations"]:
        if zone in bases:
            continue
        base = bases[zone] = naming.group_name(place.cluster, place.pool, zone, seed)
        _manager(server, place, zone, base, at)
    server.state.keep(place.pool_name, internal)
    pool["instanceGroupUrls"] = [
        f"{COMPUTE_ROOT}/{manager_name(place, zone, bases[zone]).partition('/')[2]}"
        for zone in pool["locations"]
    ]


def _manager(server: ApiServer, place: Place, zone: str, base: str, at: float) -> None:
    name = manager_name(place, zone, base)
    relative = name.partition("/")[2]
    where = f"{COMPUTE_ROOT}/projects/{place.project}/zones/{zone}"
    template = f"{COMPUTE_ROOT}/projects/{place.project}/regions/{place.region}/instanceTemplates/{base}"
    server.state.put(
        name,
        {
            "kind": "compute#instanceGroupManager",
            "id": numeric_id(),
            "name": f"{base}-grp",
            "zone": where,
            "creationTimestamp": compute_time(at),
            "instanceTemplate": template,
            "instanceGroup": f"{where}/instanceGroups/{base}-grp",
            "baseInstanceName": base,
            "targetSize": 0,
            "status": {"isStable": True},
            "selfLink": f"{COMPUTE_ROOT}/{relative}",
        },
        internal={"pool": place.pool_name, "zone": zone, "base": base},
    )


def groups(state: State, place: Place) -> list[tuple[str, str, Body]]:
    """(zone, name in the state, body) of a pool's groups."""
    groups: list[tuple[str, str, Body]] = []
    for zone, base in _bases(state, place).items():
        name = manager_name(place, zone, base)
        body = state.get(name)
        if body is not None:
            groups.append((zone, name, body))
    return groups


def instances(state: State, place: Place, zone: str = "") -> list[tuple[str, Body]]:
    """(name in the state, body) of a pool's instances, of one zone or of all."""
    instances: list[tuple[str, Body]] = []
    for zone_, base in _bases(state, place).items():
        if zone in ("", zone_):
            prefix = f"compute/projects/{place.project}/zones/{zone_}/instances/{base}-"
            instances += state.of(INSTANCES, prefix)
    return instances


def resize(
    server: ApiServer, place: Place, cluster: Body, pool: Body, zone: str, count: int, at: float
) -> int:
    """Set a group's target size, and make or remove instances as far as the zone has them.

    Returns how many there are. Raises 400 where the subnetwork has no more addresses.
    """
    state = server.state
    base = _bases(state, place)[zone]
    name = manager_name(place, zone, base)
    manager = state.get(name) or {}
    manager["targetSize"] = count
    there = instances(state, place, zone)
    for gone, _ in there[count:]:
        state.delete(gone)
    missing = count - len(there)
    if missing > 0 and shortage(server, place, pool, zone, missing) is None:
        _pods_room(state, place, cluster, pool, missing)
        addresses = _free(state, cluster, missing)
        for address in addresses:
            _instance(server, place, cluster, pool, zone, base, address, at)
        there = instances(state, place, zone)
    manager["status"] = {"isStable": len(there) >= count}
    state.put(name, manager)
    return min(len(there), count)


def shortage(server: ApiServer, place: Place, pool: Body, zone: str, count: int = 1) -> GoogleError | None:
    """Why the zone gives no more machines to the pool: it has none, or the project's quota is used up."""
    config = pool["config"]
    if not server.faults.available(config["machineType"], zone):
        return stockout(config["machineType"], zone)
    added: Body = {"machineType": config["machineType"], "guestAccelerators": _accelerators(config)}
    words = quotas.machines_exceeded(server, place.project, place.region, added, count)
    return quotas.quota(words) if words else None


def _accelerators(config: Body) -> list[Body]:
    return [
        {"acceleratorType": part["acceleratorType"], "acceleratorCount": int(part["acceleratorCount"])}
        for part in config.get("accelerators") or ()
    ]


def stockout(machine_type: str, zone: str) -> GoogleError:
    """Google's words for a zone that has none."""
    return GoogleError(
        503,
        "UNAVAILABLE",
        f"Instance creation failed: The zone '{zone}' does not have enough resources available to fulfill "
        f"the request for machine type {machine_type}. (ZONE_RESOURCE_POOL_EXHAUSTED, GCE_STOCKOUT) Try a "
        "different zone, or try again later.",
        STOCKOUT,
    )


def remove_instance(state: State, place: Place, zone: str, name: str) -> bool:
    """Delete one instance and lower the target size. False where it is not the pool's."""
    base = _bases(state, place).get(zone, "")
    full = f"compute/projects/{place.project}/zones/{zone}/instances/{name}"
    if not base or not name.startswith(f"{base}-") or state.get(full) is None:
        return False
    state.delete(full)
    manager = manager_name(place, zone, base)
    body = state.get(manager) or {}
    body["targetSize"] = max(0, int(body.get("targetSize", 1)) - 1)
    state.put(manager, body)
    return True


def renew(server: ApiServer, place: Place, cluster: Body, pool: Body, at: float) -> None:
    """Replace all instances, as an upgrade or another machine type does."""
    for zone, _, body in groups(server.state, place):
        size = int(body.get("targetSize", 0))
        resize(server, place, cluster, pool, zone, 0, at)
        resize(server, place, cluster, pool, zone, size, at)


def drop(state: State, place: Place) -> None:
    """Remove the pool's groups and instances."""
    for zone, base in _bases(state, place).items():
        _drop(state, place, zone, base)


def _drop(state: State, place: Place, zone: str, base: str) -> None:
    for name, _ in state.of(INSTANCES, f"compute/projects/{place.project}/zones/{zone}/instances/{base}-"):
        state.delete(name)
    state.delete(manager_name(place, zone, base))


def _pods_room(state: State, place: Place, cluster: Body, pool: Body, wanted: int) -> None:
    """Refuse nodes that the Pods range has no room for: each takes a block of it."""
    first = cluster["ipAllocationPolicy"]["clusterSecondaryRangeName"]
    name = (pool.get("networkConfig") or {}).get("podRange", first)
    subnet = state.get(f"compute/{cluster['networkConfig']['subnetwork']}") or {}
    ranges = secondary_ranges(subnet)
    if name not in ranges:
        return
    taken = wanted * 2 ** (32 - int(pool["podIpv4CidrSize"]))
    for other, body in resource_names.pools(state, place):
        if (body.get("networkConfig") or {}).get("podRange", first) == name:
            taken += len(instances(state, other)) * 2 ** (32 - int(body.get("podIpv4CidrSize", 24)))
    if taken > IPv4Network(ranges[name]).num_addresses:
        raise GoogleError(
            400,
            "FAILED_PRECONDITION",
            f"IP space of '{cluster['networkConfig']['subnetwork']}-{name}' is exhausted: the Pods range "
            f"{name} ({ranges[name]}) has no room for {wanted} more nodes of /{pool['podIpv4CidrSize']} "
            "each. (IP_SPACE_EXHAUSTED)",
            "ipSpaceExhausted",
        )


def _free(state: State, cluster: Body, wanted: int) -> list[str]:
    subnet_name = cluster["networkConfig"]["subnetwork"]
    subnet = state.get(f"compute/{subnet_name}") or {}
    block = IPv4Network(subnet["ipCidrRange"])
    taken = {
        card.get("networkIP")
        for _, body in state.of(INSTANCES, "compute/")
        for card in body.get("networkInterfaces", ())[:1]
    }
    # Google keeps the first two and the last two addresses of a subnetwork.
    all_addresses = (str(block[offset]) for offset in range(2, block.num_addresses - 2))
    addresses = list(islice((address for address in all_addresses if address not in taken), wanted))
    if len(addresses) < wanted:
        raise GoogleError(
            400,
            "FAILED_PRECONDITION",
            f"IP space of '{subnet_name}' is exhausted: the primary range {block} has no address for "
            f"{wanted - len(addresses)} of the new nodes. (IP_SPACE_EXHAUSTED)",
            "ipSpaceExhausted",
        )
    return addresses


def _instance(
    server: ApiServer, place: Place, cluster: Body, pool: Body, zone: str, base: str, address: str, at: float
) -> None:
    state, config = server.state, pool["config"]
    where = f"projects/{place.project}/zones/{zone}"
    name = ""
    while not name or state.get(f"compute/{where}/instances/{name}"):
        name = f"{base}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}"
    body: dict[str, Any] = {
        "kind": "compute#instance",
        "id": numeric_id(),
        "name": name,
        "zone": f"{COMPUTE_ROOT}/{where}",
        "creationTimestamp": compute_time(at),
        "machineType": f"{COMPUTE_ROOT}/{where}/machineTypes/{config['machineType']}",
        "status": "RUNNING",
        "networkInterfaces": _cards(cluster, pool, address),
        "labels": {
            **(cluster.get("resourceLabels") or {}),
            **(config.get("resourceLabels") or {}),
            "goog-gke-node": "",
            "goog-k8s-cluster-name": place.cluster,
            "goog-k8s-cluster-location": place.location,
            "goog-k8s-node-pool-name": place.pool,
        },
        "tags": {"items": [*(config.get("tags") or ()), f"{base.rpartition('-')[0]}-node"]},
        "scheduling": _scheduling(config, pool),
        "serviceAccounts": [
            {"email": config["serviceAccount"], "scopes": list(config.get("oauthScopes") or ())}
        ],
        "guestAccelerators": _accelerators(config),
        "shieldedInstanceConfig": config.get("shieldedInstanceConfig") or {},
        "selfLink": f"{COMPUTE_ROOT}/{where}/instances/{name}",
    }
    state.put(f"compute/{where}/instances/{name}", body, internal={"pool": place.pool_name})


def _cards(cluster: Body, pool: Body, address: str) -> list[Body]:
    settings = cluster["networkConfig"]
    first = {
        "name": "nic0",
        "network": f"{COMPUTE_ROOT}/{settings['network']}",
        "subnetwork": f"{COMPUTE_ROOT}/{settings['subnetwork']}",
        "networkIP": address,
    }
    more = (pool.get("networkConfig") or {}).get("additionalNodeNetworkConfigs") or ()
    return [first] + [
        {"name": f"nic{index}", "network": network["network"], "subnetwork": network["subnetwork"]}
        for index, network in enumerate(more, start=1)
    ]


def _scheduling(config: Body, pool: Body) -> Body:
    if config.get("spot"):
        return {"provisioningModel": "SPOT", "preemptible": True, "automaticRestart": False}
    if config.get("preemptible"):
        return {"provisioningModel": "STANDARD", "preemptible": True, "automaticRestart": False}
    if config.get("flexStart") or (pool.get("queuedProvisioning") or {}).get("enabled"):
        return {"provisioningModel": "FLEX_START", "preemptible": False, "automaticRestart": False}
    return {"provisioningModel": "STANDARD", "preemptible": False, "automaticRestart": True}
