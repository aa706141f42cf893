"""Cloud DNS: managed zones and server policies."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, bad_field, exists, invalid
from twin.gcp.api_server.operations import numeric_id
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles, rules
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.generic import check_labels
from twin.gcp.services.dns.operations.records import begin
from twin.gcp.services.dns.validation import is_dns_name, zone_of

_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")


@handles("dns.managedZones.create")
def create(call: Call) -> dict[str, Any]:
    """A zone with its SOA and NS records."""
    body = call.body
    name = body.get("name", "")
    if not _NAME.fullmatch(name):
        raise bad_field("entity.managedZone.name", name, f"Must be a match of regex '{_NAME.pattern}'")
    row = f"dns/projects/{call.project}/managedZones/{name}"
    if call.state.get(row) is not None:
        raise exists(f"The resource 'entity.managedZone' named '{name}' already exists")
    if not is_dns_name(body.get("dnsName", "")):
        raise invalid(
            f"Invalid value for 'entity.managedZone.dnsName': '{body.get('dnsName', '')}'. A whole domain "
            "name that ends with a dot is right."
        )
    zone: Body = {"visibility": "public", "description": "", **body, "kind": "dns#managedZone"}
    zone.update(id=numeric_id(), creationTime=call.timestamp[:23] + "Z")
    _check(call, zone)
    zone["nameServers"] = (
        ["ns-gcp-private.googledomains.com."]
        if zone["visibility"] == "private"
        else [f"ns-cloud-a{number}.googledomains.com." for number in range(1, 5)]
    )
    zone.setdefault(
        "cloudLoggingConfig", {"kind": "dns#managedZoneCloudLoggingConfig", "enableLogging": False}
    )
    call.state.put(row, zone)
    if not any(zone.get(key) for key in ("forwardingConfig", "peeringConfig")):
        begin(call, row, zone)
    return zone


def _check(call: Call, zone: Body, before: Body | None = None) -> None:
    check_labels(zone, "entity.managedZone.labels")
    rules.check(call, zone, services.rules("dns")["zone"])
    private = zone["visibility"] == "private"
    networks: list[Body] = zone.get("privateVisibilityConfig", {}).get("networks") or []
    _networks(call, networks, "entity.managedZone.privateVisibilityConfig.networks")
    peer = zone.get("peeringConfig", {}).get("targetNetwork")
    if peer:
        _networks(call, [peer], "entity.managedZone.peeringConfig.targetNetwork")
    if before is None or private:
        _overlap(call, zone, {network["networkUrl"] for network in networks})


def _networks(call: Call, networks: list[Body], path: str) -> None:
    for index, network in enumerate(networks):
        network["networkUrl"] = compute.reference(
            call, network.get("networkUrl", ""), "networks", f"{path}[{index}].networkUrl"
        )


def _overlap(call: Call, zone: Body, networks: set[str]) -> None:
    """A network answers a domain from one private zone only."""
    if zone["visibility"] != "private":
        return
    for _, other in call.state.of("dns.managedZones", f"dns/projects/{call.project}/managedZones/"):
        if other["id"] == zone["id"] or other["dnsName"].lower() != zone["dnsName"].lower():
            continue
        theirs = other.get("privateVisibilityConfig", {}).get("networks", ())
        if any(network["networkUrl"] in networks for network in theirs):
            raise invalid(
                f"Forwarding zone or private zone with the same dnsName '{zone['dnsName']}' is already bound "
                f"to the network: '{other['name']}'.",
                reason="invalid",
            )


@handles("dns.managedZones.get")
def get(call: Call) -> dict[str, Any]:
    """A zone."""
    return zone_of(call)[1]


@handles("dns.managedZones.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's zones."""
    page = generic.list_page(call, f"dns/projects/{call.project}/managedZones/", "dns.managedZones")
    return {"kind": "dns#managedZonesListResponse", **page}


@handles("dns.managedZones.patch")
def change(call: Call) -> dict[str, Any]:
    """What can change of a zone."""
    row, before = zone_of(call)
    own_fields = ("kind", "id", "creationTime", "nameServers")
    changed = compute.merge(before, {key: value for key, value in call.body.items() if key not in own_fields})
    for key in ("name", "dnsName", "visibility"):
        if changed.get(key) != before.get(key):
            raise bad_field(f"entity.managedZone.{key}", changed.get(key), "The field cannot be changed.")
    _check(call, changed, before)
    call.state.put(row, changed)
    return {
        "kind": "dns#operation",
        "id": numeric_id(),
        "startTime": call.timestamp[:23] + "Z",
        "status": "done",
        "type": "update",
        "user": call.principal.partition(":")[2],
        "zoneContext": {"oldValue": before, "newValue": changed},
    }


@handles("dns.managedZones.delete")
def delete(call: Call) -> dict[str, Any]:
    """An empty zone goes: only SOA and NS are left in it."""
    row, body = zone_of(call)
    for _, rrset in call.state.of("dns.rrsets", f"{row}/rrsets/"):
        if rrset["type"] in ("SOA", "NS") and rrset["name"] == body["dnsName"]:
            continue
        raise GoogleError(
            400,
            "FAILED_PRECONDITION",
            f"The resource named '{body['name']}' cannot be deleted because it contains one or more "
            "'resource records'.",
            "containerNotEmpty",
        )
    call.state.delete(row)
    return {}


@handles("dns.policies.create")
def create_policy(call: Call) -> dict[str, Any]:
    """A server policy: inbound forwarding, logging, by network."""
    name = call.body.get("name", "")
    if not _NAME.fullmatch(name):
        raise bad_field("entity.policy.name", name, f"Must be a match of regex '{_NAME.pattern}'")
    row = f"dns/projects/{call.project}/policies/{name}"
    if call.state.get(row) is not None:
        raise exists(f"The resource 'entity.policy' named '{name}' already exists")
    policy: Body = {"enableInboundForwarding": False, "enableLogging": False, **call.body}
    policy.update(kind="dns#policy", id=numeric_id())
    _check_policy(call, policy)
    return call.state.put(row, policy)


def _check_policy(call: Call, policy: Body) -> None:
    networks: list[Body] = policy.get("networks") or []
    _networks(call, networks, "entity.policy.networks")
    network_urls = {network["networkUrl"] for network in networks}
    for _, other in call.state.of("dns.policies", f"dns/projects/{call.project}/policies/"):
        if other["id"] == policy["id"]:
            continue
        for bound_network in other.get("networks", ()):
            if bound_network["networkUrl"] in network_urls:
                raise invalid(
                    f"Network '{bound_network['networkUrl'].rsplit('/', 1)[-1]}' cannot be bound to this "
                    f"policy because it is already bound to another policy ('{other['name']}')."
                )


@handles("dns.policies.get")
def get_policy(call: Call) -> dict[str, Any]:
    """A policy."""
    return call.need(_policy(call), _missing(call))


@handles("dns.policies.list")
def list_policies(call: Call) -> dict[str, Any]:
    """The project's policies."""
    page = generic.list_page(call, f"dns/projects/{call.project}/policies/", "dns.policies")
    return {"kind": "dns#policiesListResponse", **page}


@handles("dns.policies.patch")
def change_policy(call: Call) -> dict[str, Any]:
    """What can change of a policy."""
    before = call.need(_policy(call), _missing(call))
    policy = {**compute.merge(before, call.body), "name": before["name"], "id": before["id"]}
    _check_policy(call, policy)
    call.state.put(_policy(call), policy)
    return {"policy": policy}


@handles("dns.policies.delete")
def delete_policy(call: Call) -> dict[str, Any]:
    """A policy that is bound to networks stays."""
    body = call.need(_policy(call), _missing(call))
    if body.get("networks"):
        raise GoogleError(
            400,
            "FAILED_PRECONDITION",
            f"The resource named '{body['name']}' cannot be deleted because it is bound to one or "
            "more networks.",
            "resourceInUse",
        )
    call.state.delete(_policy(call))
    return {}


def _policy(call: Call) -> str:
    return f"dns/projects/{call.project}/policies/{call.parameters['policy']}"


def _missing(call: Call) -> str:
    return f"The 'parameters.policy' resource named '{call.parameters['policy']}' does not exist."
