"""Bigtable: instances with their clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from twin.gcp.api_server.errors import invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import answer, create, serve
from twin.gcp.services.compute import capacity

_INSTANCES: Final = "bigtableadmin.projects.instances"


def _prepare(call: Call, _: Body) -> None:
    number = len(call.body.get("clusters") or {})
    if not 1 <= number <= 8:
        raise invalid(f"An instance has from 1 to 8 clusters, got {number}.")


def _create_clusters(call: Call, instance: Body) -> None:
    clusters: dict[str, Body] = call.body["clusters"]
    for key, cluster in clusters.items():
        parameters = {"parent": instance["name"], "clusterId": key}
        create(replace(call, parameters=parameters, body=cluster), _CLUSTER)


def _check_cluster(call: Call, cluster: Body) -> None:
    instance = cluster["name"].partition("/clusters/")[0]
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
                f"autoscaling: min_serve_nodes ({low}) from 1, max_serve_nodes ({high}) no less, and at most "
                "ten times as many."
            )
        target = int((scaling.get("autoscalingTargets") or {}).get("cpuUtilizationPercent") or 0)
        if not 10 <= target <= 80:
            raise invalid(f"autoscaling: cpu_utilization_percent must be from 10 to 80, got {target}.")
        cluster["serveNodes"] = max(int(cluster.get("serveNodes") or 0), low)
    elif int(cluster.get("serveNodes") or 0) < 1:
        raise invalid("A cluster needs serve_nodes or an autoscaling configuration.")
    key = (cluster.get("encryptionConfig") or {}).get("kmsKeyName")
    check_key(call, key, capacity.region_of(zone), "gcp-sa-bigtable", "cluster")


_CLUSTER: Final = serve(f"{_INSTANCES}.clusters", check=_check_cluster)
_INSTANCE: Final = serve(_INSTANCES, prepare=_prepare, after_create=_create_clusters)


@handles(f"{_INSTANCES}.delete")
def delete(call: Call) -> dict[str, Any]:
    """An instance goes with its clusters, at once."""
    _INSTANCE.need(call, call.parameters["name"])
    call.state.delete(f"bigtableadmin/{call.parameters['name']}")
    return {}


@handles(f"{_INSTANCES}.clusters.partialUpdateCluster", f"{_INSTANCES}.clusters.update")
def change_cluster(call: Call) -> dict[str, Any]:
    """The size of a cluster."""
    row = f"bigtableadmin/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    cluster = {**before}
    for field in ("serveNodes", "clusterConfig"):
        if field in call.body:
            cluster[field] = call.body[field]
    if "serveNodes" in call.body and "clusterConfig" not in call.body:
        cluster.pop("clusterConfig", None)
    cluster = {field: value for field, value in cluster.items() if value is not None}
    _check_cluster(call, cluster)
    return answer(call, _CLUSTER, call.state.put(row, cluster))


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
