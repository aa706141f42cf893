"""Node pools: how they are made, sized and removed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from twin.gcp.api_server.errors import exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.container.operations import (
    accelerators,
    defaults,
    instance_groups,
    operations,
    pool_networks,
    pool_rules,
    resource_names,
)
from twin.gcp.services.container.operations.cluster_network import block_of
from twin.gcp.services.container.operations.resource_names import ROOT, Place, answers

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer


def make(call: Call, place: Place, cluster: Body, body: Body, path: str) -> Body:
    """Check a node pool and make it, with its machines. It is PROVISIONING until its nodes are Ready."""
    defaults.pool(place, cluster, body)
    requested = pool_rules.check(call, place, cluster, body, path)
    _taint(call.state, place, body)
    body["podIpv4CidrSize"] = block_of(pool_networks.max_pods(requested))
    link = f"{ROOT}/projects/{place.project}/{defaults.kind(place)}/{place.location}"
    body.update(
        selfLink=f"{link}/clusters/{place.cluster}/nodePools/{place.pool}",
        status="PROVISIONING",
        etag=defaults.etag(),
    )
    call.state.put(place.pool_name, body, internal={"uid": uuid.uuid4().hex})
    instance_groups.make(call.server, place, body, call.at)
    for zone in body["locations"]:
        instance_groups.resize(
            call.server, place, cluster, body, zone, int(body["initialNodeCount"]), call.at
        )
    if not body["initialNodeCount"]:
        body["status"] = "RUNNING"
    return call.state.put(place.pool_name, body)


def _taint(state: State, place: Place, body: Body) -> None:
    """GKE's taint of GPUs, where another pool has none ("About GPUs in GKE: Taint a GPU node pool")."""
    others = [other for at, other in resource_names.pools(state, place) if at.pool != place.pool]
    if body["config"].get("accelerators") and not all(pool["config"].get("accelerators") for pool in others):
        accelerators.taint(body["config"])


def remove(state: State, place: Place) -> None:
    """Take a node pool away for good."""
    instance_groups.drop(state, place)
    state.delete(place.pool_name)


def wanted(state: State, place: Place) -> int:
    """How many nodes the pool should have."""
    return sum(int(body.get("targetSize", 0)) for _, _, body in instance_groups.groups(state, place))


def reshaped(server: ApiServer, place: Place, cluster: Body, body: Body, at: float) -> None:
    """The pool's zones changed: groups follow, each with as many nodes as the others have."""
    there = instance_groups.groups(server.state, place)
    size = max((int(pool.get("targetSize", 0)) for _, _, pool in there), default=0)
    before = {zone for zone, _, _ in there}
    instance_groups.make(server, place, body, at)
    for zone in body["locations"]:
        if zone not in before:
            instance_groups.resize(server, place, cluster, body, zone, size, at)


@answers("clusters.nodePools.create")
def create(call: Call) -> dict[str, Any]:
    """nodePools.create"""
    home = resource_names.of_call(call)
    body = call.body.get("nodePool")
    if not body:
        raise invalid("nodePool: must be given.")
    cluster = resource_names.cluster(call.state, home)
    place = home.of(body.get("name", ""))
    if call.state.get(place.pool_name):
        raise exists(f"Already exists: {place.parent}/clusters/{place.cluster}/nodePools/{place.pool}.")
    operations.free(call.state, place, "CREATE_NODE_POOL")
    answer = make(call, place, cluster, body, "nodePool")
    return operations.begin(call, place, "CREATE_NODE_POOL", done=answer["status"] == "RUNNING")


@answers("clusters.nodePools.get")
def get(call: Call) -> dict[str, Any]:
    """nodePools.get"""
    place = resource_names.of_call(call)
    return resource_names.pool(call.state, place)


@answers("clusters.nodePools.list")
def every(call: Call) -> dict[str, Any]:
    """nodePools.list"""
    place = resource_names.of_call(call)
    resource_names.cluster(call.state, place)
    pools = [body for _, body in resource_names.pools(call.state, place)]
    return {"nodePools": pools} if pools else {}


@answers("clusters.nodePools.delete")
def delete(call: Call) -> dict[str, Any]:
    """nodePools.delete"""
    place = resource_names.of_call(call)
    body = resource_names.pool(call.state, place)
    if body["status"] == "STOPPING":
        raise precondition(f"Node pool {place.pool} is being deleted already.")
    operations.free(call.state, place, "DELETE_NODE_POOL")
    body["status"] = "STOPPING"
    instance_groups.drop(call.state, place)
    call.state.put(place.pool_name, body)
    return operations.begin(call, place, "DELETE_NODE_POOL", done=False)


@answers("clusters.nodePools.setSize")
def set_size(call: Call) -> dict[str, Any]:
    """nodePools.setSize: so many nodes in each of the pool's zones."""
    place = resource_names.of_call(call)
    cluster, body = resource_names.cluster(call.state, place), resource_names.pool(call.state, place)
    operations.free(call.state, place, "SET_NODE_POOL_SIZE")
    count = int(call.body.get("nodeCount") or 0)
    if count < 0:
        raise invalid(f"nodeCount: must not be negative, got {count}.")
    if (body.get("queuedProvisioning") or {}).get("enabled") and count:
        raise invalid(
            "nodeCount: a node pool with queued provisioning is grown by ProvisioningRequests only."
        )
    for zone in body["locations"]:
        instance_groups.resize(call.server, place, cluster, body, zone, count, call.at)
    return operations.begin(call, place, "SET_NODE_POOL_SIZE", done=count == 0)
