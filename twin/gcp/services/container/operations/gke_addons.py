"""Which of GKE's own components a cluster has: each is a file manifests/gcp/<name>.yaml.

Source: the workloads in kube-system, gmp-system and gke-managed-* of GKE 1.34 clusters as public issues show
them.
"""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.api_server.state import Body, State
from twin.gcp.services.binaryauthorization import operations as binaryauthorization
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import resource_names
from twin.gcp.services.container.operations.resource_names import Place

ALWAYS: Final = ("konnectivity-agent", "metrics-server", "event-exporter-gke")

KINDS: Final = ("multi-networking", "gateway-api", "managed-prometheus", "binary-authorization")
"""Components that bring kinds of objects, or refuse some: they come first."""


def _addon(body: Body, name: str) -> bool:
    return bool(((body.get("addonsConfig") or {}).get(name) or {}).get("enabled"))


def wanted(state: State, place: Place, body: Body) -> dict[str, dict[str, Any]]:
    """Name to configuration of the components that the cluster should have now."""
    settings = body["networkConfig"]
    found: dict[str, dict[str, Any]] = {name: {} for name in ALWAYS}
    advanced = settings.get("datapathProvider") == "ADVANCED_DATAPATH"
    found["anetd" if advanced else "kube-proxy"] = {}
    dns = (settings.get("dnsConfig") or {}).get("clusterDns", "")
    if dns != "CLOUD_DNS":
        found["kube-dns"] = {}
    if (body.get("workloadIdentityConfig") or {}).get("workloadPool"):
        found["gke-metadata-server"] = {}
    found.update(_drivers(body))
    components = ((body.get("loggingConfig") or {}).get("componentConfig") or {}).get("enableComponents")
    if components:
        found["fluentbit-gke"] = {}
    found["gke-metrics-agent"] = {}
    if ((body.get("monitoringConfig") or {}).get("managedPrometheusConfig") or {}).get("enabled"):
        found["managed-prometheus"] = {}
    if (settings.get("gatewayApiConfig") or {}).get("channel") == "CHANNEL_STANDARD":
        found["gateway-api"] = {}
    if settings.get("enableMultiNetworking"):
        found["multi-networking"] = {}
    if not ((body.get("addonsConfig") or {}).get("httpLoadBalancing") or {}).get("disabled"):
        found["l7-default-backend"] = {}
    found.update(_devices(state, place))
    found.update(_admission(state, place, body))
    return found


def _admission(state: State, place: Place, body: Body) -> dict[str, dict[str, Any]]:
    """What refuses images, in a cluster that enforces the project's policy."""
    if (body.get("binaryAuthorization") or {}).get("evaluationMode") != "PROJECT_SINGLETON_POLICY_ENFORCE":
        return {}
    cluster = f"{place.location}.{place.cluster}"
    pattern = binaryauthorization.admitted(state, place.project, cluster)
    return {"binary-authorization": {"pattern": pattern, "place": cluster}} if pattern else {}


def _drivers(body: Body) -> dict[str, dict[str, Any]]:
    return {
        name: {}
        for addon, name in (
            ("gcePersistentDiskCsiDriverConfig", "pdcsi-node"),
            ("gcpFilestoreCsiDriverConfig", "filestore-node"),
            ("gcsFuseCsiDriverConfig", "gcsfusecsi-node"),
        )
        if _addon(body, addon)
    }


def _devices(state: State, place: Place) -> dict[str, dict[str, Any]]:
    """The device plugins come with the first node pool that has such devices."""
    found: dict[str, dict[str, Any]] = {}
    for _, pool in resource_names.pools(state, place):
        machine = capacity.machine_type(pool["config"]["machineType"])
        if pool["config"].get("accelerators"):
            found["nvidia-gpu-device-plugin"] = {}
        if machine and machine.tpu:
            found["tpu-device-plugin"] = {}
    return found


def addons(state: State, place: Place, body: Body) -> list[dict[str, Any]]:
    """What the simulation should apply, and remove (`DELETING`), now."""
    kept = state.kept(place.cluster_name)
    now = wanted(state, place, body)
    applied: list[str] = kept.get("addons", [])
    if set(now) - set(applied):
        kept["addons"] = sorted({*applied, *now})
        state.keep(place.cluster_name, kept)
    version = body["currentMasterVersion"]
    return [
        {
            "name": name,
            "version": version,
            "status": "ACTIVE" if name in now else "DELETING",
            "configuration": now.get(name, {}),
            "service_account_role": "",
        }
        for name in sorted({*applied, *now}, key=lambda each: (each not in KINDS, each))
    ]


def gone(state: State, place: Place, name: str) -> None:
    """A component's objects are removed."""
    kept = state.kept(place.cluster_name)
    kept["addons"] = [each for each in kept.get("addons", []) if each != name]
    state.keep(place.cluster_name, kept)
