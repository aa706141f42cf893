"""Cloud DNS: record sets, one by one or by changes."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import exists, invalid, not_found, stale
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.dns.validation import is_dns_name, zone_of

TYPES: Final[frozenset[str]] = frozenset(services.tables("dns")["types"])


def begin(call: Call, zone: str, body: Body) -> None:
    """The records that every zone has."""
    name = body["dnsName"]
    first = body["nameServers"][0]
    soa = f"{first} cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"
    _put(call, zone, {"name": name, "type": "NS", "ttl": 21600, "rrdatas": body["nameServers"]})
    _put(call, zone, {"name": name, "type": "SOA", "ttl": 21600, "rrdatas": [soa]})


@handles("dns.resourceRecordSets.get")
def get(call: Call) -> dict[str, Any]:
    """One record set."""
    row, _ = zone_of(call)
    name, kind = call.parameters["name"], call.parameters["type"]
    return call.need(
        _row(row, {"name": name, "type": kind}),
        f"The 'parameters.name' resource named '{name} ({kind})' does not exist.",
    )


@handles("dns.resourceRecordSets.list")
def listing(call: Call) -> dict[str, Any]:
    """The record sets of a zone, those of a name, or of a name and type."""
    row, _ = zone_of(call)
    name, kind = call.parameters.get("name"), call.parameters.get("type")
    if kind and not name:
        raise invalid("The 'parameters.type' can be given only with 'parameters.name'.")
    records = [
        body
        for _, body in call.state.of("dns.rrsets", f"{row}/rrsets/")
        if (not name or body["name"] == name) and (not kind or body["type"] == kind)
    ]
    return {"kind": "dns#resourceRecordSetsListResponse", **generic.page(call, records, "rrsets")}


@handles("dns.changes.create")
def change(call: Call) -> dict[str, Any]:
    """Deletions, then additions, all or none."""
    row, zone = zone_of(call)
    additions = [_record(addition, zone) for addition in call.body.get("additions") or []]
    deletions: list[Body] = call.body.get("deletions") or []
    if not additions and not deletions:
        raise invalid("The 'entity.change' must have additions or deletions.")
    added = {(addition["name"], addition["type"]) for addition in additions}
    for index, record_set in enumerate(deletions):
        current = call.state.get(_row(row, record_set))
        if current is None:
            raise not_found(
                f"The 'entity.change.deletions[{index}]' resource named '{record_set.get('name')} "
                f"({record_set.get('type')})' does not exist."
            )
        same_data = sorted(current.get("rrdatas") or []) == sorted(record_set.get("rrdatas") or [])
        if not same_data or current["ttl"] != record_set.get("ttl"):
            raise stale(f"Precondition not met for 'entity.change.deletions[{index}]'")
        if (record_set["name"], record_set["type"]) not in added:
            _removable(current, zone)
        call.state.delete(_row(row, record_set))
    for record_set in additions:
        _add(call, row, record_set)
    internal = call.state.internal(row)
    number = int(internal.get("changes", 0)) + 1
    call.state.keep(row, {**internal, "changes": number})
    change: Body = {
        "kind": "dns#change",
        "id": str(number),
        "additions": additions,
        "deletions": deletions,
        "startTime": call.timestamp[:23] + "Z",
        "status": "done",
        "isServing": False,
    }
    return call.state.put(f"{row}/changes/{number}", change)


def _record(record: Body, zone: Body) -> Body:
    """A record set as it is kept. Raises 400."""
    name, kind = record.get("name", ""), record.get("type", "")
    zone_name = zone["dnsName"].lower()
    if not is_dns_name(name):
        raise invalid(
            f"Invalid value for 'entity.change.additions.name': '{name}'. A whole domain name that ends with "
            "a dot is right."
        )
    if name.lower() != zone_name and not name.lower().endswith(f".{zone_name}"):
        raise invalid(
            f"Invalid value for 'entity.change.additions.name': '{name}' is not in the zone's domain "
            f"'{zone_name}'."
        )
    if kind not in TYPES:
        raise invalid(f"Invalid value for 'entity.change.additions.type': '{kind}'.")
    data: list[str] = record.get("rrdatas") or []
    if bool(data) == bool(record.get("routingPolicy")):
        raise invalid("Exactly one of rrdatas and routingPolicy must be given.")
    for value in data:
        _check(kind, value)
    if kind == "CNAME" and len(data) > 1:
        raise invalid("A CNAME record set has one value.")
    if kind == "CNAME" and name.lower() == zone_name:
        raise invalid(
            f"CNAME records cannot be at the apex of a zone ('{name}').",
            reason="cnameResourceRecordSetConflict",
        )
    fields = ("name", "type", "rrdatas", "routingPolicy")
    record_set = {key: entry for key, entry in record.items() if key in fields}
    return {**record_set, "kind": "dns#resourceRecordSet", "ttl": int(record.get("ttl") or 0)}


def _check(kind: str, data: str) -> None:
    try:
        if kind == "A":
            ipaddress.IPv4Address(data)
        elif kind == "AAAA":
            ipaddress.IPv6Address(data)
    except ValueError:
        raise invalid(
            f"Invalid value for 'entity.change.additions.rrdata': '{data}' is no {kind} record."
        ) from None
    if kind in ("CNAME", "NS", "PTR") and not data.endswith("."):
        raise invalid(f"Invalid value for 'entity.change.additions.rrdata': '{data}' must end with a dot.")
    if kind == "MX" and not (len(data.split()) == 2 and data.split()[0].isdigit() and data.endswith(".")):
        raise invalid(f"Invalid value for 'entity.change.additions.rrdata': '{data}' is no MX record.")


def _add(call: Call, zone: str, record: Body) -> None:
    if call.state.get(_row(zone, record)) is not None:
        raise exists(
            f"The resource 'entity.change.additions' named '{record['name']} ({record['type']})' "
            "already exists"
        )
    for _, other in call.state.of("dns.rrsets", f"{zone}/rrsets/"):
        if other["name"].lower() == record["name"].lower() and "CNAME" in (other["type"], record["type"]):
            raise invalid(
                f"The resource record set '{record['name']} ({record['type']})' is invalid because a "
                f"{other['type']} record set of the same name exists; a CNAME must be the only one.",
                reason="cnameResourceRecordSetConflict",
            )
    call.state.put(_row(zone, record), record)


def _removable(record: Body, zone: Body) -> None:
    if record["type"] in ("SOA", "NS") and record["name"] == zone["dnsName"]:
        raise invalid(f"The zone's own {record['type']} record set cannot be deleted.")


def _put(call: Call, zone: str, record: Body) -> None:
    # The zone's own records are no resources that anyone made.
    call.state.put(_row(zone, record), {**record, "kind": "dns#resourceRecordSet"}, baseline=True)


def _row(zone: str, record: Body) -> str:
    return f"{zone}/rrsets/{record.get('name', '').lower()} {record.get('type')}"
