"""Clusters: what GKE asks of one, what it makes for one, how it goes."""

from __future__ import annotations

import uuid
from typing import Any

from twin.gcp.api_server.errors import exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.container.operations import (
    cluster_network,
    cluster_rules,
    defaults,
    instance_groups,
    naming,
    operations,
    pools,
    resource_names,
    versions,
)
from twin.gcp.services.container.operations.resource_names import Place, answers

FIRST_POOL = "default-pool"


@answers("clusters.create")
def create(call: Call) -> dict[str, Any]:
    """clusters.create"""
    home = resource_names.location(resource_names.of_call(call))
    body = call.body.get("cluster")
    if not body:
        raise invalid("cluster: must be given.")
    naming.check(body.get("name", ""), "cluster", "cluster.name", naming.CLUSTER)
    place = Place(home.project, home.location, body["name"])
    _new(call.state, place)
    call.need_enabled("compute.googleapis.com")
    requested_pools = _pools(body)
    cluster_rules.check(call, place, body)
    cluster_network.settle(call, place, body)
    # Last: what Google refuses is answered first.
    _alone(call.state, place)
    defaults.cluster(call, place, body)
    call.state.put(place.cluster_name, body, internal={"uid": uuid.uuid4().hex, "ready": False})
    _identity_pool(call, body)
    for index, pool in enumerate(requested_pools):
        path = f"cluster.nodePools[{index}]" if "nodePools" in call.body["cluster"] else "cluster.nodeConfig"
        pools.make(call, place.of(pool.get("name", "")), body, pool, path)
    return operations.begin(call, place, "CREATE_CLUSTER", done=False)


def _new(state: State, place: Place) -> None:
    only_cluster = resource_names.only(state)
    if only_cluster is not None and only_cluster[0] == place:
        raise exists(f"Already exists: {place.parent}/clusters/{place.cluster}.")


def _alone(state: State, place: Place) -> None:
    only_cluster = resource_names.only(state)
    if only_cluster is not None:
        raise invalid(
            f"This twin holds the cluster '{only_cluster[0].cluster}' in {only_cluster[0].location}, and "
            "one twin has one "
            f"control plane: delete it first, or use another twin for '{place.cluster}'."
        )


def _pools(body: Body) -> list[Body]:
    """The node pools that are asked for; they are no part of the cluster's own body."""
    if (body.get("autopilot") or {}).get("enabled"):
        raise invalid("cluster.autopilot: the twin plays GKE Standard only; leave autopilot out.")
    node_pools: list[Body] | None = body.pop("nodePools", None)
    count, config = int(body.get("initialNodeCount") or 0), body.pop("nodeConfig", None)
    body.pop("initialNodeCount", None)
    if node_pools:
        if count or config:
            raise invalid(
                "Cluster.nodePools: initialNodeCount and nodeConfig cannot be set together with it."
            )
        names = [pool.get("name", "") for pool in node_pools]
        if len(set(names)) != len(names):
            raise invalid(f"Cluster.nodePools: names must differ, got {', '.join(names)}.")
        return node_pools
    if count < 1:
        raise invalid("Cluster.initial_node_count must be greater than zero.")
    return [{"name": FIRST_POOL, "initialNodeCount": count, "config": config or {}}]


def _identity_pool(call: Call, body: Body) -> None:
    """The project's workload identity pool comes with its first cluster that has it, and stays."""
    pool = (body.get("workloadIdentityConfig") or {}).get("workloadPool")
    if not pool:
        return
    name = f"projects/{call.project}/locations/global/workloadIdentityPools/{pool}"
    if call.state.get(f"iam/{name}") is None:
        call.state.put(f"iam/{name}", {"name": name, "state": "ACTIVE"}, baseline=True)


def representation(state: State, place: Place, body: Body) -> Body:
    """A cluster as the API shows it: with its node pools, and what they add up to."""
    node_pools = resource_names.pools(state, place)
    cluster: Body = {**body, "nodePools": [pool for _, pool in node_pools]}
    cluster["instanceGroupUrls"] = [
        url for _, pool in node_pools for url in pool.get("instanceGroupUrls", ())
    ]
    cluster["currentNodeCount"] = sum(
        len(instance_groups.instances(state, pool_place)) for pool_place, _ in node_pools
    )
    oldest = [pool["version"] for _, pool in node_pools]
    cluster["currentNodeVersion"] = min(oldest, key=versions.key) if oldest else body["currentMasterVersion"]
    return {name: value for name, value in cluster.items() if value not in ([], None)}


@answers("clusters.get")
def get(call: Call) -> dict[str, Any]:
    """clusters.get"""
    place = resource_names.of_call(call)
    return representation(call.state, place, resource_names.cluster(call.state, place))


@answers("clusters.fetchClusterUpgradeInfo")
def upgrade_info(call: Call) -> dict[str, Any]:
    """clusters.fetchClusterUpgradeInfo"""
    place = resource_names.of_call(call)
    body = representation(call.state, place, resource_names.cluster(call.state, place))
    channel = body.get("releaseChannel", {}).get("channel", "UNSPECIFIED")
    return versions.upgrade_info(body["currentMasterVersion"], channel)


@answers("clusters.list")
def every(call: Call) -> dict[str, Any]:
    """clusters.list"""
    place = resource_names.of_call(call)
    prefix = f"container/projects/{place.project}/locations/"
    if place.location not in ("", "-"):
        prefix += f"{place.location}/"
    clusters = [
        representation(call.state, resource_names.of_name(name), body)
        for name, body in call.state.of(resource_names.CLUSTERS, prefix)
    ]
    return {"clusters": clusters} if clusters else {}


@answers("clusters.delete")
def delete(call: Call) -> dict[str, Any]:
    """clusters.delete: its node pools and their machines go with it."""
    place = resource_names.of_call(call)
    body = resource_names.cluster(call.state, place)
    operations.free(call.state, place, "DELETE_CLUSTER")
    body["status"] = "STOPPING"
    call.state.put(place.cluster_name, body)
    for pool_place, pool in resource_names.pools(call.state, place):
        pool["status"] = "STOPPING"
        call.state.put(pool_place.pool_name, pool)
        instance_groups.drop(call.state, pool_place)
        operations.end(call.state, pool_place)
    operations.end(call.state, place, "CREATE_CLUSTER", error="The cluster was deleted.")
    return operations.begin(call, place, "DELETE_CLUSTER", done=False)


def gone(server: Any, place: Place, body: Body) -> None:
    """The control plane was wiped: the cluster ends."""
    for pool_place, _ in resource_names.pools(server.state, place):
        pools.remove(server.state, pool_place)
    cluster_network.forget_ranges(server.state, place, body)
    server.state.delete(place.cluster_name)
    operations.end(server.state, place)
