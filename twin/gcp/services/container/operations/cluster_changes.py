"""How a cluster changes: clusters.update, one field a request, and the older verbs (setAddons...)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from twin.gcp.api_server.errors import invalid, stale
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.services.container.operations import (
    cluster_fields,
    cluster_rules,
    defaults,
    naming,
    operations,
    resource_names,
)
from twin.gcp.services.container.operations.resource_names import Place, answers

_BESIDE: Final = frozenset({"desiredNodePoolId", "etag", "desiredImageProject", "enableK8sBetaApis"})


def _change(call: Call, operation: str, change: Callable[[Place, Body], None]) -> dict[str, Any]:
    place = resource_names.of_call(call)
    body = resource_names.cluster(call.state, place)
    operations.free(call.state, place, operation)
    change(place, body)
    body["etag"] = defaults.etag()
    call.state.put(place.cluster_name, body)
    return operations.begin(call, place, operation)


@answers("clusters.update")
def update(call: Call) -> dict[str, Any]:
    """clusters.update: exactly one desired field a request."""
    requested: Body = call.body.get("update") or {}
    changes = [name for name in requested if name not in _BESIDE]
    if len(changes) != 1:
        changes_text = f"found {', '.join(changes)}" if changes else "found none"
        raise invalid(f"Must specify a field to update: exactly one in a request, {changes_text}.")
    kind = {"desiredMasterVersion": "UPGRADE_MASTER", "desiredNodeVersion": "UPGRADE_NODES"}.get(
        changes[0], "UPDATE_CLUSTER"
    )
    return _change(
        call,
        kind,
        lambda place, body: cluster_fields.apply(call, place, body, changes[0], requested[changes[0]]),
    )


@answers("clusters.setLegacyAbac")
def set_legacy_abac(call: Call) -> dict[str, Any]:
    """clusters.setLegacyAbac"""
    value = {"enabled": bool(call.body.get("enabled"))}
    return _change(call, "UPDATE_CLUSTER", lambda _, body: body.update(legacyAbac=value))


@answers("clusters.setNetworkPolicy")
def set_network_policy(call: Call) -> dict[str, Any]:
    """clusters.setNetworkPolicy"""

    def change(_: Place, body: Body) -> None:
        body["networkPolicy"] = call.body.get("networkPolicy") or {}
        cluster_rules.features(call, body)

    return _change(call, "SET_NETWORK_POLICY", change)


@answers("clusters.setMaintenancePolicy")
def set_maintenance(call: Call) -> dict[str, Any]:
    """clusters.setMaintenancePolicy; a stale resourceVersion is refused."""

    def change(_: Place, body: Body) -> None:
        policy: Body = call.body.get("maintenancePolicy") or {}
        resource_version = body["maintenancePolicy"].get("resourceVersion")
        if policy.get("resourceVersion") not in (None, "", resource_version):
            raise stale(
                f"The resourceVersion {policy['resourceVersion']} is not the current one "
                f"({resource_version})."
            )
        cluster_rules.maintenance(call, policy)
        body["maintenancePolicy"] = {**policy, "resourceVersion": secrets.token_hex(4)}

    return _change(call, "SET_MAINTENANCE_POLICY", change)


@answers("clusters.setResourceLabels")
def set_labels(call: Call) -> dict[str, Any]:
    """clusters.setResourceLabels; a stale fingerprint is refused."""

    def change(_: Place, body: Body) -> None:
        if call.body.get("labelFingerprint") not in (None, "", body["labelFingerprint"]):
            raise stale("Labels could not be set due to fingerprint mismatch.")
        naming.resource_labels(call.body.get("resourceLabels"), "resourceLabels")
        body.update(
            resourceLabels=call.body.get("resourceLabels") or {}, labelFingerprint=secrets.token_hex(4)
        )

    return _change(call, "SET_LABELS", change)
