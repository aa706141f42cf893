"""The API of the controller, `/_twin/view/...`; its client is twin/gcp/cloud_client.py."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from twin.gcp.api_server.errors import GoogleError, not_found
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.container.operations import (
    access,
    clusters,
    gke_addons,
    instance_groups,
    node_objects,
    operations,
    pools,
    resource_names,
)
from twin.gcp.services.container.operations.resource_names import Place

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer

Params = dict[str, Any]
_STATUS: Final = {"STOPPING": "DELETING", "ERROR": "FAILED"}
PATIENCE: Final = 20.0
"""Seconds that a new node pool waits for machines that the zone does not have before its creation fails."""


def cluster(server: ApiServer, _: Params) -> Params:
    """The one cluster."""
    only_cluster = resource_names.only(server.state)
    if only_cluster is None:
        return {"cluster": None}
    place, body = only_cluster
    internal = server.state.internal(place.cluster_name)
    status = _STATUS.get(body["status"], "ACTIVE" if internal.get("ready") else "CREATING")
    return {
        "cluster": {
            "name": place.cluster,
            "status": status,
            "version": body["currentMasterVersion"],
            "uid": f"{body['selfLink']} {internal.get('uid', '')}",
            "service_cidr": body["servicesIpv4Cidr"],
            "issuer": f"https://container.googleapis.com/v1/{place.parent}/clusters/{place.cluster}",
            "self_managed_addons": False,
        }
    }


def cluster_ready(server: ApiServer, body: Params) -> Params:
    """The control plane answers; a restarted one may have another endpoint."""
    only_cluster = resource_names.only(server.state)
    if only_cluster is None or only_cluster[1]["status"] == "STOPPING":
        return {}
    place, cluster_body = only_cluster
    endpoint = body["endpoint"].removeprefix("https://").rstrip("/")
    cluster_body["masterAuth"] = {
        **(cluster_body.get("masterAuth") or {}),
        "clusterCaCertificate": body["certificate_authority"],
    }
    addresses = cluster_body["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]
    # Whatever way leads to the control plane, it is the one on this machine.
    cluster_body["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] = endpoint
    addresses["privateEndpoint"] = endpoint
    if addresses.get("enablePublicEndpoint", True):
        addresses["publicEndpoint"] = cluster_body["privateClusterConfig"]["publicEndpoint"] = endpoint
    cluster_body["privateClusterConfig"]["privateEndpoint"] = endpoint
    cluster_body["endpoint"] = endpoint
    server.state.put(place.cluster_name, cluster_body)
    internal = server.state.internal(place.cluster_name)
    server.state.keep(place.cluster_name, {**internal, "ready": True})
    _settle_cluster(server, place, cluster_body)
    return {}


def cluster_gone(server: ApiServer, _: Params) -> Params:
    """The control plane was wiped."""
    only_cluster = resource_names.only(server.state)
    if only_cluster and only_cluster[1]["status"] == "STOPPING":
        clusters.gone(server, *only_cluster)
    return {}


def machine_list(server: ApiServer, _: Params) -> Params:
    """The machines that should be Nodes. Groups that wait for machines ask for them again."""
    only_cluster = resource_names.only(server.state)
    if only_cluster is None:
        return {"machines": []}
    place, cluster_body = only_cluster
    machines: list[Params] = []
    for pool_place, pool in resource_names.pools(server.state, place):
        if pool["status"] == "STOPPING":
            _forget(server.state, pool_place)
            continue
        _ask_again(server, pool_place, cluster_body, pool)
        machines += node_objects.every(server.state, pool_place, cluster_body, pool)
    return {"machines": machines}


def group_list(server: ApiServer, _: Params) -> Params:
    """The groups: one a zone of each node pool; GKE's autoscaler may resize those whose pool says so."""
    only_cluster = resource_names.only(server.state)
    if only_cluster is None:
        return {"groups": []}
    place, cluster_body = only_cluster
    groups = [
        _group(pool_place, cluster_body, pool, *group)
        for pool_place, pool in resource_names.pools(server.state, place)
        if pool["status"] != "STOPPING"
        for group in instance_groups.groups(server.state, pool_place)
    ]
    return {"groups": groups}


def _group(place: Place, cluster_body: Body, pool: Body, zone: str, name: str, body: Body) -> Params:
    scaling: Body = pool.get("autoscaling") or {}
    total = bool(scaling.get("totalMaxNodeCount"))
    size = int(body.get("targetSize", 0))
    most = int(scaling.get("totalMaxNodeCount" if total else "maxNodeCount") or 0)
    short = name.rpartition("/")[2]
    return {
        "name": short,
        "minimum": 0 if total else int(scaling.get("minNodeCount") or 0),
        "maximum": most if scaling.get("enabled") else size,
        "desired": size,
        "template": node_objects.template(place, cluster_body, pool, zone, short),
        "tags": _delay(pool),
        "node_group": place.pool,
        "built_in": bool(scaling.get("enabled")),
        "queued": node_objects.queued(pool),
        "flex_start": node_objects.flex(pool),
        "spot": bool(pool["config"].get("spot") or pool["config"].get("preemptible")),
        "location_policy": scaling.get("locationPolicy", ""),
        "total_minimum": int(scaling.get("totalMinNodeCount") or 0) if total else 0,
        "total_maximum": most if total else 0,
        "exact_template": True,
    }


def _delay(pool: Body) -> dict[str, str]:
    """How long a node of the pool is idle before it goes, as the autoscaler's options state it."""
    delay = pool["config"].get("consolidationDelay")
    name = "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunneededtime"
    return {name: delay} if delay else {}


def node_pool_health(server: ApiServer, body: Params) -> Params:
    """How many nodes of a pool are Ready: its status, and its operations, follow."""
    only_cluster = resource_names.only(server.state)
    if only_cluster is None:
        return {}
    place = only_cluster[0].of(body["node_group"])
    pool = server.state.get(place.pool_name)
    if pool is None or pool["status"] == "STOPPING":
        return {}
    wanted = pools.wanted(server.state, place)
    ready = int(body["ready"]) >= wanted
    there = len(instance_groups.instances(server.state, place))
    before = (pool["status"], pool.get("statusMessage"))
    if ready:
        pool["status"] = "RUNNING"
        pool.pop("statusMessage", None)
        operations.end(server.state, place)
    elif there < wanted:
        _short(server, place, pool)
    elif body["issues"]:
        pool.update(status="RUNNING_WITH_ERROR", statusMessage="; ".join(body["issues"]))
    if before != (pool["status"], pool.get("statusMessage")):
        server.state.put(place.pool_name, pool)
    _settle_cluster(server, *only_cluster)
    return {}


def _short(server: ApiServer, place: Place, pool: Body) -> None:
    """Machines are missing: a pool that is being made gives up after a while, another one says so."""
    zone = next(
        (
            zone
            for zone, _, body in instance_groups.groups(server.state, place)
            if int(body["targetSize"]) > len(instance_groups.instances(server.state, place, zone))
        ),
        pool["locations"][0],
    )
    missing = instance_groups.shortage(server, place, pool, zone) or instance_groups.stockout(
        pool["config"]["machineType"], zone
    )
    words = f"Google Compute Engine: {missing.message}"
    waiting = operations.running(server.state, place)
    since = min((operations.started(body) for _, body in waiting), default=0.0)
    over = waiting and time.time() - since > PATIENCE
    if pool["status"] != "PROVISIONING":
        pool.update(status="RUNNING_WITH_ERROR", statusMessage=words)
    elif over:
        pool.update(status="ERROR", statusMessage=words)
    if over:
        operations.end(server.state, place, error=words)


def _settle_cluster(server: ApiServer, place: Place, cluster_body: Body) -> None:
    """PROVISIONING ends when the control plane answers and the first node pools' nodes are Ready."""
    if cluster_body["status"] != "PROVISIONING" or not server.state.internal(place.cluster_name).get("ready"):
        return
    node_pools = [pool for _, pool in resource_names.pools(server.state, place)]
    if any(pool["status"] == "PROVISIONING" for pool in node_pools):
        return
    cluster_body = resource_names.cluster(server.state, place)
    broken = next((pool for pool in node_pools if pool["status"] == "ERROR"), None)
    cluster_body["status"] = "ERROR" if broken else "RUNNING"
    error = broken.get("statusMessage", "") if broken else ""
    if error:
        cluster_body["statusMessage"] = error
    server.state.put(place.cluster_name, cluster_body)
    operations.end(server.state, place, "CREATE_CLUSTER", error=error)


def set_desired(server: ApiServer, body: Params) -> Params:
    """Resize a group. A shortage changes nothing: the group's size stays what it was."""
    place, cluster_body, pool, zone = _named(server, body["group"])
    count = int(body["count"])
    there = instance_groups.resize(server, place, cluster_body, pool, zone, count, time.time())
    if there < count:
        short = instance_groups.shortage(server, place, pool, zone, count - there)
        raise short or instance_groups.stockout(pool["config"]["machineType"], zone)
    return {}


def grow_for(server: ApiServer, body: Params) -> Params:
    """Resize several groups for a ProvisioningRequest, all or none (a refusal undoes the transaction)."""
    for name, count in body["sizes"].items():
        place, _, _, zone = _named(server, name)
        before = {instance for instance, _ in instance_groups.instances(server.state, place, zone)}
        set_desired(server, {"group": name, "count": count})
        for instance_name, _ in instance_groups.instances(server.state, place, zone):
            if instance_name not in before:
                server.state.keep(
                    instance_name, {**server.state.internal(instance_name), "request": body["request"]}
                )
    return {}


def terminate(server: ApiServer, body: Params) -> Params:
    """Remove one machine; the group's size falls by one."""
    place, _, _, zone = _named(server, body["group"])
    instance_groups.remove_instance(server.state, place, zone, body["provider_id"].rpartition("/")[2])
    return {}


def _named(server: ApiServer, name: str) -> tuple[Place, Body, Body, str]:
    only_cluster = resource_names.only(server.state)
    for pool_place, pool in resource_names.pools(server.state, only_cluster[0]) if only_cluster else ():
        for zone, full, _ in instance_groups.groups(server.state, pool_place):
            if full.rpartition("/")[2] == name and only_cluster and pool["status"] != "STOPPING":
                return pool_place, only_cluster[1], pool, zone
    raise not_found(f"The resource 'instanceGroupManagers/{name}' was not found")


def addon_list(server: ApiServer, _: Params) -> Params:
    """GKE's own components that the cluster should have."""
    only_cluster = resource_names.only(server.state)
    return {"addons": gke_addons.addons(server.state, *only_cluster) if only_cluster else []}


def addon_status(server: ApiServer, body: Params) -> Params:
    """What became of a component: GKE shows nothing of it, but removed ones are forgotten."""
    only_cluster = resource_names.only(server.state)
    if only_cluster and body["status"] == "GONE":
        gke_addons.gone(server.state, only_cluster[0], body["name"])
    return {}


def settings(server: ApiServer, _: Params) -> Params:
    """What GKE's autoscaler goes by, cluster-wide."""
    only_cluster = resource_names.only(server.state)
    scaling: Body = (only_cluster[1].get("autoscaling") or {}) if only_cluster else {}
    return {"autoscaling_profile": scaling.get("autoscalingProfile", "BALANCED")}


def workload_role(server: ApiServer, body: Params) -> Params:
    """The IAM service account of a Kubernetes service account."""
    return {"role": access.workload_account(server, body["namespace"], body["service_account"])}


def workload_token(server: ApiServer, body: Params) -> Params:
    """An access token for Pods of a Kubernetes service account: that of the IAM service account which it may
    impersonate (`account`), or of the account's federated identity; None where it may not."""
    names = body["namespace"], body["service_account"]
    return {"token": access.workload_token(server, *names, body["account"])}


def authenticate(server: ApiServer, body: Params) -> Params:
    """Who a token is."""
    return {"principal": access.authenticate(server, body["token"])}


def _forget(state: State, place: Place) -> None:
    # The controller saw no machines of it once before: its Nodes are on their way out.
    internal = state.internal(place.pool_name)
    if internal.get("seen"):
        pools.remove(state, place)
        operations.end(state, place)
    else:
        state.keep(place.pool_name, {**internal, "seen": True})


def _ask_again(server: ApiServer, place: Place, cluster_body: Body, pool: Body) -> None:
    for zone, _, body in instance_groups.groups(server.state, place):
        size = int(body.get("targetSize", 0))
        if size > len(instance_groups.instances(server.state, place, zone)):
            try:
                instance_groups.resize(server, place, cluster_body, pool, zone, size, time.time())
            except GoogleError:
                return  # no address left: the pool's health states it


VIEWS: Final = {
    "cluster": cluster,
    "cluster_ready": cluster_ready,
    "cluster_gone": cluster_gone,
    "machines": machine_list,
    "groups": group_list,
    "node_group_health": node_pool_health,
    "set_desired": set_desired,
    "terminate": terminate,
    "addons": addon_list,
    "addon_status": addon_status,
    "grow_for": grow_for,
    "settings": settings,
    "workload_role": workload_role,
    "workload_token": workload_token,
    "authenticate": authenticate,
}
