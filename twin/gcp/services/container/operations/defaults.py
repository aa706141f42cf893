"""What GKE fills in where a cluster or a node pool says nothing.

Source: the container API's reference, and what terraform-provider-google's acceptance tests read back.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import versions
from twin.gcp.services.container.operations.pool_rules import DEFAULT_MACHINE
from twin.gcp.services.container.operations.resource_names import ROOT, Place

SCOPES: Final[tuple[str, ...]] = services.tables("container")["scopes"]


def etag() -> str:
    """A new one, as GKE's."""
    return str(uuid.uuid4())


def zones_of(place: Place, body: Body) -> list[str]:
    """Where a cluster's nodes are, by default: its zone, or three of its region's."""
    locations: list[str] = list(body.get("locations") or ())
    if capacity.is_zone(place.location):
        return [place.location, *(location for location in locations if location != place.location)]
    return locations or capacity.zones(place.region)[:3]


def cluster(call: Call, place: Place, body: Body) -> None:
    """Fill a checked cluster's body in; its network and version are settled."""
    links = f"{ROOT}/projects/{place.project}/{kind(place)}/{place.location}/clusters/{place.cluster}"
    body.update(
        name=place.cluster,
        location=place.location,
        zone=place.location,
        id=uuid.uuid4().hex + secrets.token_hex(16),
        selfLink=links,
        status="PROVISIONING",
        createTime=call.timestamp,
        currentMasterVersion=body["initialClusterVersion"],
        currentNodeVersion=body["initialClusterVersion"],
        labelFingerprint=secrets.token_hex(4),
        etag=etag(),
        locations=zones_of(place, body),
    )
    generic.complete(body, services.tables("container")["cluster"], inside=False)
    body["maintenancePolicy"] = {
        "resourceVersion": secrets.token_hex(4),
        **(body.get("maintenancePolicy") or {}),
    }
    body["databaseEncryption"].setdefault(
        "currentState",
        "CURRENT_STATE_ENCRYPTED"
        if body["databaseEncryption"].get("state") == "ENCRYPTED"
        else "CURRENT_STATE_DECRYPTED",
    )
    _features(body)
    _endpoints(body)


def kind(place: Place) -> str:
    """`zones` or `locations`, as links to a cluster in such a place have it."""
    return "zones" if capacity.is_zone(place.location) else "locations"


def _features(body: Body) -> None:
    body["networkConfig"].setdefault(
        "defaultEnablePrivateNodes", bool((body.get("privateClusterConfig") or {}).get("enablePrivateNodes"))
    )
    for name, part in services.tables("container")["cluster_parts"].items():
        generic.complete(body.setdefault(name, {}), part, inside=False)


def _endpoints(body: Body) -> None:
    private: dict[str, Any] = body.get("privateClusterConfig") or {}
    endpoints: dict[str, Any] = body.setdefault("controlPlaneEndpointsConfig", {})
    dns: dict[str, Any] = endpoints.setdefault("dnsEndpointConfig", {})
    dns.setdefault("allowExternalTraffic", False)
    addresses: dict[str, Any] = endpoints.setdefault("ipEndpointsConfig", {})
    addresses.setdefault("enabled", True)
    addresses.setdefault("enablePublicEndpoint", not private.get("enablePrivateEndpoint", False))
    addresses.setdefault(
        "globalAccess", (private.get("masterGlobalAccessConfig") or {}).get("enabled", False)
    )
    networks = body.get("masterAuthorizedNetworksConfig") or {}
    addresses.setdefault("authorizedNetworksConfig", networks)
    if not networks and addresses["authorizedNetworksConfig"]:
        body["masterAuthorizedNetworksConfig"] = addresses["authorizedNetworksConfig"]
    if private.get("privateEndpointSubnetwork"):
        addresses.setdefault("privateEndpointSubnetwork", private["privateEndpointSubnetwork"])
    body["privateClusterConfig"] = {
        **private,
        "enablePrivateNodes": bool(
            private.get("enablePrivateNodes", body["networkConfig"].get("defaultEnablePrivateNodes"))
        ),
        "enablePrivateEndpoint": not addresses["enablePublicEndpoint"],
    }
    body["networkConfig"]["defaultEnablePrivateNodes"] = body["privateClusterConfig"]["enablePrivateNodes"]


def pool(place: Place, cluster_body: Body, body: Body) -> None:
    """Fill a node pool in, before its rules are looked at."""
    config: dict[str, Any] = body.setdefault("config", {})
    body.setdefault("name", place.pool)
    body["locations"] = list(body.get("locations") or cluster_body["locations"])
    config.setdefault("machineType", DEFAULT_MACHINE)
    config.setdefault("diskType", capacity.boot_disk_type(config["machineType"]))
    config["imageType"] = (config.get("imageType") or "COS_CONTAINERD").upper()
    config.setdefault("oauthScopes", list(SCOPES))
    generic.complete(config, services.tables("container")["node_config"], inside=False)
    config["metadata"].setdefault("disable-legacy-endpoints", "true")
    if (cluster_body.get("workloadIdentityConfig") or {}).get("workloadPool"):
        config.setdefault("workloadMetadataConfig", {"mode": "GKE_METADATA"})
    _cards(config)
    _pool_settings(cluster_body, body)
    control = cluster_body["currentMasterVersion"]
    offered = {control, *versions.channel(_channel(cluster_body)).versions}
    requested = body.get("version", "")
    resolved = versions.resolve(requested, tuple(offered), control)
    if resolved is None:
        raise invalid(f'Node version "{requested}" is unsupported.')
    body["version"] = resolved


def _channel(cluster_body: Body) -> str:
    return (cluster_body.get("releaseChannel") or {}).get("channel", "UNSPECIFIED")


def _cards(config: Body) -> None:
    machine = capacity.machine_type(config["machineType"])
    if machine and machine.gpu and not config.get("accelerators"):
        config["accelerators"] = [{"acceleratorCount": str(machine.count), "acceleratorType": machine.card}]
    for accelerator in config.get("accelerators") or ():
        if machine and machine.gpu:
            accelerator.setdefault("acceleratorCount", str(machine.count))
            accelerator.setdefault("acceleratorType", machine.card)
        # Since 1.30.1-gke.1156000 GKE installs its default driver where nothing is said.
        accelerator.setdefault("gpuDriverInstallationConfig", {"gpuDriverVersion": "DEFAULT"})
    if machine and machine.ssds and "localNvmeSsdBlockConfig" not in config:
        config["ephemeralStorageLocalSsdConfig"] = {
            **(config.get("ephemeralStorageLocalSsdConfig") or {}),
            "localSsdCount": (config.get("ephemeralStorageLocalSsdConfig") or {}).get("localSsdCount")
            or machine.ssds,
        }


def short_lived(body: Body) -> bool:
    """Whether a pool is flex-start or queued."""
    return bool(body["config"].get("flexStart") or (body.get("queuedProvisioning") or {}).get("enabled"))


def upgrades(body: Body) -> None:
    """How a pool is upgraded. Flex-start and queued pools have a strategy that no client can choose or change
    ("Node pool upgrade strategies: Short-lived upgrades"; crossplane-contrib/provider-upjet-gcp#1028)."""
    if short_lived(body):
        body["upgradeSettings"] = {"strategy": "SHORT_LIVED"}
    body.setdefault("upgradeSettings", {"maxSurge": 1, "strategy": "SURGE"})


def _pool_settings(cluster_body: Body, body: Body) -> None:
    body.setdefault("initialNodeCount", 0)
    management = body.setdefault("management", {})
    if _channel(cluster_body) != "UNSPECIFIED":
        management.setdefault("autoUpgrade", True)
        if not short_lived(body):
            management.setdefault("autoRepair", True)
    default = cluster_body.get("defaultMaxPodsConstraint") or {"maxPodsPerNode": "110"}
    body.setdefault("maxPodsConstraint", dict(default))
    upgrades(body)
    scaling = body.get("autoscaling")
    if scaling and scaling.get("enabled"):
        spot = body["config"].get("spot") or body["config"].get("preemptible")
        scaling.setdefault("locationPolicy", "ANY" if spot or short_lived(body) else "BALANCED")
    settings = body.setdefault("networkConfig", {})
    policy = cluster_body["ipAllocationPolicy"]
    settings.setdefault("podRange", policy["clusterSecondaryRangeName"])
    if settings["podRange"] == policy["clusterSecondaryRangeName"]:
        settings.setdefault("podIpv4CidrBlock", policy["clusterIpv4CidrBlock"])
    settings.setdefault(
        "enablePrivateNodes", bool(cluster_body["networkConfig"].get("defaultEnablePrivateNodes"))
    )
