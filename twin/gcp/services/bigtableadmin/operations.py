"""Bigtable: instances with their clusters."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.methods.cmek import check_key
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

_INSTANCES: Final = "bigtableadmin.projects.instances"
_ID: Final = re.compile(r"[a-z](?:[a-z0-9-]{4,31})[a-z0-9]")
_CLUSTER: Final = re.compile(r"[a-z](?:[a-z0-9-]{4,28})[a-z0-9]")


def _done(call: Call, body: Body, kind: str) -> Body:
    name = f"operations/projects/{call.project}/instances/locations/operations/{operations.numeric_id()}"
    return operations.long_running(call, name, body, kind=f"google.bigtable.admin.v2.{kind}")


@handles(f"{_INSTANCES}.create")
def create(call: Call) -> dict[str, Any]:
    """An instance with its clusters."""
    name = str(call.body.get("instanceId") or "")
    if not _ID.fullmatch(name):
        raise invalid(
            f"Invalid instance id '{name}': 6 to 33 lower-case letters, digits and hyphens, a letter first."
        )
    full = f"{call.parameters['parent']}/instances/{name}"
    if call.state.get(f"bigtableadmin/{full}") is not None:
        raise exists(f"Instance {full} already exists.")
    clusters: dict[str, Body] = call.body.get("clusters") or {}
    if not 1 <= len(clusters) <= 8:
        raise invalid(f"An instance has from 1 to 8 clusters, got {len(clusters)}.")
    made: Body = {
        **(call.body.get("instance") or {}),
        "name": full,
        "state": "READY",
        "createTime": call.timestamp,
    }
    made.setdefault("type", "PRODUCTION")
    made.setdefault("edition", "ENTERPRISE")
    _check(made)
    call.state.put(f"bigtableadmin/{full}", made)
    for key, cluster in clusters.items():
        _add_cluster(call, full, key, cluster)
    return _done(call, made, "Instance")


def _check(instance: Body) -> None:
    shown = str(instance.get("displayName") or "")
    if not 4 <= len(shown) <= 30:
        raise invalid(f"instance.display_name must have from 4 to 30 characters, got '{shown}'.")
    check_labels(instance, "instance.labels")


def _add_cluster(call: Call, instance: str, key: str, cluster: Body) -> Body:
    if not _CLUSTER.fullmatch(key):
        raise invalid(
            f"Invalid cluster id '{key}': 6 to 30 lower-case letters, digits and hyphens, a letter first."
        )
    row = f"bigtableadmin/{instance}/clusters/{key}"
    if call.state.get(row) is not None:
        raise exists(f"Cluster {key} already exists.")
    made = {**cluster, "name": f"{instance}/clusters/{key}", "state": "READY"}
    made.setdefault("defaultStorageType", "SSD")
    _check_cluster(call, instance, made)
    return call.state.put(row, made)


def _check_cluster(call: Call, instance: str, cluster: Body) -> None:
    zone = str(cluster.get("location") or "").rpartition("/")[2]
    if not capacity.is_zone(zone):
        raise invalid(
            f"Invalid cluster location '{cluster.get('location', '')}': projects/P/locations/ZONE is right."
        )
    for row, other in call.state.of("bigtableadmin.clusters", f"bigtableadmin/{instance}/clusters/"):
        if other["location"].rpartition("/")[2] == zone and not row.endswith(
            cluster["name"].rpartition("/")[2]
        ):
            raise invalid(f"An instance has one cluster in a zone at most: {zone}.")
    scaling = (cluster.get("clusterConfig") or {}).get("clusterAutoscalingConfig")
    if scaling:
        limits = scaling.get("autoscalingLimits") or {}
        low, high = int(limits.get("minServeNodes") or 0), int(limits.get("maxServeNodes") or 0)
        if not 1 <= low <= high or high > 10 * low:
            raise invalid(
                f"autoscaling: min_serve_nodes ({low}) from 1, max_serve_nodes ({high}) no less, and "
                "at most ten "
                "times as many."
            )
        target = int((scaling.get("autoscalingTargets") or {}).get("cpuUtilizationPercent") or 0)
        if not 10 <= target <= 80:
            raise invalid(f"autoscaling: cpu_utilization_percent must be from 10 to 80, got {target}.")
        cluster["serveNodes"] = max(int(cluster.get("serveNodes") or 0), low)
    elif int(cluster.get("serveNodes") or 0) < 1:
        raise invalid("A cluster needs serve_nodes or an autoscaling configuration.")
    key = (cluster.get("encryptionConfig") or {}).get("kmsKeyName")
    if key:
        email = f"service-{call.project_number}@gcp-sa-bigtable.iam.gserviceaccount.com"
        check_key(call, key, capacity.region_of(zone), email, "cluster")


@handles(f"{_INSTANCES}.partialUpdateInstance")
def change(call: Call) -> dict[str, Any]:
    """Name, labels, type and edition."""
    row = f"bigtableadmin/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    if not call.parameters.get("updateMask"):
        raise invalid("update_mask must be specified.")
    made = generic.masked(call, before, frozenset({"displayName", "labels", "type", "edition"}))
    _check(made)
    return _done(call, call.state.put(row, made), "Instance")


@handles(f"{_INSTANCES}.delete")
def delete(call: Call) -> dict[str, Any]:
    """An instance goes with its clusters."""
    row = f"bigtableadmin/{call.parameters['name']}"
    call.need(row, generic.missing(call))
    call.state.delete(row)
    return {}


@handles(f"{_INSTANCES}.clusters.create")
def create_cluster(call: Call) -> dict[str, Any]:
    """One more cluster."""
    parent = call.parameters["parent"]
    call.need(f"bigtableadmin/{parent}", f"Instance {parent} not found.")
    made = _add_cluster(call, parent, call.parameters.get("clusterId") or "", call.body)
    return _done(call, made, "Cluster")


@handles(f"{_INSTANCES}.clusters.partialUpdateCluster", f"{_INSTANCES}.clusters.update")
def change_cluster(call: Call) -> dict[str, Any]:
    """The size of a cluster."""
    row = f"bigtableadmin/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    made = {**before}
    for field in ("serveNodes", "clusterConfig"):
        if field in call.body:
            made[field] = call.body[field]
    if "serveNodes" in call.body and "clusterConfig" not in call.body:
        made.pop("clusterConfig", None)
    made = {field: each for field, each in made.items() if each is not None}
    _check_cluster(call, before["name"].partition("/clusters/")[0], made)
    return _done(call, call.state.put(row, made), "Cluster")


@handles(f"{_INSTANCES}.clusters.delete")
def delete_cluster(call: Call) -> dict[str, Any]:
    """A cluster goes; the last one only with its instance."""
    row = f"bigtableadmin/{call.parameters['name']}"
    call.need(row, generic.missing(call))
    around = row.rpartition("/")[0]
    if len(call.state.of("bigtableadmin.clusters", f"{around}/")) == 1:
        raise precondition("Cannot delete the last cluster of an instance.")
    call.state.delete(row)
    return {}
