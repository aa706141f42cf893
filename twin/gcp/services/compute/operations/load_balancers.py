"""Load balancers as GKE's controllers create them: their rules, proxies, services, checks and groups.

No request passes through one. What uses a part keeps it from being deleted, as on Google Cloud.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from twin.gcp.api_server.errors import bad_field
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.operations.addresses import external

_ADDRESSES: Final = "addresses"


def _check_rule(call: Call, body: Body, before: Body | None) -> None:
    if before is not None:
        return
    region = call.parameters.get("region", "")
    stated = str(body.get("IPAddress") or "")
    if not stated:
        body["IPAddress"] = external(call, region)
    elif "/" in stated:
        link = compute.reference(call, stated, _ADDRESSES, "resource.IPAddress")
        address = call.state.get(f"compute/{compute.name_of(link, call.project)}") or {}
        body["IPAddress"] = address["address"]
    else:
        try:
            ipaddress.ip_address(stated)
        except ValueError:
            raise bad_field("resource.IPAddress", stated, "Must be an IP address.") from None


@compute.used_by
def _rules(state: State, name: str) -> Iterator[str]:
    """A forwarding rule uses the reserved address that it has."""
    if name.split("/")[-2] != _ADDRESSES:
        return
    address = (state.get(f"compute/{name}") or {}).get("address")
    for other, body in state.of("compute.forwardingRules"):
        if address and body.get("IPAddress") == address:
            yield other.partition("/")[2]


def _check_snapshot(call: Call, body: Body, before: Body | None) -> None:
    if before is not None:
        return
    body["sourceDisk"] = compute.reference(call, body["sourceDisk"], "disks", "resource.sourceDisk")
    disk = call.state.get(f"compute/{compute.name_of(body['sourceDisk'], call.project)}") or {}
    # The disk may be deleted before its snapshot.
    body.update(diskSizeGb=str(disk["sizeGb"]), storageBytes="0", status="READY")


compute.kind("forwardingRules", check=_check_rule)
compute.kind("snapshots", check=_check_snapshot)
for word in (
    "targetPools",
    "targetHttpProxies",
    "targetHttpsProxies",
    "urlMaps",
    "backendServices",
    "healthChecks",
    "httpHealthChecks",
    "networkEndpointGroups",
    "instanceGroups",
):
    compute.kind(word)
