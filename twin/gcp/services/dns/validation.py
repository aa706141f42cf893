"""Names of Cloud DNS, and the zone that a path names."""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body

_DNS: Final = re.compile(r"(?:(?:\*|_?[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)\.)+", re.IGNORECASE)


def is_dns_name(text: str) -> bool:
    """Whether it is a whole domain name with the dot at its end."""
    return len(text) <= 254 and _DNS.fullmatch(text) is not None


def zone_of(call: Call) -> tuple[str, Body]:
    """(name in the state, body) of the zone that the path names, by name or id."""
    name_or_id = call.parameters["managedZone"]
    prefix = f"dns/projects/{call.project}/managedZones/"
    body = call.state.get(prefix + name_or_id)
    if body is None and name_or_id.isdigit():
        for name, zone in call.state.of("dns.managedZones", prefix):
            if zone["id"] == name_or_id:
                return name, zone
    if body is None:
        raise not_found(f"The 'parameters.managedZone' resource named '{name_or_id}' does not exist.")
    return prefix + name_or_id, body
