"""How a node pool changes: nodePools.update, setAutoscaling, setManagement, rollback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.services.container.operations import (
    accelerators,
    defaults,
    instance_groups,
    operations,
    pool_rules,
    pools,
    resource_names,
)
from twin.gcp.services.container.operations.cluster_fields import autoscale, node_version
from twin.gcp.services.container.operations.resource_names import answers

_CONFIG: Final[tuple[str, ...]] = services.tables("container")["pool_fields"]
_WRAPPED: Final = {"labels": "labels", "taints": "taints", "tags": "tags", "resourceLabels": "labels"}
"""Fields of NodeConfig that come in a separate object, and how they are called in there."""
_POOL: Final = ("upgradeSettings", "queuedProvisioning", "nodeDrainConfig", "maintenancePolicy")
_LIVE: Final[frozenset[str]] = frozenset(services.tables("container")["pool_fields_live"])


def _merge(body: Body, changes: Body) -> None:
    config: Body = body["config"]
    for name in _CONFIG:
        if name in changes:
            config[name] = int(changes[name]) if name == "diskSizeGb" else changes[name]
    tainted = accelerators.tainted(config)
    for name, inner in _WRAPPED.items():
        if name in changes:
            config[name] = (changes[name] or {}).get(inner) or ([] if name in ("taints", "tags") else {})
    if tainted:
        accelerators.taint(config)
    for name in _POOL:
        if name in changes:
            body[name] = changes[name]
    defaults.upgrades(body)
    if changes.get("imageType"):
        config["imageType"] = changes["imageType"].upper()
    if "nodeNetworkConfig" in changes:
        body["networkConfig"] = {**(body.get("networkConfig") or {}), **changes["nodeNetworkConfig"]}


@answers("clusters.nodePools.update")
def update(call: Call) -> dict[str, Any]:
    """nodePools.update"""
    place = resource_names.of_call(call)
    cluster, body = resource_names.cluster(call.state, place), resource_names.pool(call.state, place)
    operations.free(call.state, place, "UPDATE_CLUSTER")
    changes = {name: value for name, value in call.body.items() if value is not None}
    before = body["config"]["imageType"]
    _merge(body, changes)
    if changes.get("locations"):
        body["locations"] = list(changes["locations"])
    pool_rules.recheck(call, place, cluster, body)
    if changes.get("locations"):
        pools.reshaped(call.server, place, cluster, body, call.at)
    changed = {name for name in changes if name not in _LIVE}
    if body["config"]["imageType"] == before:
        changed.discard("imageType")
    if changes.get("nodeVersion") not in (None, "", body["version"]):
        node_version(call, place, cluster, body, changes["nodeVersion"])
    elif changed:
        instance_groups.renew(call.server, place, cluster, body, call.at)
    body["etag"] = defaults.etag()
    call.state.put(place.pool_name, body)
    kind = "UPGRADE_NODES" if changed or changes.get("nodeVersion") else "UPDATE_CLUSTER"
    return operations.begin(call, place, kind)


@answers("clusters.nodePools.setAutoscaling")
def set_autoscaling(call: Call) -> dict[str, Any]:
    """nodePools.setAutoscaling"""
    autoscaling: Body = call.body.get("autoscaling") or {}
    return _changed(call, "UPDATE_CLUSTER", lambda pool: autoscale(pool, autoscaling))


@answers("clusters.nodePools.setManagement")
def set_management(call: Call) -> dict[str, Any]:
    """nodePools.setManagement"""
    management: Body = call.body.get("management") or {}
    return _changed(call, "SET_NODE_POOL_MANAGEMENT", lambda pool: pool.update(management=management))


def _changed(call: Call, operation: str, change: Callable[[Body], None]) -> dict[str, Any]:
    place = resource_names.of_call(call)
    cluster, body = resource_names.cluster(call.state, place), resource_names.pool(call.state, place)
    operations.free(call.state, place, operation)
    change(body)
    pool_rules.recheck(call, place, cluster, body)
    body["etag"] = defaults.etag()
    call.state.put(place.pool_name, body)
    return operations.begin(call, place, operation)
