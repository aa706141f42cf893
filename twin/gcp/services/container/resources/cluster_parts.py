"""GKE: parts of a cluster that the provider makes of several properties, and reads back into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.core.normalization import without_none
from twin.gcp import services
from twin.provider_interface import UNKNOWN, Props


def endpoints(inputs: Props) -> Props:
    """`controlPlaneEndpointsConfig` (expandControlPlaneEndpointsConfig): the endpoints by DNS and by address,
    of which the provider keeps the private one and the authorized networks under their older names."""
    config = _object(inputs.get("controlPlaneEndpointsConfig"))
    dns = _object(config.get("dnsEndpointConfig"))
    by_name = {
        name: dns.get(name) if dns.get(name) is not None else False
        for name in ("allowExternalTraffic", "enableK8sTokensViaDns", "enableK8sCertsViaDns")
    }
    answered = config.get("ipEndpointsConfig")
    enabled = _object(answered).get("enabled") if isinstance(answered, dict) else True
    if isinstance(answered, dict) and enabled is not UNKNOWN and not enabled:
        return {"dnsEndpointConfig": by_name, "ipEndpointsConfig": {"enabled": False}}
    private = _object(inputs.get("privateClusterConfig"))
    only_private = private.get("enablePrivateEndpoint") or False
    by_address: Props = {
        "enabled": enabled,
        "enablePublicEndpoint": UNKNOWN if only_private is UNKNOWN else not only_private,
        "globalAccess": _object(private.get("masterGlobalAccessConfig")).get("enabled") or False,
        "authorizedNetworksConfig": authorized(inputs.get("masterAuthorizedNetworksConfig")),
    }
    if private.get("privateEndpointSubnetwork"):
        by_address["privateEndpointSubnetwork"] = private["privateEndpointSubnetwork"]
    return {"dnsEndpointConfig": by_name, "ipEndpointsConfig": by_address}


PLACES: Final[Mapping[str, str]] = services.tables("container")["property_of_field"]


def authorized(answered: Any) -> Props:
    """Authorized networks: that the block is there is what enables them."""
    if answered is None:
        return {"enabled": False}
    if answered is UNKNOWN:
        return {"enabled": True}
    result: Props = {"enabled": True}
    if answered.get("cidrBlocks") is not None:
        result["cidrBlocks"] = answered["cidrBlocks"]
    for name in ("gcpPublicCidrsAccessEnabled", "privateEndpointEnforcementEnabled"):
        if answered.get(name) is not None:
            result[name] = answered[name]
    return result


def endpoints_seen(item: Props, state: Props) -> Props:
    """The three properties that show the endpoints."""
    config = _object(item.get("controlPlaneEndpointsConfig"))
    by_address, by_name = _object(config.get("ipEndpointsConfig")), _object(config.get("dnsEndpointConfig"))
    private, network = _object(item.get("privateClusterConfig")), _object(item.get("networkConfig"))
    endpoints: Props = {
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"allowExternalTraffic": False, **by_name},
            "ipEndpointsConfig": {"enabled": bool(by_address.get("enabled"))},
        },
        "privateClusterConfig": {
            "enablePrivateEndpoint": not by_address.get("enablePublicEndpoint"),
            "enablePrivateNodes": bool(network.get("defaultEnablePrivateNodes")),
            "masterGlobalAccessConfig": {"enabled": bool(by_address.get("globalAccess"))},
            "privateEndpoint": by_address.get("privateEndpoint", ""),
            "publicEndpoint": by_address.get("publicEndpoint", ""),
            "privateEndpointSubnetwork": by_address.get("privateEndpointSubnetwork", ""),
            "peeringName": private.get("peeringName", ""),
            "masterIpv4CidrBlock": private.get("masterIpv4CidrBlock", ""),
        },
    }
    networks = _object(by_address.get("authorizedNetworksConfig"))
    if networks.get("enabled"):
        known = _object(state.get("masterAuthorizedNetworksConfig"))
        authorized = {key: value for key, value in networks.items() if key != "enabled"}
        for name in ("gcpPublicCidrsAccessEnabled", "privateEndpointEnforcementEnabled"):
            if known.get(name) is not None:
                authorized.setdefault(name, False)
        endpoints["masterAuthorizedNetworksConfig"] = authorized
    return endpoints


def maintenance(answered: Any) -> Props | None:
    """`maintenancePolicy` as the API takes it: exclusions by name, and a window in a window."""
    if not isinstance(answered, dict):
        return None
    window: Props = {"maintenanceExclusions": {}}
    for entry in answered.get("maintenanceExclusions") or []:
        exclusion = {"startTime": entry.get("startTime"), "endTime": entry.get("endTime")}
        options = entry.get("exclusionOptions")
        if options:
            exclusion["maintenanceExclusionOptions"] = dict(options)
            if options.get("endTimeBehavior"):
                exclusion.pop("endTime")
        name = entry.get("exclusionName")
        if isinstance(name, str):
            window["maintenanceExclusions"][name] = without_none(exclusion)
    daily, recurring = answered.get("dailyMaintenanceWindow"), answered.get("recurringWindow")
    if daily:
        window["dailyMaintenanceWindow"] = {"startTime": daily.get("startTime")}
    if recurring:
        times = {name: recurring.get(name) for name in ("startTime", "endTime")}
        window["recurringWindow"] = {"window": times, "recurrence": recurring.get("recurrence")}
    if answered.get("recurringMaintenanceWindow"):
        window["recurringMaintenanceWindow"] = answered["recurringMaintenanceWindow"]
    policy: Props = {"window": window}
    budget = answered.get("disruptionBudget")
    if budget:
        policy["disruptionBudget"] = {
            name: budget[name]
            for name in ("minorVersionDisruptionInterval", "patchVersionDisruptionInterval")
            if budget.get(name)
        }
    return policy


def maintenance_seen(answered: Any) -> Props | None:
    """`maintenancePolicy` as the provider shows it (flattenMaintenancePolicy)."""
    window = _object(_object(answered).get("window"))
    exclusions: list[Props] = []
    for name, entry in sorted((window.get("maintenanceExclusions") or {}).items()):
        exclusion = without_none({"exclusionName": name, "startTime": entry.get("startTime")})
        options = entry.get("maintenanceExclusionOptions")
        if options is not None:
            exclusion["exclusionOptions"] = {"scope": "NO_UPGRADES", **options}
        if entry.get("endTime") and not _object(options).get("endTimeBehavior"):
            exclusion["endTime"] = entry["endTime"]
        exclusions.append(exclusion)
    window_outputs: Props = {"maintenanceExclusions": exclusions} if exclusions else {}
    if window.get("dailyMaintenanceWindow"):
        window_outputs["dailyMaintenanceWindow"] = dict(window["dailyMaintenanceWindow"])
    elif window.get("recurringWindow"):
        recurring = window["recurringWindow"]
        window_outputs["recurringWindow"] = {
            **_object(recurring.get("window")),
            "recurrence": recurring.get("recurrence"),
        }
    elif window.get("recurringMaintenanceWindow"):
        window_outputs["recurringMaintenanceWindow"] = dict(window["recurringMaintenanceWindow"])
    else:
        return None
    budget = _object(_object(answered).get("disruptionBudget"))
    return {**window_outputs, "disruptionBudget": budget} if budget else window_outputs


def master_auth_seen(answered: Any) -> Props:
    """`masterAuth`: whether a client certificate was asked for shows by its being there."""
    auth = _object(answered)
    return {
        "clientCertificate": auth.get("clientCertificate", ""),
        "clientKey": auth.get("clientKey", ""),
        "clusterCaCertificate": auth.get("clusterCaCertificate", ""),
        "clientCertificateConfig": {"issueClientCertificate": bool(auth.get("clientCertificate"))},
    }


def allocation(policy: Any, mode: Any) -> Props | None:
    """`ipAllocationPolicy`, with what `networkingMode` says of it."""
    if mode is UNKNOWN or policy is UNKNOWN:
        return None
    if not policy:
        return (
            None
            if mode in (None, "VPC_NATIVE")
            else {"useIpAliases": False, "useRoutes": True, "stackType": "IPV4"}
        )
    return {"useIpAliases": mode != "ROUTES", "useRoutes": mode == "ROUTES"}


def _object(value: Any) -> Props:
    return dict(value) if isinstance(value, Mapping) else {}
