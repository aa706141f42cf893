"""Cloud DNS: managed zones and server policies."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, bad_field, exists, invalid
from twin.gcp.api_server.operations import numeric_id
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
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
    made: Body = {
        "visibility": "public",
        "description": "",
        **body,
        "kind": "dns#managedZone",
        "id": numeric_id(),
    }
    made["creationTime"] = call.timestamp[:23] + "Z"
    _check(call, made)
    made["nameServers"] = (
        ["ns-gcp-private.googledomains.com."]
        if made["visibility"] == "private"
        else [f"ns-cloud-a{number}.googledomains.com." for number in range(1, 5)]
    )
    made.setdefault(
        "cloudLoggingConfig", {"kind": "dns#managedZoneCloudLoggingConfig", "enableLogging": False}
    )
    call.state.put(row, made)
    if not any(made.get(key) for key in ("forwardingConfig", "peeringConfig")):
        begin(call, row, made)
    return made


def _check(call: Call, zone: Body, before: Body | None = None) -> None:
    check_labels(zone, "entity.managedZone.labels")
    private = zone["visibility"] == "private"
    networks: list[Body] = zone.get("privateVisibilityConfig", {}).get("networks") or []
    if networks and not private:
        raise invalid(
            "Invalid value for 'entity.managedZone.privateVisibilityConfig': only private zones have one."
        )
    if private and zone.get("dnssecConfig", {}).get("state") == "on":
        raise invalid("DNSSEC cannot be enabled for a private zone.")
    if not private and (zone.get("forwardingConfig") or zone.get("peeringConfig")):
        raise invalid("Forwarding and peering are for private zones only.")
    if zone.get("forwardingConfig") and zone.get("peeringConfig"):
        raise invalid("A zone cannot both forward and peer.")
    _networks(call, networks, "entity.managedZone.privateVisibilityConfig.networks")
    peer = zone.get("peeringConfig", {}).get("targetNetwork")
    if peer:
        _networks(call, [peer], "entity.managedZone.peeringConfig.targetNetwork")
    if zone.get("forwardingConfig") and not zone["forwardingConfig"].get("targetNameServers"):
        raise invalid("Required field 'entity.managedZone.forwardingConfig.targetNameServers' not specified")
    if before is None or private:
        _overlap(call, zone, {each["networkUrl"] for each in networks})


def _networks(call: Call, networks: list[Body], path: str) -> None:
    for index, each in enumerate(networks):
        each["networkUrl"] = compute.reference(
            call, each.get("networkUrl", ""), "networks", f"{path}[{index}].networkUrl"
        )


def _overlap(call: Call, zone: Body, networks: set[str]) -> None:
    """A network answers a domain from one private zone only."""
    if zone["visibility"] != "private":
        return
    for _, other in call.state.of("dns.managedZones", f"dns/projects/{call.project}/managedZones/"):
        if other["id"] == zone["id"] or other["dnsName"].lower() != zone["dnsName"].lower():
            continue
        theirs = {each["networkUrl"] for each in other.get("privateVisibilityConfig", {}).get("networks", ())}
        if theirs & networks:
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
    made = generic.listed(call, f"dns/projects/{call.project}/managedZones/", "dns.managedZones")
    return {"kind": "dns#managedZonesListResponse", **made}


@handles("dns.managedZones.patch", "dns.managedZones.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of a zone."""
    row, before = zone_of(call)
    body = {
        key: each
        for key, each in call.body.items()
        if key not in ("kind", "id", "creationTime", "nameServers")
    }
    made = compute.merge(before, body)
    for key in ("name", "dnsName", "visibility"):
        if made.get(key) != before.get(key):
            raise bad_field(f"entity.managedZone.{key}", made.get(key), "The field cannot be changed.")
    _check(call, made, before)
    call.state.put(row, made)
    return {
        "kind": "dns#operation",
        "id": numeric_id(),
        "startTime": call.timestamp[:23] + "Z",
        "status": "done",
        "type": "update",
        "user": call.principal.partition(":")[2],
        "zoneContext": {"oldValue": before, "newValue": made},
    }


@handles("dns.managedZones.delete")
def delete(call: Call) -> dict[str, Any]:
    """An empty zone goes: only SOA and NS are left in it."""
    row, body = zone_of(call)
    for _, each in call.state.of("dns.rrsets", f"{row}/rrsets/"):
        if each["type"] in ("SOA", "NS") and each["name"] == body["dnsName"]:
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
    made: Body = {"enableInboundForwarding": False, "enableLogging": False, **call.body}
    made.update(kind="dns#policy", id=numeric_id())
    _check_policy(call, made)
    return call.state.put(row, made)


def _check_policy(call: Call, policy: Body) -> None:
    networks: list[Body] = policy.get("networks") or []
    _networks(call, networks, "entity.policy.networks")
    own = {each["networkUrl"] for each in networks}
    for _, other in call.state.of("dns.policies", f"dns/projects/{call.project}/policies/"):
        if other["id"] == policy["id"]:
            continue
        for each in other.get("networks", ()):
            if each["networkUrl"] in own:
                raise invalid(
                    f"Network '{each['networkUrl'].rsplit('/', 1)[-1]}' cannot be bound to this policy "
                    f"because it is already bound to another policy ('{other['name']}')."
                )


@handles("dns.policies.get")
def get_policy(call: Call) -> dict[str, Any]:
    """A policy."""
    return call.need(_policy(call), _missing(call))


@handles("dns.policies.list")
def list_policies(call: Call) -> dict[str, Any]:
    """The project's policies."""
    made = generic.listed(call, f"dns/projects/{call.project}/policies/", "dns.policies")
    return {"kind": "dns#policiesListResponse", **made}


@handles("dns.policies.patch", "dns.policies.update")
def change_policy(call: Call) -> dict[str, Any]:
    """What can change of a policy."""
    before = call.need(_policy(call), _missing(call))
    made = {**compute.merge(before, call.body), "name": before["name"], "id": before["id"]}
    _check_policy(call, made)
    call.state.put(_policy(call), made)
    return {"policy": made}


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
