"""What each field of clusters.update does to a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import rules
from twin.gcp.services.container.operations import (
    cluster_rules,
    instance_groups,
    pool_rules,
    pools,
    resource_names,
    versions,
)
from twin.gcp.services.container.operations.resource_names import Place

Change = Callable[[Call, Place, Body, Any], None]

_PLAIN: Final[Mapping[str, str]] = services.tables("container")["update_fields"]
_MERGED: Final[Mapping[str, str]] = services.tables("container")["update_merged"]
_SWITCHES: Final[Mapping[str, str]] = services.tables("container")["update_switches"]
_FIXED: Final[Mapping[str, str]] = services.tables("container")["update_fixed"]


def _authorized(_call: Call, _place: Place, body: Body, value: Any) -> None:
    cluster_rules.authorized_networks(value)
    body["masterAuthorizedNetworksConfig"] = value
    body["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]["authorizedNetworksConfig"] = value


def _endpoints(_call: Call, _place: Place, body: Body, value: Any) -> None:
    endpoints: Body = body["controlPlaneEndpointsConfig"]
    for name, part in value.items():
        endpoints[name] = {**(endpoints.get(name) or {}), **part}
    addresses = endpoints["ipEndpointsConfig"]
    networks = addresses.get("authorizedNetworksConfig") or {}
    cluster_rules.authorized_networks(networks)
    body["masterAuthorizedNetworksConfig"] = networks
    body["privateClusterConfig"]["enablePrivateEndpoint"] = not addresses.get("enablePublicEndpoint", True)


def _private(call: Call, place: Place, body: Body, value: Any) -> None:
    private: Body = body["privateClusterConfig"]
    block = value.get("masterIpv4CidrBlock")
    if block and block != private.get("masterIpv4CidrBlock"):
        raise invalid("update.desiredPrivateClusterConfig.masterIpv4CidrBlock: cannot be changed.")
    private.update(value)
    _private_endpoint(call, place, body, private.get("enablePrivateEndpoint", False))


def _private_endpoint(_call: Call, _place: Place, body: Body, value: Any) -> None:
    body["privateClusterConfig"]["enablePrivateEndpoint"] = bool(value)
    body["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]["enablePublicEndpoint"] = not value


def _private_nodes(_call: Call, _place: Place, body: Body, value: Any) -> None:
    body["networkConfig"]["defaultEnablePrivateNodes"] = bool(value)
    body["privateClusterConfig"]["enablePrivateNodes"] = bool(value)


def _encryption(call: Call, place: Place, body: Body, value: Any) -> None:
    cluster_rules.database_encryption(call, place, value)
    encrypted = value.get("state") != "DECRYPTED"
    body["databaseEncryption"] = {
        **value,
        "currentState": "CURRENT_STATE_ENCRYPTED" if encrypted else "CURRENT_STATE_DECRYPTED",
    }


def _identity(call: Call, _place: Place, body: Body, value: Any) -> None:
    cluster_rules.identity(call, value)
    body["workloadIdentityConfig"] = value


def _authorization(call: Call, _place: Place, body: Body, value: Any) -> None:
    body["binaryAuthorization"] = value
    rules.check(call, {"binaryAuthorization": value}, cluster_rules.RULES["apis"])


def _autoscaling(call: Call, _place: Place, body: Body, value: Any) -> None:
    cluster_rules.autoscaling(call, value)
    body["autoscaling"] = {"autoscalingProfile": body["autoscaling"]["autoscalingProfile"], **value}


def _channel(_call: Call, _place: Place, body: Body, value: Any) -> None:
    name = value.get("channel", "UNSPECIFIED")
    offered = {versions.minor(version) for version in versions.channel(name).versions}
    if versions.minor(body["currentMasterVersion"]) not in offered:
        raise invalid(
            f"The release channel {name} does not offer the cluster's version {body['currentMasterVersion']}."
        )
    body["releaseChannel"] = {"channel": name}


def locations(call: Call, place: Place, body: Body, value: Any) -> None:
    """Where nodes are: the node pools that were everywhere follow."""
    cluster_rules.locations(place, value)
    before, zones = set(body["locations"]), list(value)
    if "-" in place.location[-2:] and place.location not in zones:
        raise invalid(f"update.desiredLocations: must have the cluster's own zone {place.location}.")
    body["locations"] = zones
    for pool_place, pool in resource_names.pools(call.state, place):
        if set(pool["locations"]) == before:
            pool["locations"] = zones
            pools.reshaped(call.server, pool_place, body, pool, call.at)
            call.state.put(pool_place.pool_name, pool)


def master(call: Call, place: Place, body: Body, value: Any) -> None:
    """Upgrade the control plane: one minor version up at a time."""
    name = (body.get("releaseChannel") or {}).get("channel", "UNSPECIFIED")
    wanted, current = cluster_rules.resolve(value, name), body["currentMasterVersion"]
    if versions.minor(wanted) < versions.minor(current):
        raise invalid(f'Master cannot be downgraded from "{current}" to "{wanted}" (minor versions).')
    if versions.minor(wanted) > versions.minor(current) + 1:
        raise invalid(
            f'Master cannot be upgraded to "{wanted}": cannot upgrade the master more than a minor '
            f'version at a time (it is at "{current}").'
        )
    for pool_place, pool in resource_names.pools(call.state, place):
        if versions.minor(wanted) - versions.minor(pool["version"]) > versions.NODE_MINORS_BACK:
            raise invalid(
                f"Node pool {pool_place.pool} is at {pool['version']}: nodes must be within "
                f"{versions.NODE_MINORS_BACK} minor versions of the master; upgrade it first."
            )
    body["currentMasterVersion"] = wanted


def _node_version(call: Call, place: Place, body: Body, value: Any) -> None:
    only = call.body["update"].get("desiredNodePoolId")
    for pool_place, pool in resource_names.pools(call.state, place):
        if only in (None, "", pool_place.pool):
            node_version(call, pool_place, body, pool, value)
            call.state.put(pool_place.pool_name, pool)


def node_version(call: Call, place: Place, cluster: Body, pool: Body, value: str) -> None:
    """Bring a pool's nodes to a version: its machines are replaced."""
    control = cluster["currentMasterVersion"]
    name = (cluster.get("releaseChannel") or {}).get("channel", "UNSPECIFIED")
    offered = (control, pool["version"], *versions.channel(name).versions)
    wanted = versions.resolve(value, offered, control)
    if wanted is None:
        raise invalid(f'Node version "{value}" is unsupported.')
    if versions.key(wanted) > versions.key(control):
        raise invalid(f'Node version "{wanted}" must not have a greater version than the master "{control}".')
    if wanted != pool["version"]:
        pool["version"] = wanted
        instance_groups.renew(call.server, place, cluster, pool, call.at)


def _pool_autoscaling(call: Call, place: Place, body: Body, value: Any) -> None:
    for pool_place, pool in _named_pools(call, place):
        autoscale(pool, value)
        pool_rules.recheck(call, pool_place, body, pool)
        call.state.put(pool_place.pool_name, pool)


def autoscale(pool: Body, value: Body) -> None:
    """Set the autoscaling of a pool, or take it away."""
    policy = (pool.pop("autoscaling", None) or {}).get("locationPolicy", "BALANCED")
    if value.get("enabled"):
        parts = {name: part for name, part in value.items() if part is not None}
        pool["autoscaling"] = {"locationPolicy": policy, **parts}


def _image_type(call: Call, place: Place, body: Body, value: Any) -> None:
    for pool_place, pool in _named_pools(call, place):
        if pool["config"]["imageType"] != value.upper():
            pool["config"]["imageType"] = value.upper()
            pool_rules.recheck(call, pool_place, body, pool)
            instance_groups.renew(call.server, pool_place, body, pool, call.at)
            call.state.put(pool_place.pool_name, pool)


def _named_pools(call: Call, place: Place) -> list[tuple[Place, Body]]:
    """The node pool that `desiredNodePoolId` names; without it, the only one."""
    name = call.body["update"].get("desiredNodePoolId")
    named = [pool for pool in resource_names.pools(call.state, place) if name in (None, "", pool[0].pool)]
    if not named:
        raise not_found(f"Not found: {place.parent}/clusters/{place.cluster}/nodePools/{name}.")
    if not name and len(named) > 1:
        raise invalid("update.desiredNodePoolId: must be given, as the cluster has more than one node pool.")
    return named


def _fleet(call: Call, _place: Place, body: Body, value: Any) -> None:
    body["fleet"] = value
    rules.check(call, {"fleet": value}, cluster_rules.RULES["apis"])


_CHANGES: Final[dict[str, Change]] = {
    "desiredMasterAuthorizedNetworksConfig": _authorized,
    "desiredControlPlaneEndpointsConfig": _endpoints,
    "desiredPrivateClusterConfig": _private,
    "desiredEnablePrivateEndpoint": _private_endpoint,
    "desiredDefaultEnablePrivateNodes": _private_nodes,
    "desiredDatabaseEncryption": _encryption,
    "desiredWorkloadIdentityConfig": _identity,
    "desiredBinaryAuthorization": _authorization,
    "desiredClusterAutoscaling": _autoscaling,
    "desiredReleaseChannel": _channel,
    "desiredLocations": locations,
    "desiredMasterVersion": master,
    "desiredNodeVersion": _node_version,
    "desiredNodePoolAutoscaling": _pool_autoscaling,
    "desiredImageType": _image_type,
    "desiredFleet": _fleet,
}


def apply(call: Call, place: Place, body: Body, name: str, value: Any) -> None:
    """Change one field. Raises 400 for what cannot be changed, 501 for what the twin does not know."""
    if name in _FIXED:
        raise invalid(f"update.{name}: {_FIXED[name]}")
    if name in _PLAIN:
        *around, last = _PLAIN[name].split(".")
        holder = body
        for part in around:
            holder = holder.setdefault(part, {})
        holder[last] = value
        cluster_rules.features(call, body)
    elif name in _MERGED:
        body[_MERGED[name]] = {**(body.get(_MERGED[name]) or {}), **value}
        cluster_rules.features(call, body)
    elif name in _SWITCHES:
        body["networkConfig"][_SWITCHES[name]] = bool(value.get("enabled"))
    elif name in _CHANGES:
        _CHANGES[name](call, place, body, value)
    else:
        raise GoogleError(501, "UNIMPLEMENTED", f"not in the twin: an update of {name}")
