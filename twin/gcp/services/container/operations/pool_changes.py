"""How a node pool changes: nodePools.update, setAutoscaling, setManagement, rollback."""

from __future__ import annotations

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
from twin.gcp.services.container.operations.cluster_fields import node_version
from twin.gcp.services.container.operations.resource_names import answers

_CONFIG: Final[tuple[str, ...]] = services.tables("container")["pool_fields"]
_WRAPPED: Final = {"labels": "labels", "taints": "taints", "tags": "tags", "resourceLabels": "labels"}
"""Fields of NodeConfig that come in a separate object, and how they are called in there."""
_POOL: Final = ("upgradeSettings", "queuedProvisioning", "nodeDrainConfig", "maintenancePolicy")
_LIVE: Final[frozenset[str]] = frozenset(services.tables("container")["pool_fields_live"])


def _merge(body: Body, given: Body) -> None:
    config: Body = body["config"]
    for name in _CONFIG:
        if name in given:
            config[name] = int(given[name]) if name == "diskSizeGb" else given[name]
    tainted = accelerators.tainted(config)
    for name, inner in _WRAPPED.items():
        if name in given:
            config[name] = (given[name] or {}).get(inner) or ([] if name in ("taints", "tags") else {})
    if tainted:
        accelerators.taint(config)
    for name in _POOL:
        if name in given:
            body[name] = given[name]
    defaults.upgrades(body)
    if given.get("imageType"):
        config["imageType"] = given["imageType"].upper()
    if "nodeNetworkConfig" in given:
        body["networkConfig"] = {**(body.get("networkConfig") or {}), **given["nodeNetworkConfig"]}


@answers("clusters.nodePools.update")
def update(call: Call) -> dict[str, Any]:
    """nodePools.update"""
    place = resource_names.of_call(call)
    cluster, body = resource_names.cluster(call.state, place), resource_names.pool(call.state, place)
    operations.free(call.state, place, "UPDATE_CLUSTER")
    given = {name: value for name, value in call.body.items() if value is not None}
    before = body["config"]["imageType"]
    _merge(body, given)
    if given.get("locations"):
        body["locations"] = list(given["locations"])
    pool_rules.recheck(call, place, cluster, body)
    if given.get("locations"):
        pools.reshaped(call.front, place, cluster, body, call.at)
    changed = {name for name in given if name not in _LIVE}
    if body["config"]["imageType"] == before:
        changed.discard("imageType")
    if given.get("nodeVersion") not in (None, "", body["version"]):
        node_version(call, place, cluster, body, given["nodeVersion"])
    elif changed:
        instance_groups.renew(call.front, place, cluster, body, call.at)
    body["etag"] = defaults.etag()
    call.state.put(place.pool_name, body)
    kind = "UPGRADE_NODES" if changed or given.get("nodeVersion") else "UPDATE_CLUSTER"
    return operations.begin(call, place, kind)


@answers("clusters.nodePools.setAutoscaling")
def set_autoscaling(call: Call) -> dict[str, Any]:
    """nodePools.setAutoscaling"""
    given: Body = call.body.get("autoscaling") or {}

    def change(_: Body, body: Body) -> None:
        held = body.get("autoscaling") or {}
        if given.get("enabled"):
            body["autoscaling"] = {
                "locationPolicy": held.get("locationPolicy", "BALANCED"),
                **{name: value for name, value in given.items() if value is not None},
            }
        else:
            body.pop("autoscaling", None)

    return _changed(call, "UPDATE_CLUSTER", change)


@answers("clusters.nodePools.setManagement")
def set_management(call: Call) -> dict[str, Any]:
    """nodePools.setManagement"""
    given: Body = call.body.get("management") or {}

    def change(_: Body, body: Body) -> None:
        body["management"] = given

    return _changed(call, "SET_NODE_POOL_MANAGEMENT", change)


def _changed(call: Call, operation: str, change: Any) -> dict[str, Any]:
    place = resource_names.of_call(call)
    cluster, body = resource_names.cluster(call.state, place), resource_names.pool(call.state, place)
    operations.free(call.state, place, operation)
    change(cluster, body)
    pool_rules.recheck(call, place, cluster, body)
    body["etag"] = defaults.etag()
    call.state.put(place.pool_name, body)
    return operations.begin(call, place, operation)
